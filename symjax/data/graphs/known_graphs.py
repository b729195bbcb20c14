"""Graphs that theorems are about: pairs and families that colour refinement cannot tell apart, and a small club."""

from collections.abc import Sequence

import jraph
import networkx as nx
import numpy as np
from jaxtyping import Float

from symjax.data.graphs.graphs import GraphData, label_graphs, make_graphs

SKIPS = 2, 3, 4, 5, 6, 9, 11, 12, 13, 16  # of the ten classes with 41 nodes (Murphy et al. 2019, arXiv:1903.02541)


def from_networkx(graphs: Sequence[nx.Graph]) -> jraph.GraphsTuple:
    """Return undirected graphs as one batch, with the constant feature 1.0 at every node."""
    sizes = [graph.number_of_nodes() for graph in graphs]
    starts = np.cumsum([0, *sizes[:-1]])
    parts = [np.empty((0, 2), int)]
    for start, graph in zip(starts, graphs, strict=True):
        ends = np.array(nx.convert_node_labels_to_integers(graph).edges, int).reshape(-1, 2) + start
        parts += [ends, ends[ends[:, 0] != ends[:, 1], ::-1]]
    senders, receivers = np.concatenate(parts).T
    return make_graphs(senders, receivers, np.ones((sum(sizes), 1)), n_node=sizes)


def circulant(skip: int, nodes: int = 41) -> nx.Graph:
    """Return a circle of nodes with a second one that skips so many: 4-regular."""
    return nx.circulant_graph(nodes, [1, skip])


def hexagon() -> nx.Graph:
    """Return a circle of six nodes."""
    return nx.cycle_graph(6)


def two_triangles() -> nx.Graph:
    """Return two circles of three nodes."""
    return nx.disjoint_union(nx.cycle_graph(3), nx.cycle_graph(3))


def rook() -> nx.Graph:
    """Return the moves of a rook on a board of 4 x 4, strongly regular with parameters (16, 6, 2, 2)."""
    return nx.line_graph(nx.complete_bipartite_graph(4, 4))


def shrikhande() -> nx.Graph:
    """Return the other graph with the parameters (16, 6, 2, 2): Z4 x Z4, joined where they differ by 01, 10 or 11."""
    graph = nx.Graph()
    for a, b in np.ndindex(4, 4):
        graph.add_edges_from(((a, b), ((a + i) % 4, (b + j) % 4)) for i, j in ((0, 1), (1, 0), (1, 1)))
    return graph


def karate_club(train: int = 4, seed: int = 0) -> GraphData:
    """Return Zachary's club of 34 members (1977), one-hot features, labelled by the side they took when it split.

    Args:
        train: labels to learn from, half of each side; as many to choose by; all others to test.
        seed: of which.
    """
    club = nx.karate_club_graph()
    labels = np.array([int(club.nodes[i]["club"] == "Officer") for i in club])
    order = np.random.default_rng(seed).permutation(len(labels))
    sides = [order[labels[order] == side] for side in (0, 1)]
    half = train // 2
    first, second = (np.concatenate([side[k * half : (k + 1) * half] for side in sides]) for k in (0, 1))
    rest = np.concatenate([side[2 * half :] for side in sides])
    graph = from_networkx([club])._replace(nodes=np.eye(len(labels)))
    return label_graphs(graph, labels, train=first, valid=second, test=rest)


def walk_features(graph: nx.Graph, steps: int) -> Float[np.ndarray, "n s"]:
    """Return the probabilities that a random walk is back after 1, 2, ... steps, for every node."""
    adjacency = nx.to_numpy_array(graph)
    walk = adjacency / np.maximum(adjacency.sum(axis=1, keepdims=True), 1)
    powers = [np.eye(len(walk))]
    for _ in range(steps):
        powers.append(powers[-1] @ walk)
    return np.stack([np.diagonal(power) for power in powers[1:]], axis=1)


def laplacian_features(graph: nx.Graph, levels: int) -> Float[np.ndarray, "n k"]:
    """Return for every node the squared lengths of its projections on the lowest eigenspaces of I - D^-1/2 A D^-1/2.

    A projection, unlike an eigenvector, has neither a sign nor a basis to choose; next to each stands its eigenvalue.
    """
    values, vectors = np.linalg.eigh(nx.normalized_laplacian_matrix(graph).toarray())
    level = np.cumsum(np.diff(values, prepend=values[0]) > 1e-8)
    found = np.zeros((len(values), 2 * levels))
    for k in range(min(levels, level[-1] + 1)):
        found[:, 2 * k] = values[level == k].mean()
        found[:, 2 * k + 1] = (vectors[:, level == k] ** 2).sum(axis=1)
    return found
