"""Graphs from data, beside the baselines that any of them must beat."""

from symjax.causal.discover.baselines import sort_and_regress as sort_and_regress, varsortability as varsortability
from symjax.causal.discover.compare import (
    Comparison as Comparison,
    compare_graphs as compare_graphs,
    cpdag as cpdag,
    orient as orient,
    skeleton_f1 as skeleton_f1,
)
from symjax.causal.discover.constraint import (
    PartialGraph as PartialGraph,
    fci as fci,
    ges as ges,
    pc as pc,
)
from symjax.causal.discover.continuous import (
    as_graph as as_graph,
    bootstrap_covariances as bootstrap_covariances,
    dagma_linear as dagma_linear,
    dagma_mlp as dagma_mlp,
    edge_frequencies as edge_frequencies,
    notears_linear as notears_linear,
    notears_mlp as notears_mlp,
)
from symjax.causal.discover.interventions import (
    Conditionals as Conditionals,
    Discovered as Discovered,
    unknown_interventions as unknown_interventions,
)
from symjax.causal.discover.perceptrons import Perceptrons as Perceptrons
