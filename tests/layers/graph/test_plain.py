"""What every plain layer does where it is hard: masks, padding, lonely nodes, huge numbers, halves, errors."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jraph
import numpy as np
import pytest
from jax.experimental.sparse import BCOO

from symjax.layers.graph import (
    GATLayer,
    GATv2Layer,
    GCNLayer,
    GINELayer,
    GINLayer,
    MPNNLayer,
    SAGELayer,
    gcn_layer,
)
from tests.cases.inputs import plain

NODES, EDGES = 8, 9  # of `plain`
LAYERS = {  # and how many features their edges have, 0 for weights
    "gcn": (GCNLayer(3), 0),
    "sage": (SAGELayer(3), None),
    "sage of the largest": (SAGELayer(3, "max", normalize=True), None),
    "gat": (GATLayer(2, heads=2, edge_features=True), 2),
    "gatv2 without loops": (GATv2Layer(2, heads=2, self_loops=False), None),
    "gin": (GINLayer(3), None),
    "gine": (GINELayer(3), 2),
    "mpnn": (MPNNLayer(3, hidden=4, aggregation="mean"), 2),
}


def graph_for(edges: int | None) -> jraph.GraphsTuple:
    """`plain` with weights of edges where these are 0 in number, features, or nothing."""
    graph = plain(edges or None)
    weights = np.linspace(0.5, 1.5, len(graph.senders)) if edges == 0 else graph.edges
    return jax.tree.map(jnp.asarray, graph._replace(edges=weights))


def padded(graph: jraph.GraphsTuple, nodes: int, edges: int, fill: float) -> tuple[jraph.GraphsTuple, jax.Array]:
    """The graph with rows that hold `fill`, edges from one of them to all nodes, and the mask of edges."""
    n, e = len(graph.nodes), len(graph.senders)

    def longer(rows, count):
        return jnp.concatenate([rows, jnp.full((count, *rows.shape[1:]), fill, rows.dtype)])

    return graph._replace(
        nodes=longer(graph.nodes, nodes),
        edges=None if graph.edges is None else longer(graph.edges, edges),
        senders=jnp.concatenate([graph.senders, jnp.full(edges, n)]),
        receivers=jnp.concatenate([graph.receivers, jnp.arange(edges) % (n + nodes)]),
    ), jnp.arange(e + edges) < e


def with_dtype(dtype, tree):
    return jax.tree.map(lambda leaf: leaf.astype(dtype) if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf, tree)


def random_like(shapes):
    normal = np.random.default_rng(3).standard_normal
    return jax.tree.map(lambda leaf: jnp.asarray(normal(leaf.shape)), shapes)


class Ready(NamedTuple):
    """A layer's parameters, a padded graph, its mask, and what comes out with the gradients of it."""

    params: Any
    graph: jraph.GraphsTuple
    mask: jax.Array
    run: Callable
    y: jax.Array
    gradients: Any


@functools.cache
def ready(name: str) -> Ready:
    layer, edges = LAYERS[name]
    graph, mask = padded(graph_for(edges), 2, 12, 0.0)
    params = random_like(jax.eval_shape(layer.init, jax.random.key(0), graph))

    @jax.jit
    @functools.partial(jax.value_and_grad, argnums=(1, 2), has_aux=True)
    def run(params, nodes, edges, graph, mask):
        y = layer.apply(params, graph._replace(nodes=nodes, edges=edges), mask).nodes
        return jnp.sum(jnp.sin(y[:NODES])), y[:NODES]

    (_, y), gradients = run(params, graph.nodes, graph.edges, graph, mask)
    return Ready(params, graph, mask, run, y, gradients)


@pytest.fixture(params=LAYERS)
def case(request):
    return request.param, ready(request.param)


def outputs(case: Ready, graph: jraph.GraphsTuple, mask: jax.Array):
    (_, y), gradients = case.run(case.params, graph.nodes, graph.edges, graph, mask)
    return y, gradients


def test_what_is_masked_reaches_neither_values_nor_gradients(case):
    name, ready = case
    y, gradients = outputs(ready, *padded(graph_for(LAYERS[name][1]), 2, 12, np.nan))
    np.testing.assert_array_equal(y, ready.y)
    np.testing.assert_array_equal(gradients[0][:NODES], ready.gradients[0][:NODES])
    if gradients[1] is not None:
        np.testing.assert_array_equal(gradients[1], ready.gradients[1])
        assert not gradients[1][EDGES:].any()


def test_edges_come_in_any_order(case):
    _, ready = case
    order = np.random.default_rng(0).permutation(len(ready.mask))
    edges = None if ready.graph.edges is None else ready.graph.edges[order]
    ends = {"senders": ready.graph.senders[order], "receivers": ready.graph.receivers[order]}
    y, gradients = outputs(ready, ready.graph._replace(edges=edges, **ends), ready.mask[order])
    np.testing.assert_allclose(y, ready.y, rtol=0, atol=1e-14)
    np.testing.assert_allclose(gradients[0], ready.gradients[0], rtol=0, atol=1e-14)


def test_a_node_that_hears_nothing_depends_on_itself_alone(case):
    """All edges masked: every node comes out as if it were the only one, and gradients are finite."""
    _, ready = case
    y, gradients = outputs(ready, ready.graph, jnp.zeros_like(ready.mask))
    lonely, _ = outputs(ready, ready.graph._replace(nodes=ready.graph.nodes[::-1]), jnp.zeros_like(ready.mask))
    assert all(jnp.isfinite(leaf).all() for leaf in jax.tree.leaves((y, gradients)))
    np.testing.assert_allclose(lonely[2:], y[::-1][: NODES - 2], rtol=0, atol=1e-15)
    np.testing.assert_array_equal(y[7], ready.y[7])  # it had no edges before


def test_huge_numbers_and_equal_nodes_have_finite_outputs_and_gradients(case):
    _, ready = case
    for nodes in (1e4 * ready.graph.nodes, 0 * ready.graph.nodes):
        y, gradients = outputs(ready, ready.graph._replace(nodes=nodes), ready.mask)
        assert all(jnp.isfinite(leaf).all() for leaf in jax.tree.leaves((y, gradients)))


def test_shapes_and_precisions(case):
    """More padding changes no bit; no edges, no nodes and halves are graphs like others. One program for all."""
    name, ready = case
    layer, edges = LAYERS[name]
    graph = graph_for(edges)
    no_edges = jax.tree.map(lambda x: x[:0], graph._replace(nodes=None, n_node=None, n_edge=None))
    no_edges = no_edges._replace(nodes=graph.nodes)
    order = jnp.argsort(graph.receivers, stable=True)
    in_order = {end: getattr(graph, end)[order] for end in ("senders", "receivers")}
    in_order = graph._replace(edges=None if graph.edges is None else graph.edges[order], **in_order)
    graphs = {
        "more padding": padded(graph, 7, 42, 1.0),
        "no edges": (no_edges, None),
        "no nodes": (no_edges._replace(nodes=graph.nodes[:0]), None),
        "halves": with_dtype(jnp.float16, (graph._replace(nodes=100 * graph.nodes), None)),
        "brain halves": with_dtype(jnp.bfloat16, (graph, None)),
    }

    @jax.jit
    def run(params, graphs):
        y = {"in order": layer.clone(indices_are_sorted=True).apply(params, in_order).nodes}
        return y | {
            key: layer.apply(with_dtype(graph.nodes.dtype, params), graph, mask).nodes
            for key, (graph, mask) in graphs.items()
        }

    y = run(ready.params, graphs)
    np.testing.assert_array_equal(y["more padding"][:NODES], ready.y)
    np.testing.assert_allclose(y["in order"], ready.y, rtol=0, atol=1e-14)
    assert y["no edges"].shape == ready.y.shape
    assert y["no nodes"].shape == (0, ready.y.shape[1])
    assert (y["halves"].dtype, y["brain halves"].dtype) == (jnp.float16, jnp.bfloat16)
    assert all(jnp.isfinite(leaf).all() for leaf in y.values())
    np.testing.assert_allclose(y["brain halves"].astype(float), ready.y, rtol=0, atol=0.05 * jnp.abs(ready.y).max())


def test_loops_given_several_times_count_once_with_their_mean_weight():
    senders, receivers, weights = jnp.array([0, 0, 1, 1]), jnp.array([0, 0, 0, 1]), jnp.array([1.0, 3.0, 5.0, 0.5])
    nodes, sizes = jnp.array([[1.0], [10.0]]), (jnp.array([2]), jnp.array([4]))
    graph = jraph.GraphsTuple(nodes, weights, receivers, senders, None, *sizes)
    y = jax.jit(lambda graph: gcn_layer(lambda x: x, graph).nodes)(graph)
    np.testing.assert_allclose(y[:, 0], [2 / 7 * 1 + 5 / np.sqrt(7 * 0.5) * 10, 10], rtol=1e-14)


def test_bfloat16_counts_past_256():
    count = 1000
    nodes, sizes = jnp.eye(count + 1, 1, dtype=jnp.bfloat16), (jnp.array([count + 1]), jnp.array([count]))
    graph = jraph.GraphsTuple(nodes, None, jnp.zeros(count, int), jnp.arange(count) + 1, None, *sizes)
    y = jax.jit(lambda graph: gcn_layer(lambda x: x, graph).nodes)(graph)
    np.testing.assert_allclose(y[0].astype(float), 1 / (count + 1), rtol=0.02)


def test_attention_is_dropped_by_a_key_alone():
    layer, graph = GATLayer(2, dropout=0.5), graph_for(None)
    params = random_like(jax.eval_shape(layer.init, jax.random.key(0), graph))
    keys = [{"dropout": jax.random.key(k)} for k in (1, 1, 2)]
    drop = jax.jit(lambda params, keys: [layer.apply(params, graph, rngs=rngs).nodes for rngs in (*keys, {})])
    first, again, other, whole = drop(params, keys)
    np.testing.assert_array_equal(first, again)
    assert not any(jnp.array_equal(first, y) for y in (other, whole))


def test_dropped_attention_is_the_whole_one_on_average():
    layer, graph = GATLayer(2, dropout=0.5), graph_for(None)
    params = random_like(jax.eval_shape(layer.init, jax.random.key(0), graph))
    draw = jax.jit(jax.vmap(lambda key: layer.apply(params, graph, rngs={"dropout": key}).nodes))
    drawn, whole = draw(jax.random.split(jax.random.key(3), 2000)), layer.apply(params, graph).nodes
    error = drawn.std(axis=0) / np.sqrt(2000)
    assert (jnp.abs(drawn.mean(axis=0) - whole) <= 4.5 * error + 1e-12).all()


FEATURES, BARE = graph_for(2), graph_for(None)
SHORT = FEATURES._replace(edges=FEATURES.edges[:-1])


@pytest.mark.parametrize(
    ("layer", "graph", "mask", "message"),
    [
        (
            GCNLayer(3),
            FEATURES,
            None,
            r"expected one weight for each edge, of shape \[9\], .* got .*\(9, 2\)",
        ),
        (
            GCNLayer(3),
            BARE._replace(edges=jnp.ones(4)),
            None,
            "expected weights of one row for each of the 9 edges, got 4",
        ),
        (SAGELayer(3), FEATURES, None, r"expected a graph without features of edges, got some of shape \(9, 2\)"),
        (SAGELayer(3, "median"), BARE, None, "expected an aggregation of sum, mean, max, got 'median'"),
        (GINLayer(3), FEATURES, None, "expected a graph without features of edges"),
        (GATLayer(3), FEATURES, None, "edge_features=True"),
        (GATLayer(3, edge_features=True), BARE, None, r"expected features of edges, \[9, d\], got none"),
        (GATv2Layer(3), FEATURES, None, "edge_features=True"),
        (
            GATv2Layer(3, edge_features=True),
            BARE._replace(edges=jnp.ones(9)),
            None,
            r"\[9, d\], got an array of shape \(9,\)",
        ),
        (GINELayer(3), SHORT, None, "expected features of one row for each of the 9 edges, got 8"),
        (MPNNLayer(3), BARE, None, "expected features of edges"),
        (
            MPNNLayer(3, gated=True),
            FEATURES,
            None,
            "expected nodes with the 3 features .*, got 4",
        ),
        (GATLayer(3), BARE._replace(senders=np.arange(9)), None, "expected senders among the nodes 0 to 7, got 8"),
        (GCNLayer(3), BARE._replace(receivers=np.arange(9) - 1), None, "expected receivers among the nodes .*, got -1"),
        (SAGELayer(3), BARE, jnp.ones(5, bool), "expected a mask of one row for each of the 9 edges, got 5"),
    ],
)
def test_graphs_that_do_not_fit_are_refused(layer, graph, mask, message):
    with pytest.raises(ValueError, match=message):
        jax.eval_shape(lambda key: layer.init(key, graph, mask), jax.random.key(0))


def test_features_of_another_length_are_refused(case):
    name, ready = case
    shorter = ready.graph._replace(nodes=ready.graph.nodes[:, 1:])
    with pytest.raises(ValueError, match="expected nodes with 4 features, which the parameters are for, got 3"):
        jax.eval_shape(LAYERS[name][0].apply, ready.params, shorter, ready.mask)
    if LAYERS[name][1]:
        shorter = ready.graph._replace(edges=ready.graph.edges[:, 1:])
        with pytest.raises(ValueError, match="expected edges with 2 features, which the parameters are for, got 1"):
            jax.eval_shape(LAYERS[name][0].apply, ready.params, shorter, ready.mask)


def test_features_may_be_sparse():
    """The first layer of a citation network sees mostly zeros. One program for all layers that begin linearly."""
    layers = [GATLayer(2), GATv2Layer(2), GCNLayer(2), GINLayer(2), SAGELayer(2)]
    nodes = jnp.maximum(BARE.nodes, 0)
    params = [random_like(jax.eval_shape(layer.init, jax.random.key(0), BARE)) for layer in layers]

    @jax.jit
    def run(params, nodes):
        graph = BARE._replace(nodes=nodes)
        return [layer.apply(own, graph).nodes for layer, own in zip(layers, params, strict=True)]

    for dense, sparse in zip(run(params, nodes), run(params, BCOO.fromdense(nodes)), strict=True):
        np.testing.assert_allclose(dense, sparse, rtol=0, atol=1e-14)
