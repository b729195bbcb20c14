"""Graphs of static shape: neighbours, atoms, moving points, batches."""

from symjax.graphs.atoms import (
    ATOMS,
    AtomEdges,
    AtomGlobals,
    AtomNodes,
    ChargeAndSpin,
    atoms_graph,
    charge_and_spin,
    edge_vectors,
    require_apart,
    strain_graph,
)
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
from symjax.graphs.points import POINTS, PointNodes
from symjax.graphs.reverse import reverse_edges

__all__ = [
    "ATOMS",
    "POINTS",
    "AtomEdges",
    "AtomGlobals",
    "AtomNodes",
    "Budget",
    "ChargeAndSpin",
    "PointNodes",
    "atoms_graph",
    "batch_graphs",
    "bucket",
    "charge_and_spin",
    "edge_mask",
    "edge_vectors",
    "epoch_plan",
    "graph_index",
    "graph_mask",
    "mean_budget",
    "neighbour_list",
    "node_mask",
    "require_apart",
    "reverse_edges",
    "split_nodes",
    "strain_graph",
    "unpad",
]
