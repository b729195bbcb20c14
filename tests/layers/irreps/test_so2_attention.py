import jax.numpy as jnp
import numpy as np

from tests.cases import load


def test_logits_depend_on_the_direction_of_invariants_and_not_on_their_size():
    """Alpha is normed, so that ten times as much is the same; what follows is no linear map, so that signs matter."""
    module, graph, params, apply = load("SO2Attention")
    alpha = np.arange(module.heads * module.alpha)

    def scaled(by, score=1.0):
        own = params["params"]
        first, columns = own["first"], alpha - len(alpha) - module.hidden
        kernel = first["order_0"].at[:, columns].multiply(by)
        bias = first["bias_of_scalars"].at[:, columns].multiply(by)
        first = first | {"order_0": kernel, "bias_of_scalars": bias}
        norm = own["norm"] | {"bias": 0 * own["norm"]["bias"]}
        return {"params": own | {"first": first, "norm": norm, "score": score * own["score"]}}

    usual, large, turned = (apply(scaled(*by), graph).nodes for by in ((10.0,), (1000.0,), (-10.0, -1.0)))
    np.testing.assert_allclose(large, usual, atol=1e-4 * jnp.abs(usual).max())
    assert jnp.abs(turned - usual).max() > 1e-3 * jnp.abs(usual).max()


def test_a_message_reads_both_ends():
    """Node 0 hears what the others are, and hears it according to what it is itself."""
    _, graph, params, apply = load("SO2Attention")
    usual = apply(params, graph).nodes[0]
    for node in (0, 1):
        moved = apply(params, graph._replace(nodes=graph.nodes.at[node].multiply(-1.5))).nodes[0]
        assert jnp.abs(moved - usual).max() > 1e-3 * jnp.abs(usual).max()
