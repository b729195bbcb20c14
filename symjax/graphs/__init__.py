"""Graphs of static shape: neighbours, atoms, batches."""

from symjax.graphs.atoms import AtomEdges, AtomGlobals, AtomNodes, atoms_graph, edge_vectors, strain_graph
from symjax.graphs.batching import (
    Budget,
    batch_graphs,
    bucket,
    edge_mask,
    epoch_plan,
    graph_index,
    graph_mask,
    mean_budget,
    node_mask,
    split_nodes,
    unpad,
)
from symjax.graphs.neighbours import neighbour_list

__all__ = [
    "AtomEdges",
    "AtomGlobals",
    "AtomNodes",
    "Budget",
    "atoms_graph",
    "batch_graphs",
    "bucket",
    "edge_mask",
    "edge_vectors",
    "epoch_plan",
    "graph_index",
    "graph_mask",
    "mean_budget",
    "neighbour_list",
    "node_mask",
    "split_nodes",
    "strain_graph",
    "unpad",
]
