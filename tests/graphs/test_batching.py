"""Budgets waste little, plans deal every graph once, padding is invisible and can be taken off again."""

import jax
import jax.numpy as jnp
import jraph
import numpy as np
import pytest

from symjax.graphs import (
    AtomEdges,
    AtomGlobals,
    AtomNodes,
    Budget,
    batch_graphs,
    bucket,
    edge_mask,
    edge_vectors,
    epoch_plan,
    graph_index,
    graph_mask,
    mean_budget,
    node_mask,
    split_nodes,
    unpad,
)


def random_graph(nodes, edges, seed=0):
    rng = np.random.default_rng(seed)
    return jraph.GraphsTuple(
        nodes=AtomNodes(rng.normal(size=(nodes, 3)), rng.integers(0, 3, nodes).astype(np.int32)),
        edges=AtomEdges(rng.normal(size=(edges, 3))),
        senders=rng.integers(0, nodes, edges).astype(np.int32),
        receivers=np.sort(rng.integers(0, nodes, edges)).astype(np.int32),
        globals=AtomGlobals(rng.normal(size=(1, 3, 3)), rng.normal(size=1), np.ones(1)),
        n_node=np.array([nodes], np.int32),
        n_edge=np.array([edges], np.int32),
    )


GRAPHS = [random_graph(n, e, seed) for seed, (n, e) in enumerate([(3, 4), (1, 0), (5, 9)])]
SHAPE = Budget(12, 20, 6)


def sizes(kind, count=2000):
    """Node and edge counts of data sets as different as one molecule, small molecules, and anything up to 300 atoms."""
    rng = np.random.default_rng(1)
    if kind == "one molecule":
        return np.full(count, 27), 446 + rng.normal(0, 12, count).astype(int)
    if kind == "small molecules":
        nodes = rng.normal(18, 3, count).round().clip(3, 29).astype(int)
        return nodes, (nodes * (nodes - 1) * 0.8).astype(int)
    if kind == "two molecules":
        nodes = np.where(rng.random(count) < 0.5, 9, 96)
        return nodes, np.where(nodes == 9, 72, 5760)
    nodes = rng.integers(5, 301, count)
    return nodes, (nodes * np.minimum(nodes - 1, rng.normal(45, 5, count))).astype(int)


@pytest.mark.parametrize("kind", ["one molecule", "small molecules", "two molecules", "mixed"])
@pytest.mark.parametrize("batch_size", [8, 32])
def test_padding_wastes_less_than_eight_per_cent(kind, batch_size):
    nodes, edges = sizes(kind)
    budget = mean_budget(nodes, edges, batch_size)
    assert budget.nodes > nodes.max()
    assert budget.edges >= edges.max()
    steps = len(epoch_plan(nodes, edges, budget, seed=3))
    assert nodes.sum() > 0.92 * steps * budget.nodes
    assert edges.sum() > 0.92 * steps * budget.edges
    assert steps == pytest.approx(len(nodes) / batch_size, rel=0.25)


def test_equal_graphs_fill_every_batch_exactly():
    budget = mean_budget(np.full(100, 9), np.full(100, 72), 5)
    assert budget == Budget(46, 360, 6)
    assert [len(step[0]) for step in epoch_plan(np.full(100, 9), np.full(100, 72), budget)] == [5] * 20


def test_a_budget_holds_the_largest_graph():
    assert mean_budget([1] * 99 + [50], [0] * 99 + [600], 2)[:2] >= (51, 600)
    assert mean_budget([4], [0], 1) == Budget(5, 1, 2)


@pytest.mark.parametrize("shards", [1, 3])
def test_a_plan_deals_every_graph_once_within_the_budget(shards):
    nodes, edges = sizes("mixed", 300)
    budget = mean_budget(nodes, edges, 8)
    plan = epoch_plan(nodes, edges, budget, shards=shards, seed=5, epoch=2)
    micro = [graphs for step in plan for graphs in step]
    assert sorted(np.concatenate(micro).tolist()) == list(range(300))
    assert all(len(step) == shards for step in plan)
    for graphs in micro:
        assert nodes[graphs].sum() < budget.nodes
        assert edges[graphs].sum() <= budget.edges
        assert len(graphs) < budget.graphs


def test_a_plan_is_a_pure_function_that_does_not_depend_on_the_number_of_shards():
    nodes, edges = sizes("mixed", 100)
    budget = mean_budget(nodes, edges, 8)

    def dealt(**options):
        plan = epoch_plan(nodes, edges, budget, **options)
        return [graphs.tolist() for step in plan for graphs in step if len(graphs)]

    assert dealt(seed=1, epoch=4) == dealt(seed=1, epoch=4) == dealt(seed=1, epoch=4, shards=5)
    assert len({str(dealt(seed=s, epoch=e)) for s, e in [(1, 4), (1, 5), (2, 4)]}) == 3
    assert dealt(shuffle=False)[0][0] == 0


def test_the_last_step_is_completed_with_empty_micro_batches():
    plan = epoch_plan([3] * 5, [2] * 5, Budget(7, 4, 3), shards=4)
    assert [[len(graphs) for graphs in step] for step in plan] == [[2, 2, 1, 0]]


@pytest.mark.parametrize(("nodes", "edges"), [(7, 1), (6, 9)])
def test_an_oversize_graph_is_named(nodes, edges):
    with pytest.raises(ValueError, match=f"graph 1 has {nodes} nodes and {edges} edges, .* 6 nodes and 8 edges"):
        epoch_plan([6, nodes, nodes], [8, edges, edges], Budget(7, 8, 3))


def test_buckets_are_few_and_tight():
    rungs = sorted({bucket(size) for size in range(1, 3000)})
    assert len(rungs) < 27
    assert all(size <= bucket(size) <= max(16, 1.25 * size) for size in range(1, 3000))


def test_batches_agree_with_jraph():
    ours = batch_graphs(GRAPHS, SHAPE)
    theirs = jraph.pad_with_graphs(jraph.batch_np(GRAPHS), *SHAPE)
    padding_shifts = ours.edges.shifts[13:]
    np.testing.assert_array_equal(padding_shifts, np.tile([1e3, 0, 0], (7, 1)))
    ours.edges.shifts[13:] = 0
    jax.tree.map(np.testing.assert_array_equal, ours, theirs)
    assert ours.senders.dtype == ours.receivers.dtype == ours.n_node.dtype == np.int32
    assert (np.diff(ours.receivers) >= 0).all()


def test_masks_and_owners():
    batch = jax.tree.map(jnp.asarray, batch_graphs(GRAPHS, SHAPE))
    graphs, nodes, edges, owners = jax.jit(lambda g: (graph_mask(g), node_mask(g), edge_mask(g), graph_index(g)))(batch)
    assert graphs.tolist() == [True] * 3 + [False] * 3
    assert nodes.tolist() == [True] * 9 + [False] * 3
    assert edges.tolist() == [True] * 13 + [False] * 7
    assert owners.tolist() == [0, 0, 0, 1, 2, 2, 2, 2, 2, 3, 3, 3]


def test_padding_edges_are_long():
    assert np.linalg.norm(edge_vectors(batch_graphs(GRAPHS, SHAPE))[13:], axis=1).min() >= 1e3


def test_padding_comes_off():
    batch = jax.tree.map(jnp.asarray, batch_graphs(GRAPHS, SHAPE))
    jax.tree.map(np.testing.assert_array_equal, unpad(batch), jraph.batch_np(GRAPHS))
    parts = split_nodes(batch.nodes.positions, unpad(batch).n_node)
    for part, graph in zip(parts, GRAPHS, strict=True):
        np.testing.assert_array_equal(part, graph.nodes.positions)


def test_only_floats_are_cast():
    batch = batch_graphs(GRAPHS, SHAPE, dtype=np.float32)
    assert batch.nodes.positions.dtype == batch.edges.shifts.dtype == batch.globals.cell.dtype == np.float32
    assert batch.nodes.species.dtype == np.int32


def test_an_empty_batch_is_all_padding():
    batch = batch_graphs([], SHAPE, like=GRAPHS[0])
    assert [leaf.shape for leaf in jax.tree.leaves(batch)] == [
        leaf.shape for leaf in jax.tree.leaves(batch_graphs(GRAPHS, SHAPE))
    ]
    assert not any(mask(batch).any() for mask in (graph_mask, node_mask, edge_mask))


def test_graphs_of_any_fields_are_batched():
    plain = [graph._replace(nodes={"h": graph.nodes.positions}, edges=None, globals=None) for graph in GRAPHS]
    batch = batch_graphs(plain, SHAPE)
    assert batch.nodes["h"].shape == (12, 3)
    assert batch.edges is None


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"3 graphs with 9 nodes and 13 edges do not fit Budget\(nodes=9"):
        batch_graphs(GRAPHS, Budget(9, 20, 6))
    with pytest.raises(ValueError, match="at least one graph or `like`"):
        batch_graphs([], SHAPE)
    with pytest.raises(ValueError, match="positive batch size"):
        mean_budget([], [], 4)
