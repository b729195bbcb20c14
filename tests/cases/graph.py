"""Cases of layers that pass messages."""

from symjax.layers.graph import EGNNLayer, PaiNNLayer, SchNetLayer
from tests.cases.inputs import bodies, directed, filtered

CASES = {
    "EGNNLayer": lambda: (EGNNLayer(width=6), bodies(5)),
    "EGNNLayer without features of edges": lambda: (EGNNLayer(width=6), bodies(5)._replace(edges=None)),
    "PaiNNLayer": lambda: (PaiNNLayer(), directed(4)),
    "SchNetLayer": lambda: (SchNetLayer(filters=4), filtered(6)),
}
