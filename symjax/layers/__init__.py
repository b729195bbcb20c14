"""One lawful layer a file: paper line, pure function, thin linen shell, laws."""

from symjax.layers.egnn import EGNNLayer, EGNNNodes, egnn_layer

__all__ = ["EGNNLayer", "EGNNNodes", "egnn_layer"]
