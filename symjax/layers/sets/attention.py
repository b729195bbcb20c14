"""Attention among the members of a set: the blocks of the Set Transformer (Lee et al. 2019, arXiv:1810.00825)."""

from functools import partial
from typing import Any

import flax.linen as nn
from jaxtyping import Array, Bool, Float

from symjax.groups import S
from symjax.laws import Equivariance, Law
from symjax.layers.sets.linear import present
from symjax.math import attention
from symjax.reps import Axis, Trivial


class _AttentionBlock(nn.Module):
    """MAB(x, y) = LN(h + relu(h W + b)), h = LN(q + attention of the queries q = x W_q to y) (section 3.1).

    As in the authors' code the residual carries the queries, so that the channels of x and y may differ.
    """

    features: int
    heads: int

    @nn.compact
    def __call__(
        self, x: Float[Array, "q i"], y: Float[Array, "n j"], mask: Bool[Array, " n"] | None = None
    ) -> Float[Array, "q o"]:
        """Return what x hears from the members of y."""
        if self.features % self.heads:
            raise ValueError(f"expected features that {self.heads} heads can share, got {self.features}")
        in_heads = partial(nn.DenseGeneral, (self.heads, self.features // self.heads), param_dtype=y.dtype)
        norm = partial(nn.LayerNorm, use_fast_variance=False, force_float32_reductions=False, param_dtype=y.dtype)
        y = present(y, mask)
        q, k, v = in_heads(name="query")(x), in_heads(name="key")(y), in_heads(name="value")(y)
        h = norm(name="norm")(
            (q + attention(q, k, v, None if mask is None else mask[None])).reshape(len(x), self.features)
        )
        h = h + nn.relu(nn.Dense(self.features, param_dtype=y.dtype, name="hidden")(h))
        return norm(name="norm_out")(h)


class SetAttentionBlock(nn.Module):
    """SAB: every member attends to every member, in O(n^2) (equation 8).

    Attributes:
        features: Channels that come out.
        heads: Heads that share them.
    """

    features: int
    heads: int = 4

    def laws(self, x: Float[Any, "n i"]) -> tuple[Law, ...]:
        """The order of the members means nothing."""
        return (Equivariance(S(x.shape[0]), Axis(0), Axis(0)),)

    @nn.compact
    def __call__(self, x: Float[Array, "n i"], mask: Bool[Array, " n"] | None = None) -> Float[Array, "n o"]:
        """Return the features of every member; padding comes out as zero."""
        x = present(x, mask)
        return present(_AttentionBlock(self.features, self.heads, name="block")(x, x, mask), mask)


class InducedSetAttentionBlock(nn.Module):
    """ISAB: a few learned points attend to the members, and the members to these, in O(n m) (equations 9 and 10).

    Attributes:
        features: Channels that come out.
        heads: Heads that share them.
        points: m, how many points.
    """

    features: int
    heads: int = 4
    points: int = 16

    def laws(self, x: Float[Any, "n i"]) -> tuple[Law, ...]:
        """The order of the members means nothing."""
        return (Equivariance(S(x.shape[0]), Axis(0), Axis(0)),)

    @nn.compact
    def __call__(self, x: Float[Array, "n i"], mask: Bool[Array, " n"] | None = None) -> Float[Array, "n o"]:
        """Return the features of every member; padding comes out as zero."""
        x, shape = present(x, mask), (self.points, self.features)
        points = self.param("points", nn.initializers.xavier_uniform(), shape, x.dtype)
        heard = _AttentionBlock(self.features, self.heads, name="gather")(points, x, mask)
        return present(_AttentionBlock(self.features, self.heads, name="spread")(x, heard), mask)


class PoolingByMultiheadAttention(nn.Module):
    """PMA: a few learned seeds attend to the members, after a layer for each member by itself (equation 11).

    Attributes:
        features: Channels that come out.
        heads: Heads that share them.
        seeds: How many vectors come out.
    """

    features: int
    heads: int = 4
    seeds: int = 1

    def laws(self, x: Float[Any, "n i"]) -> tuple[Law, ...]:
        """The order of the members means nothing."""
        return (Equivariance(S(x.shape[0]), Axis(0), Trivial()),)

    @nn.compact
    def __call__(self, x: Float[Array, "n i"], mask: Bool[Array, " n"] | None = None) -> Float[Array, "k o"]:
        """Return one vector for each seed, which every member may reach."""
        x, shape = present(x, mask), (self.seeds, self.features)
        seeds = self.param("seeds", nn.initializers.xavier_uniform(), shape, x.dtype)
        rows = nn.relu(nn.Dense(self.features, param_dtype=x.dtype, name="rows")(x))
        return _AttentionBlock(self.features, self.heads, name="block")(seeds, rows, mask)
