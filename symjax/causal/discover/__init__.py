"""Graphs from data, beside the baselines that any of them must beat."""

from symjax.causal.discover.baselines import sort_and_regress as sort_and_regress, varsortability as varsortability
from symjax.causal.discover.compare import Comparison as Comparison, compare_graphs as compare_graphs
from symjax.causal.discover.continuous import (
    as_graph as as_graph,
    dagma_linear as dagma_linear,
    edge_frequencies as edge_frequencies,
)
