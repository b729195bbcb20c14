"""One lawful layer a file: paper line, pure function, thin linen shell, laws."""

from symjax.layers.bilinear import Bilinear, bilinear, bilinear_paths
from symjax.layers.egnn import EGNNLayer, egnn_layer
from symjax.layers.equivariant import EquivariantLinear, equivariant_linear
from symjax.layers.gated import Gated, Pointwise, gated, gated_rep
from symjax.layers.interaction import (
    Interaction,
    InteractionEdges,
    InteractionNodes,
    gate,
    gated_irreps,
    interaction,
)
from symjax.layers.linear import IrrepsLinear, irreps_linear, linear_shapes
from symjax.layers.standardize import Standard, Standardize, fit_standard, restore, standardise
from symjax.layers.tensor_product import Path, tensor_product_conv, tensor_product_paths

__all__ = [
    "Bilinear",
    "EGNNLayer",
    "EquivariantLinear",
    "Gated",
    "Interaction",
    "InteractionEdges",
    "InteractionNodes",
    "IrrepsLinear",
    "Path",
    "Pointwise",
    "Standard",
    "Standardize",
    "bilinear",
    "bilinear_paths",
    "egnn_layer",
    "equivariant_linear",
    "fit_standard",
    "gate",
    "gated",
    "gated_irreps",
    "gated_rep",
    "interaction",
    "irreps_linear",
    "linear_shapes",
    "restore",
    "standardise",
    "tensor_product_conv",
    "tensor_product_paths",
]
