"""Many graphs in one static shape: budgets, the plan of an epoch, padding and masks.

A batch is padded with one graph that takes all spare nodes and edges, then with empty graphs. The plan is a pure
function of the graph sizes, so every host of a pod computes the same one and an iterator's state is (epoch, step).
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jraph
import numpy as np
from jax.typing import DTypeLike
from jaxtyping import Array, Bool, Int, PyTree, Shaped

LOOKAHEAD = 32


class Budget(NamedTuple):
    """The static shape of a batch, padding included: at least one node and one graph are padding."""

    nodes: int
    edges: int
    graphs: int


def mean_budget(n_node: Sequence[int] | np.ndarray, n_edge: Sequence[int] | np.ndarray, batch_size: int) -> Budget:
    """Return the budget that holds about `batch_size` graphs with the least padding.

    The candidates are batch_size * mean + z * sqrt(batch_size) * std nodes and edges, never less than the largest
    graph; z is the one whose plan of (up to 2048 of) the graphs wastes the smallest share of nodes or edges.
    """
    if batch_size < 1 or len(n_node) == 0:
        raise ValueError(f"expected a positive batch size and some graphs, got {batch_size} and {len(n_node)} graphs")
    n_node, n_edge = np.asarray(n_node), np.asarray(n_edge)
    sample = np.random.default_rng(0).permutation(len(n_node))[:2048]

    def candidate(z: float) -> Budget:
        nodes, edges = (
            max(int(np.ceil(batch_size * size.mean() + z * batch_size**0.5 * size.std())), int(size.max()), 1)
            for size in (n_node, n_edge)
        )
        return Budget(nodes + 1, edges, min(2 * batch_size, nodes // max(int(n_node.min()), 1)) + 1)

    def waste(budget: Budget) -> float:
        steps = len(epoch_plan(n_node[sample], n_edge[sample], budget, shuffle=False))
        return 1 - min(n_node[sample].sum() / budget.nodes, n_edge[sample].sum() / budget.edges) / steps

    return min((candidate(z) for z in (0.0, 0.5, 1.0, 2.0)), key=waste)


def epoch_plan(
    n_node: Sequence[int] | np.ndarray,
    n_edge: Sequence[int] | np.ndarray,
    budget: Budget,
    *,
    shards: int = 1,
    seed: int = 0,
    epoch: int = 0,
    shuffle: bool = True,
) -> list[list[Int[np.ndarray, " _"]]]:
    """Deal every graph exactly once into micro-batches that fit the budget, `shards` micro-batches a step.

    Graphs are taken in a random order that depends on (seed, epoch) only; one that does not fit waits for the next
    micro-batch while up to 32 later ones may go first. The last step is completed with empty micro-batches.

    Returns:
        For each step and each shard, the indices of its graphs.

    Raises:
        ValueError: a graph is larger than the budget.
    """
    nodes, edges = np.asarray(n_node), np.asarray(n_edge)
    oversize = np.flatnonzero((nodes >= budget.nodes) | (edges > budget.edges))
    if len(oversize):
        first = int(oversize[0])
        raise ValueError(
            f"graph {first} has {nodes[first]} nodes and {edges[first]} edges, but a batch holds at most "
            f"{budget.nodes - 1} nodes and {budget.edges} edges ({len(oversize)} such graphs); use a larger budget"
        )
    order = np.random.default_rng([seed, epoch]).permutation(len(nodes)) if shuffle else np.arange(len(nodes))
    micro = _fill(order.tolist(), nodes.tolist(), edges.tolist(), budget)
    micro += [np.empty(0, int)] * (-len(micro) % shards)
    return [micro[start : start + shards] for start in range(0, len(micro), shards)]


def _fill(order: list[int], n_node: list[int], n_edge: list[int], budget: Budget) -> list[np.ndarray]:
    """Fill micro-batches greedily from a queue, looking a bounded distance past graphs that do not fit."""
    micro, waiting, queue = [], [], iter(order)
    while True:
        taken, skipped, nodes, edges = [], [], budget.nodes - 1, budget.edges
        ahead = chain(waiting, queue)
        while len(taken) < budget.graphs - 1 and len(skipped) < LOOKAHEAD and (graph := next(ahead, None)) is not None:
            if n_node[graph] <= nodes and n_edge[graph] <= edges:
                taken.append(graph)
                nodes, edges = nodes - n_node[graph], edges - n_edge[graph]
            else:
                skipped.append(graph)
        if not taken:
            return micro
        micro.append(np.array(taken))
        waiting = skipped + waiting[len(taken) + len(skipped) :]


def bucket(size: int) -> int:
    """Return the smallest of 16, 20, 25, 31, 38, ... (each a quarter more than the last) that is at least `size`."""
    rung = 16
    while rung < size:
        rung += rung // 4
    return rung


def batch_graphs(
    graphs: Sequence[jraph.GraphsTuple],
    budget: Budget,
    *,
    dtype: DTypeLike | None = None,
    like: jraph.GraphsTuple | None = None,
) -> jraph.GraphsTuple:
    """Join graphs into one of the budget's shape, in numpy on the host.

    Spare nodes, edges and globals are zeros, unless the edge fields have a method `padding(count)` that makes better
    ones; padding edges join the first padding node to itself.

    Args:
        graphs: real graphs with the same fields, features as arrays; none is allowed if `like` is given.
        budget: the shape of the result.
        dtype: what floating point fields are cast to, after everything else; None keeps them.
        like: a graph that has the fields of an empty batch.

    Raises:
        ValueError: the graphs do not fit the budget, or there are none and nothing says which fields they have.
    """
    nodes, edges = (sum(int(graph_sizes.sum()) for graph_sizes in sizes) for sizes in _sizes(graphs))
    count = sum(len(graph.n_node) for graph in graphs)
    if nodes >= budget.nodes or edges > budget.edges or count >= budget.graphs:
        raise ValueError(
            f"{count} graphs with {nodes} nodes and {edges} edges do not fit {budget}, where one node "
            "and one graph are padding; use a larger budget"
        )
    like = graphs[0] if like is None and len(graphs) else like
    if like is None:
        raise ValueError("expected at least one graph or `like`, which says what fields an empty batch has")
    padding = _padding_graph(like, Budget(budget.nodes - nodes, budget.edges - edges, budget.graphs - count))
    return _join([*graphs, padding], dtype)


def _sizes(graphs: Sequence[jraph.GraphsTuple]) -> tuple[list[Any], list[Any]]:
    return [graph.n_node for graph in graphs], [graph.n_edge for graph in graphs]


def _padding_graph(like: jraph.GraphsTuple, spare: Budget) -> jraph.GraphsTuple:
    def zeros(field: PyTree, count: int) -> PyTree:
        return jax.tree.map(lambda leaf: np.zeros((count, *leaf.shape[1:]), leaf.dtype), field)

    return jraph.GraphsTuple(
        nodes=zeros(like.nodes, spare.nodes),
        edges=like.edges.padding(spare.edges) if hasattr(like.edges, "padding") else zeros(like.edges, spare.edges),
        senders=np.zeros(spare.edges, np.int32),
        receivers=np.zeros(spare.edges, np.int32),
        globals=zeros(like.globals, spare.graphs),
        n_node=np.array([spare.nodes] + [0] * (spare.graphs - 1), np.int32),
        n_edge=np.array([spare.edges] + [0] * (spare.graphs - 1), np.int32),
    )


def _join(graphs: list[jraph.GraphsTuple], dtype: DTypeLike | None) -> jraph.GraphsTuple:
    def concatenate(*leaves: Any) -> np.ndarray:
        floating = dtype is not None and np.issubdtype(leaves[0].dtype, np.floating)
        return np.concatenate(leaves, dtype=dtype if floating else leaves[0].dtype, casting="same_kind")

    offsets = np.cumsum([0, *(int(graph.n_node.sum()) for graph in graphs[:-1])])
    starts = np.repeat(offsets, [len(graph.senders) for graph in graphs]).astype(np.int32)
    joined = jax.tree.map(concatenate, *graphs)
    return joined._replace(senders=joined.senders + starts, receivers=joined.receivers + starts)


def unpad(graph: jraph.GraphsTuple) -> jraph.GraphsTuple:
    """Return the real part of a padded graph, in numpy on the host."""
    host = jax.tree.map(np.asarray, graph)
    graphs, nodes, edges = (int(np.sum(mask(host))) for mask in (graph_mask, node_mask, edge_mask))
    return jraph.GraphsTuple(
        nodes=jax.tree.map(lambda leaf: leaf[:nodes], host.nodes),
        edges=jax.tree.map(lambda leaf: leaf[:edges], host.edges),
        senders=host.senders[:edges],
        receivers=host.receivers[:edges],
        globals=jax.tree.map(lambda leaf: leaf[:graphs], host.globals),
        n_node=host.n_node[:graphs],
        n_edge=host.n_edge[:graphs],
    )


def split_nodes(
    values: Shaped[Array | np.ndarray, "n ..."], n_node: Int[Array | np.ndarray, " g"]
) -> list[Shaped[np.ndarray, "..."]]:
    """Cut an array over nodes into one array a graph, on the host; rows past the last graph are dropped."""
    ends = np.cumsum(np.asarray(n_node))
    return np.split(np.asarray(values)[: ends[-1]], ends[:-1]) if len(ends) else []


def graph_index(graph: jraph.GraphsTuple) -> Int[Array, " n"]:
    """Return for each node the index of its graph."""
    total = jax.tree.leaves(graph.nodes)[0].shape[0]
    graphs = jnp.arange(len(graph.n_node), dtype=jnp.int32)
    return jnp.repeat(graphs, jnp.asarray(graph.n_node), total_repeat_length=total)


def graph_mask(graph: jraph.GraphsTuple) -> Bool[Array, " g"]:
    """Return which graphs of a padded batch are real: those after which there are still nodes, the padding's."""
    ends = jnp.cumsum(jnp.asarray(graph.n_node))
    return ends < ends[-1]


def node_mask(graph: jraph.GraphsTuple) -> Bool[Array, " n"]:
    """Return which nodes of a padded batch are real."""
    return graph_mask(graph)[graph_index(graph)]


def edge_mask(graph: jraph.GraphsTuple) -> Bool[Array, " e"]:
    """Return which edges of a padded batch are real."""
    return node_mask(graph)[jnp.asarray(graph.receivers)]
