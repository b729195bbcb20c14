import functools

import jax
import jax.numpy as jnp
import jraph
import numpy as np
import pytest

from symjax.laws import check
from symjax.layers.graph import EGNNLayer, egnn_layer
from symjax.layers.graph.egnn import MAX_MOVE, _normalise
from tests.cases import load
from tests.cases.inputs import bodies

KEY = jax.random.key(0)


def test_velocities_are_not_points():
    _, graph, params, run = load("EGNNLayer")
    shifted = graph._replace(nodes=graph.nodes._replace(velocities=graph.nodes.velocities + 1.0))
    assert jnp.abs(run(params, shifted).nodes.positions - run(params, graph).nodes.positions).max() > 0.1


def test_padding_changes_no_real_node():
    _, graph, params, run = load("EGNNLayer")
    padded = jraph.pad_with_graphs(graph, n_node=9, n_edge=57, n_graph=2)
    real = jax.tree.map(lambda x: x[:5], run(params, padded).nodes)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-12), real, run(params, graph).nodes)


def constant_messages(graph, *, length):
    """The layer with m_ij = 1, moves `length` times r_ij, no push, and the summed messages as change of features."""
    return egnn_layer(
        lambda h: (h, h),
        lambda received, sent, invariants: jnp.ones_like(invariants[:, :1]),
        lambda messages: length * messages,
        lambda h: jnp.zeros_like(h[:, :1]),
        lambda h, heard: jnp.broadcast_to(heard, h.shape),
        graph,
    )


def test_moves_are_means_and_messages_sums():
    """Node 0 hears from 1 and 2, node 1 hears from 0, node 2 hears nothing."""
    graph = bodies(3, np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 3.0, 0.0]]))
    graph = graph._replace(senders=np.array([1, 2, 0]), receivers=np.array([0, 0, 1]), edges=None)
    out = jax.jit(functools.partial(constant_messages, length=1.0))(graph)
    np.testing.assert_allclose(out.nodes.positions, [[-0.5, -1.5, 0.0], [2.0, 0.0, 0.0], [0.0, 3.0, 0.0]])
    np.testing.assert_allclose((out.nodes.features - graph.nodes.features)[:, 0], [2.0, 1.0, 0.0])


@pytest.mark.parametrize("length", [0.5, 1e3])
def test_long_moves_are_shortened_lawfully(length):
    graph = bodies(2)
    layer = jax.jit(functools.partial(constant_messages, length=length))
    check(layer, graph, key=KEY, laws=EGNNLayer(width=6).laws(graph)).raise_if_broken()
    before, after = graph.nodes.positions, layer(graph).nodes.positions
    distance, moved = jnp.linalg.norm(before[0] - before[1]), jnp.linalg.norm(after[0] - before[0])
    np.testing.assert_allclose(moved, jnp.minimum(length * distance, MAX_MOVE), rtol=1e-12)


def test_float32_stays_float32():
    layer, graph, _, _ = load("EGNNLayer")
    graph = jax.tree.map(lambda x: x.astype(jnp.float32) if jnp.issubdtype(x.dtype, jnp.floating) else x, graph)
    shapes = jax.eval_shape(lambda graph: layer.apply(layer.init(KEY, graph), graph), graph)
    assert {leaf.dtype for leaf in jax.tree.leaves(shapes.nodes)} == {jnp.dtype("float32")}


def perceptron(params, x):
    hidden = silu(x @ params["hidden"]["kernel"] + params["hidden"]["bias"])
    return hidden @ params["output"]["kernel"] + params["output"].get("bias", 0)


def silu(x):
    return x / (1 + np.exp(-x))


def told(params, h, squared, i, j):
    """The message of an edge with attention, in numpy."""
    inner = np.concatenate([h[i], h[j], squared]) @ params["message_kernel"] + params["message_bias"][0]
    message = silu(silu(inner) @ params["message"]["kernel"] + params["message"]["bias"])
    return message / (1 + np.exp(-(message @ params["attention"]["kernel"] + params["attention"]["bias"])))


@pytest.mark.parametrize("norm_diff", ["soft", "unit"])
def test_options_are_what_they_say(norm_diff):
    """Attention, normalised differences, tanh and attributes of nodes, edge by edge."""
    layer, graph = EGNNLayer(4, attention=True, norm_diff=norm_diff, tanh=True), bodies(4)._replace(edges=None)
    normal = np.random.default_rng(1).standard_normal
    attributes = jnp.asarray(normal((4, 3)))
    params = jax.tree.map(lambda leaf: normal(leaf.shape), jax.eval_shape(layer.init, KEY, graph, attributes)["params"])
    out = jax.jit(layer.apply)({"params": params}, graph, attributes).nodes
    h, x, v = (np.asarray(part) for part in graph.nodes)
    heard, moves = np.zeros((4, 4)), np.zeros((4, 3))
    for i, j in zip(graph.receivers, graph.senders, strict=True):
        apart = x[i] - x[j]
        message = told(params, h, [apart @ apart], i, j)
        length = np.linalg.norm(apart)
        divisor = length + 1 if norm_diff == "soft" else length + 1e-8
        heard[i] += message
        moves[i] += apart / divisor * np.tanh(perceptron(params["move"], message)) / 3
    np.testing.assert_allclose(out.positions, x + moves + perceptron(params["push"], h) * v, atol=1e-12)
    updated = perceptron(params["update"], np.concatenate([h, heard, attributes], axis=1))
    np.testing.assert_allclose(out.features, h + updated, atol=1e-12)


def test_unit_lengths_are_constants_of_derivatives():
    """The slope of r / (|r| + 1e-8) along r is 1 / |r|, not zero."""
    apart = jnp.array([[3.0, 0.0, 4.0]])
    _, slope = jax.jvp(lambda r: _normalise(r, "unit"), (apart,), (apart,))
    np.testing.assert_allclose(slope, apart / 5, rtol=1e-8)


def test_another_norm_diff_is_refused():
    with pytest.raises(ValueError, match="expected norm_diff of None, 'soft' or 'unit', got 'hard'"):
        EGNNLayer(4, norm_diff="hard")
