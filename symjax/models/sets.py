"""Sets and exchangeable matrices to a few numbers: Deep Sets and the Set Transformer (arXiv:1703.06114, 1810.00825)."""

from typing import Any

import flax.linen as nn
from jaxtyping import Array, Bool, Float

from symjax.groups import S
from symjax.laws import Equivariance, Law
from symjax.layers.sets import (
    DeepSetsLinear,
    DeepSetsPool,
    ExchangeableLinear,
    PoolingByMultiheadAttention,
    SetAttentionBlock,
)
from symjax.reps import Axis, Trivial


class DeepSets(nn.Module):
    """Equivariant layers with swish, the mean over the members, and a perceptron of one hidden layer.

    Attributes:
        features: Numbers that come out.
        channels: Width of the hidden layers.
        layers: Number of equivariant layers.
    """

    features: int = 1
    channels: int = 64
    layers: int = 2

    def laws(self, x: Float[Any, "n i"]) -> tuple[Law, ...]:
        """The order of the members means nothing."""
        return (Equivariance(S(x.shape[0]), Axis(0), Trivial()),)

    @nn.compact
    def __call__(self, x: Float[Array, "n i"], mask: Bool[Array, " n"] | None = None) -> Float[Array, " o"]:
        """Return the numbers of a set, of those members that the mask leaves."""
        for _ in range(self.layers):
            x = nn.swish(DeepSetsLinear(self.channels)(x, mask))
        pooled = nn.swish(DeepSetsPool(self.channels)(x, mask))
        return nn.Dense(self.features, param_dtype=pooled.dtype)(pooled)


class ExchangeableDeepSets(nn.Module):
    """`DeepSets` of a matrix whose rows and columns are both in no order (Hartford et al. 2018, arXiv:1803.02879).

    Attributes:
        features: Numbers that come out.
        channels: Width of the hidden layers.
        layers: Number of equivariant layers.
    """

    features: int = 1
    channels: int = 64
    layers: int = 2

    def laws(self, x: Float[Any, "n d"]) -> tuple[Law, ...]:
        """Neither the order of the rows nor that of the columns means anything."""
        return tuple(Equivariance(S(x.shape[axis]), Axis(axis), Trivial()) for axis in (0, 1))

    @nn.compact
    def __call__(self, x: Float[Array, "n d"], mask: Bool[Array, "n d"] | None = None) -> Float[Array, " o"]:
        """Return the numbers of a matrix, of those entries that the mask leaves."""
        x = x[..., None]
        for _ in range(self.layers):
            x = nn.swish(ExchangeableLinear(self.channels)(x, mask))
        entries = x.reshape(-1, self.channels), None if mask is None else mask.ravel()
        pooled = nn.swish(DeepSetsPool(self.channels)(*entries))
        return nn.Dense(self.features, param_dtype=pooled.dtype)(pooled)


class SetTransformer(nn.Module):
    """Set attention blocks, one pooling seed, and a linear layer.

    Attributes:
        features: Numbers that come out.
        channels: Width of the blocks.
        layers: Number of blocks.
        heads: Heads that share the channels.
    """

    features: int = 1
    channels: int = 64
    layers: int = 2
    heads: int = 4

    def laws(self, x: Float[Any, "n i"]) -> tuple[Law, ...]:
        """The order of the members means nothing."""
        return (Equivariance(S(x.shape[0]), Axis(0), Trivial()),)

    @nn.compact
    def __call__(self, x: Float[Array, "n i"], mask: Bool[Array, " n"] | None = None) -> Float[Array, " o"]:
        """Return the numbers of a set, of those members that the mask leaves."""
        for _ in range(self.layers):
            x = SetAttentionBlock(self.channels, self.heads)(x, mask)
        pooled = PoolingByMultiheadAttention(self.channels, self.heads)(x, mask)[0]
        return nn.Dense(self.features, param_dtype=pooled.dtype)(pooled)
