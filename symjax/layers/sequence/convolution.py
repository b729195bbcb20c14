"""Causal convolutions along time, dilated and stacked (van den Oord et al. 2016, arXiv:1609.03499, sec. 2.1)."""

import functools
from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from symjax.laws import Causality, Law, Stationarity


def causal_convolution(
    kernel: Float[Array, "k i o"], x: Float[Array, "t i"], *, dilation: int = 1
) -> Float[Array, "t o"]:
    """Return y_t = sum_s x_{t - s dilation} kernel_{k - 1 - s}, where before the first instant all is zero."""
    (k, _, _), t = kernel.shape, x.shape[0]
    past = jnp.pad(x, ((dilation * (k - 1), 0), (0, 0)))
    return functools.reduce(jnp.add, (past[s * dilation : s * dilation + t] @ kernel[s] for s in range(k)))


def receptive_field(width: int, dilations: Sequence[int]) -> int:
    """Return how many instants one output of stacked convolutions sees: 1 + (width - 1) sum of the dilations."""
    return 1 + (width - 1) * sum(dilations)


class CausalConvolution(nn.Module):
    """`causal_convolution` with its own kernel and bias.

    Attributes:
        features: Channels that come out.
        width: Instants that the kernel sees.
        dilation: Instants from one of them to the next.
    """

    features: int
    width: int = 3
    dilation: int = 1

    def laws(self, x: Float[Any, "t i"]) -> tuple[Law, ...]:
        """Nothing sees the future, and once the window is whole the hour means nothing."""
        return Causality.past(x.shape[0]), Stationarity(receptive_field(self.width, [self.dilation]))

    @nn.compact
    def __call__(self, x: Float[Array, "t i"]) -> Float[Array, "t o"]:
        """Return the features of every instant."""
        shape = (self.width, x.shape[-1], self.features)
        kernel = self.param("kernel", nn.initializers.lecun_normal(in_axis=(0, 1)), shape, x.dtype)
        bias = self.param("bias", nn.initializers.zeros, (self.features,), x.dtype)
        return causal_convolution(kernel, x, dilation=self.dilation) + bias[None]
