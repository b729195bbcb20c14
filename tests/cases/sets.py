"""Cases of layers on sets."""

from symjax.layers.sets import DeepSetsLinear
from tests.cases.inputs import members

CASES = {
    "DeepSetsLinear": lambda: (DeepSetsLinear(3), members(5)),
}
