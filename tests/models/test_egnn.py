import pathlib

import jax
import jax.numpy as jnp
import numpy as np

from tests.golden import convert, points_graph, read

GOLDEN = pathlib.Path(__file__).parents[1] / "golden" / "egnn_nbody.npz"


def test_reference_outputs_and_gradients():
    weights, config, arrays = read(GOLDEN)
    model, params = convert("egnn_nbody", weights, config)
    graph = points_graph(*(arrays[f"in/{name}"] for name in ("nodes", "loc", "vel")), arrays)

    def loss(params, positions, velocities):
        nodes = graph.nodes._replace(positions=positions, velocities=velocities)
        predicted = model.apply(params, graph._replace(nodes=nodes)).nodes.positions
        return jnp.mean((predicted - arrays["in/loc_end"]) ** 2), predicted

    value = jax.jit(jax.value_and_grad(loss, argnums=(0, 1, 2), has_aux=True))
    (mean, predicted), gradients = value(params, graph.nodes.positions, graph.nodes.velocities)
    slopes = {name.removeprefix("out/gw/"): array for name, array in arrays.items() if name.startswith("out/gw/")}
    expected = convert("egnn_nbody", slopes, config)[1], arrays["out/grad_x"], arrays["out/grad_vel"]
    np.testing.assert_allclose(mean, arrays["out/loss"], rtol=1e-12)
    np.testing.assert_allclose(predicted, arrays["out/pred"], rtol=0, atol=1e-10)
    jax.tree.map(lambda got, want: np.testing.assert_allclose(got, want, rtol=0, atol=1e-10), gradients, expected)
