"""One paper a file, composed of layers."""

from symjax.models.dag_transformer import DagTransformer, generate, topological_order
from symjax.models.dynamics import HamiltonianNet, hamiltonian_field
from symjax.models.egnn import EGNN
from symjax.models.emlp import EMLP, EMLPBlock, emlp_block
from symjax.models.graph_network import LAYERS, Affine, GraphNetwork
from symjax.models.linear_forecast import (
    DLinear,
    NLinear,
    RLinear,
    View,
    decomposed,
    from_last,
    linear_forecast,
    standardised,
)
from symjax.models.mlp import MLP
from symjax.models.sets import DeepSets, ExchangeableDeepSets, SetTransformer
from symjax.models.tarnet import Dragonnet, Potential, TARNet, clever, factual, mmd, wasserstein
from symjax.models.temporal import CausalStack, CausalTemporalNetwork
from symjax.models.transformer import Transformer

__all__ = [
    "EGNN",
    "EMLP",
    "LAYERS",
    "MLP",
    "Affine",
    "CausalStack",
    "CausalTemporalNetwork",
    "DLinear",
    "DagTransformer",
    "DeepSets",
    "Dragonnet",
    "EMLPBlock",
    "ExchangeableDeepSets",
    "GraphNetwork",
    "HamiltonianNet",
    "NLinear",
    "Potential",
    "RLinear",
    "SetTransformer",
    "TARNet",
    "Transformer",
    "View",
    "clever",
    "decomposed",
    "emlp_block",
    "factual",
    "from_last",
    "generate",
    "hamiltonian_field",
    "linear_forecast",
    "mmd",
    "standardised",
    "topological_order",
    "wasserstein",
]
