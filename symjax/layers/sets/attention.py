"""Attention among the members of a set: the blocks of the Set Transformer (Lee et al. 2019, arXiv:1810.00825)."""

from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from symjax.groups import S
from symjax.laws import Equivariance, Law
from symjax.layers.sets.linear import present
from symjax.math import safe_divide
from symjax.reps import Axis, Trivial


def set_attention(
    q: Float[Array, "q h c"],
    k: Float[Array, "n h c"],
    v: Float[Array, "n h e"],
    mask: Bool[Array, " n"] | None = None,
) -> Float[Array, "q h e"]:
    """Return softmax_a(q_b . k_a / sqrt(c)) v_a summed over the members a that the mask leaves, for every head.

    Where there are none, in an empty set and in one that is masked throughout, it is zero with zero gradients.

    Args:
        q: queries.
        k: keys of the members.
        v: values of the members.
        mask: False at padding.
    """
    k, v = present(k, mask), present(v, mask)
    scores = jnp.einsum("qhc,nhc->hqn", q, k) / q.shape[-1] ** 0.5
    if mask is not None:
        scores = jnp.where(mask[None, None], scores, -jnp.inf)
    largest = jax.lax.stop_gradient(jnp.max(scores, axis=-1, keepdims=True, initial=-jnp.inf))
    weights = jnp.exp(scores - jnp.where(jnp.isneginf(largest), 0, largest))
    return jnp.einsum("hqn,nhe->qhe", safe_divide(weights, weights.sum(axis=-1, keepdims=True)), v)


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
        h = norm(name="norm")((q + set_attention(q, k, v, mask)).reshape(len(x), self.features))
        h = h + nn.relu(nn.Dense(self.features, param_dtype=y.dtype, name="hidden")(h))
        return norm(name="norm_out")(h)


class SetAttentionBlock(nn.Module):
    """SAB: every member attends to every member, in O(n^2) (equation 7).

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
