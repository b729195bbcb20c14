"""Cases of layers on sets."""

from symjax.layers.sets import (
    DeepSetsLinear,
    DeepSetsPool,
    ExchangeableLinear,
    InducedSetAttentionBlock,
    PoolingByMultiheadAttention,
    SetAttentionBlock,
    SetTensorLinear,
)
from tests.cases.inputs import members

CASES = {
    "DeepSetsLinear": lambda: (DeepSetsLinear(3), members(5)),
    "DeepSetsPool": lambda: (DeepSetsPool(3), members(5)),
    "ExchangeableLinear": lambda: (ExchangeableLinear(3), members(5, 6).reshape(5, 3, 2)),
    "InducedSetAttentionBlock": lambda: (InducedSetAttentionBlock(4, heads=2, points=3), members(5)),
    "PoolingByMultiheadAttention": lambda: (PoolingByMultiheadAttention(4, heads=2, seeds=2), members(5)),
    "SetAttentionBlock": lambda: (SetAttentionBlock(4, heads=2), members(5)),
    "SetTensorLinear": lambda: (SetTensorLinear(2, rank=2), members(16).reshape(4, 4, 2)),
    "SetTensorLinear to numbers": lambda: (SetTensorLinear(2, rank=0), members(16).reshape(4, 4, 2)),
}
