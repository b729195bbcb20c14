"""Sequences: instants along the first axis, and nothing that sees the future."""

from symjax.layers.sequence.convolution import (
    CausalConvolution as CausalConvolution,
    causal_convolution as causal_convolution,
    receptive_field as receptive_field,
)
