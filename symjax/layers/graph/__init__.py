"""Messages along the edges of a graph, between features of any kind."""

from symjax.layers.graph.egnn import EGNN_INIT as EGNN_INIT, EGNNLayer as EGNNLayer, egnn_layer as egnn_layer
from symjax.layers.graph.painn import (
    PaiNNEdges as PaiNNEdges,
    PaiNNLayer as PaiNNLayer,
    PaiNNNodes as PaiNNNodes,
    painn_message as painn_message,
    painn_update as painn_update,
)
from symjax.layers.graph.schnet import (
    SchNetEdges as SchNetEdges,
    SchNetLayer as SchNetLayer,
    schnet_layer as schnet_layer,
    shifted_softplus as shifted_softplus,
)
