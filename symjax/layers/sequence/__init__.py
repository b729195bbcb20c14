"""Sequences: instants along the first axis, and nothing that sees the future."""

from symjax.layers.sequence.attention import (
    CausalAttention as CausalAttention,
    causal_mask as causal_mask,
    rotary as rotary,
)
from symjax.layers.sequence.convolution import (
    CausalConvolution as CausalConvolution,
    DilatedBlock as DilatedBlock,
    causal_convolution as causal_convolution,
    receptive_field as receptive_field,
)
from symjax.layers.sequence.norm import (
    Moments as Moments,
    PrefixNorm as PrefixNorm,
    ScaleInvariantNorm as ScaleInvariantNorm,
    Statistics as Statistics,
    denormalise as denormalise,
    normalise as normalise,
)
from symjax.layers.sequence.pooling import (
    AttentionPool as AttentionPool,
    attention_pool as attention_pool,
    causal_average as causal_average,
    windows as windows,
    windows_law as windows_law,
)
from symjax.layers.sequence.stream import (
    Stream as Stream,
    is_streaming as is_streaming,
    remember as remember,
    require_whole as require_whole,
    stream as stream,
)
