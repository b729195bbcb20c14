"""Layers on graphs whose features are plain numbers, positions or vectors."""

from symjax.layers.graph.schnet import SchNetEdges as SchNetEdges
from symjax.layers.graph.schnet import SchNetLayer as SchNetLayer
from symjax.layers.graph.schnet import schnet_layer as schnet_layer
from symjax.layers.graph.schnet import shifted_softplus as shifted_softplus
