"""Cases of layers that pass messages."""

from symjax.layers.graph import (
    DimeNetLayer,
    EGNNLayer,
    GATLayer,
    GATv2Layer,
    GCNLayer,
    GINELayer,
    GINLayer,
    InvariantEGNNLayer,
    MPNNLayer,
    PaiNNLayer,
    SAGELayer,
    SchNetLayer,
    Set2Set,
)
from tests.cases.inputs import bodies, crossed, directed, filtered, plain, spaced

CASES = {
    "DimeNetLayer": lambda: (DimeNetLayer(3, 2), crossed(4)),
    "EGNNLayer": lambda: (EGNNLayer(width=6), bodies(5)),
    "EGNNLayer without features of edges": lambda: (EGNNLayer(width=6), bodies(5)._replace(edges=None)),
    "EGNNLayer of soft attention": lambda: (EGNNLayer(6, attention=True, norm_diff="soft", tanh=True), bodies(5)),
    "EGNNLayer of units": lambda: (EGNNLayer(6, norm_diff="unit"), bodies(5)),
    "GATLayer": lambda: (GATLayer(2, heads=3, edge_features=True), plain(2)),
    "GATv2Layer": lambda: (GATv2Layer(3, heads=2, concat=False), plain()),
    "GCNLayer": lambda: (GCNLayer(3), plain()),
    "GINELayer": lambda: (GINELayer(3, train_eps=True), plain(2)),
    "GINLayer": lambda: (GINLayer(3, hidden=5), plain()),
    "InvariantEGNNLayer": lambda: (InvariantEGNNLayer(width=6), spaced(4)),
    "MPNNLayer": lambda: (MPNNLayer(4, hidden=3, gated=True), plain(2)),
    "PaiNNLayer": lambda: (PaiNNLayer(), directed(4)),
    "SAGELayer": lambda: (SAGELayer(3, "max", project=True, normalize=True), plain()),
    "SchNetLayer": lambda: (SchNetLayer(filters=4), filtered(6)),
    "Set2Set": lambda: (Set2Set(2), plain()),
}
