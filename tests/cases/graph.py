"""Cases of layers that pass messages."""

from symjax.layers.graph import DimeNetLayer, EGNNLayer, GATLayer, GCNLayer, InvariantEGNNLayer, PaiNNLayer, SchNetLayer
from tests.cases.inputs import bodies, crossed, directed, filtered, plain, spaced

CASES = {
    "DimeNetLayer": lambda: (DimeNetLayer(3, 2), crossed(4)),
    "EGNNLayer": lambda: (EGNNLayer(width=6), bodies(5)),
    "EGNNLayer without features of edges": lambda: (EGNNLayer(width=6), bodies(5)._replace(edges=None)),
    "EGNNLayer of soft attention": lambda: (EGNNLayer(6, attention=True, norm_diff="soft", tanh=True), bodies(5)),
    "EGNNLayer of units": lambda: (EGNNLayer(6, norm_diff="unit"), bodies(5)),
    "GATLayer": lambda: (GATLayer(2, heads=3), plain()),
    "GATLayer with features of edges": lambda: (GATLayer(3, heads=2, concat=False, edge_features=True), plain(2)),
    "GCNLayer": lambda: (GCNLayer(3), plain()),
    "InvariantEGNNLayer": lambda: (InvariantEGNNLayer(width=6), spaced(4)),
    "PaiNNLayer": lambda: (PaiNNLayer(), directed(4)),
    "SchNetLayer": lambda: (SchNetLayer(filters=4), filtered(6)),
}
