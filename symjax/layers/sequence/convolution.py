"""Causal convolutions along time, dilated and stacked (van den Oord et al. 2016, arXiv:1609.03499, sec. 2.1)."""

from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from symjax.laws import Causality, Law, Stationarity
from symjax.layers.sequence.stream import is_streaming, remember


def causal_convolution(
    kernel: Float[Array, "k i o"],
    x: Float[Array, "t i"],
    *,
    dilation: int = 1,
    past: Float[Array, "p i"] | None = None,
) -> Float[Array, "t o"]:
    """Return y_t = sum_s x_{t - s dilation} kernel_{k - 1 - s}.

    Before the first instant all is zero, or the last dilation (k - 1) instants of a `past`. The taps lie side by side,
    so that it is one product of matrices.
    """
    (k, i, o), t = kernel.shape, x.shape[0]
    before = jnp.zeros((dilation * (k - 1), i), x.dtype) if past is None else past
    whole = jnp.concatenate([before, x])
    taps = jnp.concatenate([whole[s * dilation : s * dilation + t] for s in range(k)], axis=1)
    return taps @ kernel.reshape(k * i, o)


def receptive_field(width: int, dilations: Sequence[int], *, convolutions: int = 1) -> int:
    """Return how many instants one output of stacked convolutions sees: 1 + convolutions (width - 1) sum dilations.

    Args:
        width: Instants that every kernel sees.
        dilations: Of the blocks, one after the other; a stack that is repeated names its own again.
        convolutions: In each block.
    """
    return 1 + convolutions * (width - 1) * sum(dilations)


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
        past = remember(self, "past", x, self.dilation * (self.width - 1)) if is_streaming(self) else None
        return causal_convolution(kernel, x, dilation=self.dilation, past=past) + bias[None]


class DilatedBlock(nn.Module):
    """x <- gelu(conv(x)) + x for the dilations 1, 2, 4, ...: a window that grows as 2^layers.

    Attributes:
        layers: Residual blocks, each with twice the dilation of the one before.
        width: Instants that a kernel sees.
        convolutions: In each block, each with a gelu after it.
    """

    layers: int = 4
    width: int = 3
    convolutions: int = 1

    @property
    def receptive_field(self) -> int:
        """How many instants one output sees."""
        return receptive_field(self.width, [2**i for i in range(self.layers)], convolutions=self.convolutions)

    def laws(self, x: Float[Any, "t c"]) -> tuple[Law, ...]:
        """Nothing sees the future, and once the window is whole the hour means nothing."""
        return Causality.past(x.shape[0]), Stationarity(self.receptive_field)

    @nn.compact
    def __call__(self, x: Float[Array, "t c"]) -> Float[Array, "t c"]:
        """Return the features of every instant, as many as came in."""
        for i in range(self.layers):
            y = x
            for j in range(self.convolutions):
                name = f"layer_{i}" if self.convolutions == 1 else f"layer_{i}_{j}"
                y = nn.gelu(CausalConvolution(x.shape[-1], self.width, 2**i, name=name)(y))
            x = x + y
        return x
