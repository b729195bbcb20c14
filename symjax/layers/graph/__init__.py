"""Messages along the edges of a graph, between features of any kind."""

from symjax.layers.graph.dimenet import (
    DimeNetEdges as DimeNetEdges,
    DimeNetLayer as DimeNetLayer,
    dimenet_layer as dimenet_layer,
    sum_triplets as sum_triplets,
)
from symjax.layers.graph.egnn import (
    EGNN_INIT as EGNN_INIT,
    EGNNEdges as EGNNEdges,
    EGNNLayer as EGNNLayer,
    InvariantEGNNLayer as InvariantEGNNLayer,
    egnn_layer as egnn_layer,
    invariant_egnn_layer as invariant_egnn_layer,
)
from symjax.layers.graph.gat import (
    GATLayer as GATLayer,
    attend as attend,
    gat_layer as gat_layer,
)
from symjax.layers.graph.gatv2 import (
    GATv2Layer as GATv2Layer,
    gatv2_layer as gatv2_layer,
)
from symjax.layers.graph.gcn import (
    GCNLayer as GCNLayer,
    gcn_layer as gcn_layer,
)
from symjax.layers.graph.gin import (
    GINELayer as GINELayer,
    GINLayer as GINLayer,
    gin_layer as gin_layer,
    gine_layer as gine_layer,
)
from symjax.layers.graph.mpnn import (
    MPNNLayer as MPNNLayer,
    mpnn_layer as mpnn_layer,
)
from symjax.layers.graph.painn import (
    PaiNNEdges as PaiNNEdges,
    PaiNNLayer as PaiNNLayer,
    PaiNNNodes as PaiNNNodes,
    painn_message as painn_message,
    painn_update as painn_update,
)
from symjax.layers.graph.readout import (
    Set2Set as Set2Set,
    max_nodes as max_nodes,
    mean_nodes as mean_nodes,
    sum_nodes as sum_nodes,
)
from symjax.layers.graph.sage import (
    SAGELayer as SAGELayer,
    sage_layer as sage_layer,
)
from symjax.layers.graph.schnet import (
    SchNetEdges as SchNetEdges,
    SchNetLayer as SchNetLayer,
    schnet_layer as schnet_layer,
    shifted_softplus as shifted_softplus,
)
