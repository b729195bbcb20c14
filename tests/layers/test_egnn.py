import functools

import jax
import jax.numpy as jnp
import jraph
import numpy as np
import pytest

from symjax.graphs import PointNodes
from symjax.laws import check, random_params
from symjax.layers import EGNNLayer, egnn_layer
from symjax.layers.egnn import MAX_MOVE

LAYER = EGNNLayer(width=6)
KEY = jax.random.key(0)

CORNERS = np.array([(1.0, 0.0, 0.0), (-0.5, 0.8, 0.0), (-0.5, -0.8, 0.0), (0.3, 0.2, 0.9)])
STRUCTURES = {
    "generic": np.random.default_rng(3).normal(size=(5, 3)),
    "collinear": np.outer([-2.0, -1.0, 0.0, 1.0, 3.5], [1.0, 2.0, -1.0]),
    "planar": np.array([(0.0, 0.0, 0.0), *CORNERS[:3], (2.0, 0.0, 0.0)]),
    "inversion-symmetric": np.concatenate([CORNERS, -CORNERS]),
    "coincident": np.zeros((3, 3)),
    "single": np.ones((1, 3)),
}


def as_graph(positions, *, edges=True):
    n = len(positions)
    rng = np.random.default_rng(0)
    receivers, senders = np.nonzero(~np.eye(n, dtype=bool) if edges else np.zeros((n, n), bool))
    nodes = PointNodes(rng.normal(size=(n, 4)), positions, rng.normal(size=(n, 3)))
    sizes = np.array([n]), np.array([len(senders)])
    graph = jraph.GraphsTuple(nodes, rng.normal(size=(len(senders), 2)), receivers, senders, None, *sizes)
    return jax.tree.map(jnp.asarray, graph)


def padded(graph):
    """The graph with zero nodes and zero-length edges up to one size for all, so that everything compiles once."""
    return jraph.pad_with_graphs(graph, n_node=9, n_edge=57, n_graph=2)


GENERIC = as_graph(STRUCTURES["generic"])


@pytest.fixture(scope="module")
def params():
    return random_params(LAYER, GENERIC, key=KEY)


run = jax.jit(LAYER.apply)


@jax.jit
def gradient(params, graph):
    def size(params, nodes, edges):
        out = LAYER.apply(params, graph._replace(nodes=nodes, edges=edges)).nodes
        return jnp.sum(jnp.sin(out.features)) + jnp.sum(jnp.sin(out.positions))

    return jax.grad(size, argnums=(0, 1, 2))(params, graph.nodes, graph.edges)


@pytest.mark.parametrize("edges", [True, False])
@pytest.mark.parametrize("name", STRUCTURES)
def test_laws_and_gradients_on_symmetric_structures(params, name, edges):
    graph = padded(as_graph(STRUCTURES[name], edges=edges))
    check(lambda graph: run(params, graph), graph, key=KEY, laws=LAYER.laws(graph)).raise_if_broken()
    assert all(jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient(params, graph)))


def test_a_single_particle_without_edges(params):
    graph = as_graph(STRUCTURES["single"])
    assert graph.edges.shape == (0, 2)
    check(LAYER, graph, key=KEY, params=params).raise_if_broken()
    assert all(jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient(params, graph)))


def test_without_edge_features():
    check(LAYER, GENERIC._replace(edges=None), key=KEY).raise_if_broken()


def test_velocities_are_not_points(params):
    shifted = GENERIC._replace(nodes=GENERIC.nodes._replace(velocities=GENERIC.nodes.velocities + 1.0))
    assert jnp.abs(run(params, shifted).nodes.positions - run(params, GENERIC).nodes.positions).max() > 0.1


def test_padding_changes_no_real_node(params):
    real = jax.tree.map(lambda x: x[:5], run(params, padded(GENERIC)).nodes)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-12), real, run(params, GENERIC).nodes)


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
    positions = jnp.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 3.0, 0.0]])
    graph = as_graph(positions)._replace(senders=jnp.array([1, 2, 0]), receivers=jnp.array([0, 0, 1]), edges=None)
    out = constant_messages(graph, length=1.0)
    np.testing.assert_allclose(out.nodes.positions, [[-0.5, -1.5, 0.0], [2.0, 0.0, 0.0], [0.0, 3.0, 0.0]])
    np.testing.assert_allclose((out.nodes.features - graph.nodes.features)[:, 0], [2.0, 1.0, 0.0])


@pytest.mark.parametrize("length", [0.5, 1e3])
def test_long_moves_are_shortened_lawfully(length):
    graph = as_graph(STRUCTURES["generic"][:2])
    layer = jax.jit(functools.partial(constant_messages, length=length))
    check(layer, graph, key=KEY, laws=LAYER.laws(graph)).raise_if_broken()
    before, after = graph.nodes.positions, layer(graph).nodes.positions
    distance, moved = jnp.linalg.norm(before[0] - before[1]), jnp.linalg.norm(after[0] - before[0])
    np.testing.assert_allclose(moved, jnp.minimum(length * distance, MAX_MOVE), rtol=1e-12)


def test_float32_stays_float32():
    graph = jax.tree.map(lambda x: x.astype(jnp.float32) if jnp.issubdtype(x.dtype, jnp.floating) else x, GENERIC)
    shapes = jax.eval_shape(lambda graph: LAYER.apply(LAYER.init(KEY, graph), graph), graph)
    assert {leaf.dtype for leaf in jax.tree.leaves(shapes.nodes)} == {jnp.dtype("float32")}
