"""Cases of layers on sets."""

from symjax.layers.sets import DeepSetsLinear, DeepSetsPool, ExchangeableLinear
from tests.cases.inputs import members

CASES = {
    "DeepSetsLinear": lambda: (DeepSetsLinear(3), members(5)),
    "DeepSetsPool": lambda: (DeepSetsPool(3), members(5)),
    "ExchangeableLinear": lambda: (ExchangeableLinear(3), members(5, 6).reshape(5, 3, 2)),
}
