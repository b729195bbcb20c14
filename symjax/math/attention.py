"""Attention without parameters, under any mask (Vaswani et al. 2017, arXiv:1706.03762, section 3.2.1)."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from symjax.math.safe import safe_divide

Mask = Bool[Array | np.ndarray, "#q t"]


def attention(
    queries: Float[Array, "q k c"], keys: Float[Array, "t k c"], values: Float[Array, "t k d"], mask: Mask | None = None
) -> Float[Array, "q k d"]:
    """Return y_q = sum_t softmax_t(queries_q . keys_t / sqrt(c)) values_t for each of k heads.

    Where `mask[q, t]` is False, q does not see t: its score is minus infinity and its weight zero, both known while the
    program is read. A query that sees nothing comes out as zero, with zero derivatives.
    """
    scaled = queries / math.sqrt(queries.shape[-1])
    q, k, v = (x.transpose(1, 0, 2) for x in (scaled, keys, values))  # products of contiguous matrices are faster
    weights, total = _exponentials(q @ k.transpose(0, 2, 1), None if mask is None else mask[None])
    return safe_divide(weights @ v, total).transpose(1, 0, 2)


def masked_softmax(scores: Float[Array, "*q t"], mask: Bool[Array | np.ndarray, "*#q t"]) -> Float[Array, "*q t"]:
    """Return softmax over the last axis of what a mask leaves; where that is nothing, zeros with zero derivatives."""
    weights, total = _exponentials(scores, mask)
    return safe_divide(weights, jnp.broadcast_to(total, weights.shape))


def _exponentials(scores: Float[Array, "..."], mask: Any) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """Return exp(score - largest), zero where masked, and their sum."""
    if mask is not None:
        scores = jnp.where(mask, scores, -jnp.inf)
    largest = jax.lax.stop_gradient(scores.max(axis=-1, keepdims=True, initial=-jnp.inf))
    weights = jnp.exp(scores - jnp.where(jnp.isfinite(largest), largest, 0))
    return weights, weights.sum(axis=-1, keepdims=True)
