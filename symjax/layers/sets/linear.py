"""All affine maps that permutations commute with, of sets (Zaheer et al. 2017, arXiv:1703.06114) and of matrices."""

import math
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Shaped

from symjax.groups import S
from symjax.laws import Equivariance, Law
from symjax.reps import Axis, Trivial


def present(x: Shaped[Array, "..."], mask: Bool[Array, "..."] | None = None) -> Shaped[Array, "..."]:
    """Return x with zeros where the mask, over its first axes, is False, so that NaN there spoils no gradient."""
    return x if mask is None else jnp.where(_beside(mask, x), x, jnp.zeros((), x.dtype))


def set_mean(
    x: Float[Array, "..."],
    mask: Bool[Array, "..."] | None = None,
    *,
    axis: int | tuple[int, ...] = 0,
    keepdims: bool = False,
) -> Float[Array, "..."]:
    """Return the mean over the members that the mask leaves; zero where there are none.

    Args:
        x: members along `axis`.
        mask: over the first axes of x, False at padding.
        axis: which axes count members.
        keepdims: whether they stay, of length 1.
    """
    total = present(x, mask).sum(axis, keepdims=keepdims)
    if mask is None:
        axes = axis if isinstance(axis, tuple) else (axis,)
        return total / max(1, math.prod(x.shape[i] for i in axes))
    return total / jnp.maximum(1, _beside(mask, x).sum(axis, keepdims=keepdims)).astype(x.dtype)


def _beside(mask: Bool[Array, "..."], x: Shaped[Array, "..."]) -> Bool[Array, "..."]:
    return mask.reshape(*mask.shape, *(1,) * (x.ndim - mask.ndim))


def deepsets_linear(
    own: Float[Array, "i o"],
    mean: Float[Array, "i o"],
    bias: Float[Array, " o"],
    x: Float[Array, "n i"],
    mask: Bool[Array, " n"] | None = None,
) -> Float[Array, "n o"]:
    """Return y_a = x_a own + (mean_b x_b) mean + bias, every S(n)-equivariant affine map of n copies of R^i to R^o.

    Padding, where the mask is False, adds nothing and comes out as zero.
    """
    x = present(x, mask)
    return present(x @ own + (set_mean(x, mask) @ mean + bias)[None], mask)


def deepsets_pool(
    mean: Float[Array, "i o"], bias: Float[Array, " o"], x: Float[Array, "n i"], mask: Bool[Array, " n"] | None = None
) -> Float[Array, " o"]:
    """Return (mean_b x_b) mean + bias, every S(n)-invariant affine map of n copies of R^i to R^o.

    The members may be the elements of a matrix: the S(n) x S(d)-invariant affine maps are the S(nd)-invariant ones.
    """
    return set_mean(x, mask) @ mean + bias


def exchangeable_linear(
    own: Float[Array, "i o"],
    row: Float[Array, "i o"],
    column: Float[Array, "i o"],
    whole: Float[Array, "i o"],
    bias: Float[Array, " o"],
    x: Float[Array, "n d i"],
    mask: Bool[Array, "n d"] | None = None,
) -> Float[Array, "n d o"]:
    """Return y_ab = x_ab own + (mean_b x_ab) row + (mean_a x_ab) column + (mean_ab x_ab) whole + bias.

    These are all S(n) x S(d)-equivariant affine maps of matrices with entries in R^i to such with entries in R^o
    (Hartford et al. 2018, arXiv:1803.02879, theorem 2.1).

    Args:
        own: for the entry itself.
        row: for the mean over its row.
        column: for the mean over its column.
        whole: for the mean over the matrix.
        bias: added to every entry.
        x: the matrix.
        mask: False where an entry is missing: it adds to no mean and comes out as zero. Of padded rows and columns it
            is `rows[:, None] & columns[None]`.
    """
    x = present(x, mask)
    means = ((1, row), (0, column), ((0, 1), whole))
    parts = (set_mean(x, mask, axis=axis, keepdims=True) @ kernel for axis, kernel in means)
    return present(sum(parts, start=x @ own) + bias[None, None], mask)


class DeepSetsLinear(nn.Module):
    """`deepsets_linear` with its own weights.

    Attributes:
        features: Channels that come out.
    """

    features: int

    def laws(self, x: Float[Any, "n i"]) -> tuple[Law, ...]:
        """The order of the members means nothing."""
        return (Equivariance(S(x.shape[0]), Axis(0), Axis(0)),)

    @nn.compact
    def __call__(self, x: Float[Array, "n i"], mask: Bool[Array, " n"] | None = None) -> Float[Array, "n o"]:
        """Return the features of every member."""
        shape, init = (x.shape[-1], self.features), nn.initializers.lecun_normal()
        own, mean = (self.param(name, init, shape, x.dtype) for name in ("own", "mean"))
        bias = self.param("bias", nn.initializers.zeros, (self.features,), x.dtype)
        return deepsets_linear(own, mean, bias, x, mask)


class DeepSetsPool(nn.Module):
    """`deepsets_pool` with its own weights.

    Attributes:
        features: Numbers that come out.
    """

    features: int

    def laws(self, x: Float[Any, "n i"]) -> tuple[Law, ...]:
        """The order of the members means nothing."""
        return (Equivariance(S(x.shape[0]), Axis(0), Trivial()),)

    @nn.compact
    def __call__(self, x: Float[Array, "n i"], mask: Bool[Array, " n"] | None = None) -> Float[Array, " o"]:
        """Return the features of the set."""
        mean = self.param("mean", nn.initializers.lecun_normal(), (x.shape[-1], self.features), x.dtype)
        bias = self.param("bias", nn.initializers.zeros, (self.features,), x.dtype)
        return deepsets_pool(mean, bias, x, mask)


class ExchangeableLinear(nn.Module):
    """`exchangeable_linear` with its own weights.

    Attributes:
        features: Channels that come out.
    """

    features: int

    def laws(self, x: Float[Any, "n d i"]) -> tuple[Law, ...]:
        """Neither the order of the rows nor that of the columns means anything."""
        return tuple(Equivariance(S(x.shape[axis]), Axis(axis), Axis(axis)) for axis in (0, 1))

    @nn.compact
    def __call__(self, x: Float[Array, "n d i"], mask: Bool[Array, "n d"] | None = None) -> Float[Array, "n d o"]:
        """Return the features of every entry."""
        shape, init = (x.shape[-1], self.features), nn.initializers.lecun_normal()
        names = "own", "row", "column", "whole"
        own, row, column, whole = (self.param(name, init, shape, x.dtype) for name in names)
        bias = self.param("bias", nn.initializers.zeros, (self.features,), x.dtype)
        return exchangeable_linear(own, row, column, whole, bias, x, mask)
