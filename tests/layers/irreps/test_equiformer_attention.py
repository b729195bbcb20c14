import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import numpy as np

from symjax.layers.irreps import AttentionEdges, EquiformerAttention, RadialProfile, attention_weights
from tests.cases import start
from tests.cases.inputs import all_pairs

NORMAL = np.random.default_rng(1).standard_normal


def test_scalars_alone_attend_like_an_invariant_attention():
    """With l = 0 nothing is left of the products but multiplications, and this is the whole layer."""
    edges = AttentionEdges(e3nn.IrrepsArray("0e", np.ones((12, 1))), NORMAL((12, 3)), NORMAL(12) ** 2)
    graph = all_pairs(e3nn.IrrepsArray("4x0e", NORMAL((4, 4))), lambda _: edges, 4)._replace(globals=None)
    layer = EquiformerAttention("3x0e", "2x0e", 2, radial_widths=(5,))
    params, apply = start(layer, jax.tree.map(jnp.asarray, graph))
    p = jax.tree.map(lambda leaf: np.asarray(leaf) + 0.1 * NORMAL(leaf.shape), params["params"])

    def linear(name, x):
        return x @ p[name]["0e_0"] / np.sqrt(x.shape[-1]) + p[name].get("bias", 0)

    x, sender, receiver = graph.nodes.array, graph.senders, graph.receivers
    radial = np.asarray(RadialProfile((5, 4)).apply({"params": p["radial"]}, jnp.asarray(edges.radial)))
    told = (linear("send", x)[sender] + linear("receive", x)[receiver]) * radial
    scores = linear("scores", told).reshape(12, 2, 2)
    leaky = 1.529087143556854 * (0.6 * scores + 0.4 * scores * np.tanh(scores / 2))
    share = edges.envelope[:, None] * np.exp((leaky * p["dot"]).sum(axis=2))
    share *= edges.envelope[:, None] / np.array([share[receiver == i].sum(axis=0) for i in range(4)])[receiver]
    hidden = linear("gated", told)
    values = linear("values", 1.6765324703310909 * hidden / (1 + np.exp(-hidden)) * p["product"])
    sums = np.array([(np.repeat(share, 2, axis=1) * values)[receiver == i].sum(axis=0) for i in range(4)])
    np.testing.assert_allclose(apply({"params": p}, graph).nodes.array, linear("project", sums), atol=1e-12)


def test_neighbours_leave_smoothly():
    """At the cutoff a neighbour neither counts nor makes others count less, not even the last one."""
    scores, receivers = jnp.array([[1.0], [50.0], [-3.0]]), jnp.array([0, 0, 1])
    weights = jax.jit(lambda f: attention_weights(scores, f, receivers, 3))
    np.testing.assert_allclose(weights(jnp.array([0.5, 0.0, 1e-9])), [[0.5], [0.0], [1e-9]], rtol=1e-12)
    slopes = jax.jit(jax.jacobian(weights))(jnp.array([0.5, 0.0, 0.0]))
    assert jnp.isfinite(slopes).all()
