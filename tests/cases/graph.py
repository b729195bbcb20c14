"""Cases of layers that pass messages."""

from symjax.layers.graph import EGNNLayer
from tests.cases.inputs import bodies

CASES = {
    "EGNNLayer": lambda: (EGNNLayer(width=6), bodies(5)),
    "EGNNLayer without features of edges": lambda: (EGNNLayer(width=6), bodies(5)._replace(edges=None)),
}
