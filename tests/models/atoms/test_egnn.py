import jax
import jax.numpy as jnp
import jraph
import numpy as np
import pytest

from symjax.graphs import AtomEdges, AtomGlobals, AtomNodes
from symjax.models.atoms import InvariantEGNN
from tests.cases.inputs import atoms
from tests.golden import ELEMENTS, convert, points_graph, read


def test_reference_property_and_gradient(shared):
    """The authors' network for QM9; its pairs are dense and masked."""
    weights, config, arrays = read(shared / "golden" / "egnn_qm9.npz")
    model, params = convert("egnn_qm9", weights, config)
    kept = arrays["in/edge_mask"][:, 0] > 0
    real = arrays["in/atom_mask"].reshape(-1) > 0
    place = np.cumsum(real) - 1
    receivers, senders = (place[arrays[f"in/{end}"][kept]] for end in ("row", "col"))
    counts = arrays["in/atom_mask"].sum(axis=1).astype(int)
    zeros = np.zeros(3)
    nodes = AtomNodes(arrays["in/positions"].reshape(-1, 3)[real], arrays["in/one_hot"].argmax(-1).reshape(-1)[real])
    edges = AtomEdges(np.zeros((len(senders), 3)))
    whole = AtomGlobals(np.zeros((3, 3, 3)), zeros, zeros + 1)
    graph = jraph.GraphsTuple(nodes, edges, receivers, senders, whole, counts, counts * (counts - 1))
    graph = jax.tree.map(jnp.asarray, graph)

    def total(positions):
        predicted = model.apply(params, graph._replace(nodes=graph.nodes._replace(positions=positions)))[:, 0]
        return predicted.sum(), predicted

    gradient, predicted = jax.jit(jax.grad(total, has_aux=True))(jnp.asarray(nodes.positions))
    np.testing.assert_allclose(predicted, arrays["out/pred"], rtol=0, atol=1e-10)
    np.testing.assert_allclose(gradient, arrays["out/grad_x"][real], rtol=0, atol=1e-10)


def test_reference_bodies_without_velocities(shared):
    weights, config, arrays = read(shared / "golden" / "egnn_clean.npz")
    model, params = convert("egnn_clean", weights, config)

    def loss(positions):
        features, moved = model.apply(params, points_graph(arrays["in/h"], positions, None, arrays))
        return jnp.sum(moved * jnp.cos(jnp.arange(moved.size, dtype=float)).reshape(moved.shape)), (features, moved)

    gradient, (features, moved) = jax.jit(jax.grad(loss, has_aux=True))(jnp.asarray(arrays["in/x"]))
    np.testing.assert_allclose(features, arrays["out/h"], rtol=0, atol=1e-10)
    np.testing.assert_allclose(moved, arrays["out/x"], rtol=0, atol=1e-10)
    np.testing.assert_allclose(gradient, arrays["out/grad_x"], rtol=0, atol=1e-10)


def test_attributes_are_the_features_that_the_network_starts_from():
    """Weights for node attributes, against the equations in numpy: three atoms, one layer, no attention."""
    normal, width = np.random.default_rng(0).standard_normal, 4
    shapes = {"embedding": (width, 15), "gcl_0.edge_mlp.0": (width, 2 * width + 1), "gcl_0.edge_mlp.2": (width, width)}
    shapes |= {"gcl_0.node_mlp.0": (width, 2 * width + 15), "gcl_0.node_mlp.2": (width, width)}
    shapes |= {"node_dec.0": (width, width), "node_dec.2": (width, width)}
    shapes |= {"graph_dec.0": (width, width), "graph_dec.2": (1, width)}
    w = {f"{name}.weight": normal(shape) / 4 for name, shape in shapes.items()}
    w |= {f"{name}.bias": normal(shape[0]) for name, shape in shapes.items()}
    positions, species = normal((3, 3)), np.array([4, 0, 2])

    def linear(name, x):
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def silu(x):
        return x / (1 + np.exp(-x))

    def perceptron(name, x):
        return linear(f"{name}.2", silu(linear(f"{name}.0", x)))

    inputs = (np.eye(5)[species][..., None] * (ELEMENTS[species, None, None] / 9) ** np.arange(3)).reshape(3, 15)
    h = linear("embedding", inputs)
    heard = np.zeros((3, width))
    for i, j in np.argwhere(~np.eye(3, dtype=bool)):
        squared = np.sum((positions[i] - positions[j]) ** 2)
        heard[i] += silu(perceptron("gcl_0.edge_mlp", np.concatenate([h[i], h[j], [squared]])))
    h = h + perceptron("gcl_0.node_mlp", np.concatenate([h, heard, inputs], axis=1))
    expected = perceptron("graph_dec", perceptron("node_dec", h).sum(axis=0))
    model, params = convert("egnn_qm9", w, {"node_attr": 1})
    graph = atoms(positions)
    graph = jax.tree.map(jnp.asarray, graph._replace(nodes=graph.nodes._replace(species=species)))
    np.testing.assert_allclose(jax.jit(model.apply)(params, graph)[0], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("outputs", ["1x1o", "1x0o"])
def test_outputs_that_turn_are_refused(outputs):
    with pytest.raises(ValueError, match="expected outputs of even scalars"):
        InvariantEGNN(2, 3.0, outputs=outputs)
