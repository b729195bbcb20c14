"""One lawful layer a file: paper line, pure function, thin linen shell, laws."""

from symjax.layers.egnn import EGNNLayer, EGNNNodes, egnn_layer
from symjax.layers.interaction import (
    Interaction,
    InteractionEdges,
    InteractionNodes,
    gate,
    gated_irreps,
    interaction,
)
from symjax.layers.linear import IrrepsLinear, irreps_linear, linear_shapes
from symjax.layers.tensor_product import Path, tensor_product_conv, tensor_product_paths

__all__ = [
    "EGNNLayer",
    "EGNNNodes",
    "Interaction",
    "InteractionEdges",
    "InteractionNodes",
    "IrrepsLinear",
    "Path",
    "egnn_layer",
    "gate",
    "gated_irreps",
    "interaction",
    "irreps_linear",
    "linear_shapes",
    "tensor_product_conv",
    "tensor_product_paths",
]
