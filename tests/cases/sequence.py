"""Cases of layers on sequences."""

from symjax.layers.sequence import (
    AttentionPool,
    CausalAttention,
    CausalConvolution,
    DilatedBlock,
    PrefixNorm,
    ScaleInvariantNorm,
)
from tests.cases.inputs import series

CASES = {
    "AttentionPool": lambda: (AttentionPool(window=3, stride=2, hidden=3), series(8)),
    "CausalAttention": lambda: (CausalAttention(heads=2, rotary=True), series(7, 4)),
    "CausalAttention of the last": lambda: (CausalAttention(heads=1, queries=2), series(7, 4)),
    "CausalAttention with a window": lambda: (CausalAttention(heads=2, rotary=True, window=3), series(7, 4)),
    "CausalConvolution": lambda: (CausalConvolution(3, width=2, dilation=2), series(7)),
    "DilatedBlock": lambda: (DilatedBlock(layers=2, width=2, convolutions=2), series(8)),
    "PrefixNorm": lambda: (PrefixNorm(), series(7)),
    "ScaleInvariantNorm": lambda: (ScaleInvariantNorm(), series(7, 4)),
}
