"""Cases of layers that pass messages."""

from symjax.layers.graph import EGNNLayer, SchNetLayer
from tests.cases.inputs import bodies, filtered

CASES = {
    "EGNNLayer": lambda: (EGNNLayer(width=6), bodies(5)),
    "EGNNLayer without features of edges": lambda: (EGNNLayer(width=6), bodies(5)._replace(edges=None)),
    "SchNetLayer": lambda: (SchNetLayer(filters=4), filtered(6)),
}
