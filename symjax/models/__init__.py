"""One paper a file, composed of layers."""

from symjax.models.dynamics import HamiltonianNet, hamiltonian_field
from symjax.models.egnn import EGNN
from symjax.models.emlp import EMLP, EMLPBlock, emlp_block
from symjax.models.mlp import MLP
from symjax.models.sets import DeepSets, ExchangeableDeepSets, SetTransformer

__all__ = [
    "EGNN",
    "EMLP",
    "MLP",
    "DeepSets",
    "EMLPBlock",
    "ExchangeableDeepSets",
    "HamiltonianNet",
    "SetTransformer",
    "emlp_block",
    "hamiltonian_field",
]
