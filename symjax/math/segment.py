"""Reductions over segments of rows, defined on empty and on fully masked segments (where they are zero).

Row a of `data` belongs to segment `segment_ids[a]`, which lies in [0, num_segments). With a `mask`, rows where it is
False count as absent: whatever they hold, NaN included, reaches neither the result nor the gradient. Promise
`indices_are_sorted` only where `segment_ids` never decreases.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Num

from symjax.math.safe import safe_divide


def segment_sum(
    data: Num[Array, "n ..."],
    segment_ids: Int[Array, " n"],
    num_segments: int,
    *,
    mask: Bool[Array, " n"] | None = None,
    indices_are_sorted: bool = False,
) -> Num[Array, "s ..."]:
    """Return the sum of each segment."""
    data = _fill(data, mask, 0)
    return jax.ops.segment_sum(data, segment_ids, num_segments, indices_are_sorted=indices_are_sorted)


def segment_mean(
    data: Float[Array, "n ..."],
    segment_ids: Int[Array, " n"],
    num_segments: int,
    *,
    mask: Bool[Array, " n"] | None = None,
    indices_are_sorted: bool = False,
) -> Float[Array, "s ..."]:
    """Return the mean of each segment."""
    total = segment_sum(data, segment_ids, num_segments, mask=mask, indices_are_sorted=indices_are_sorted)
    size = _sizes(segment_ids, num_segments, mask, indices_are_sorted).astype(data.dtype)
    return total / _along_rows(jnp.maximum(size, 1), total)


def segment_max(
    data: Num[Array, "n ..."],
    segment_ids: Int[Array, " n"],
    num_segments: int,
    *,
    mask: Bool[Array, " n"] | None = None,
    indices_are_sorted: bool = False,
) -> Num[Array, "s ..."]:
    """Return the largest entry of each segment."""
    lowest = -jnp.inf if jnp.issubdtype(data.dtype, jnp.inexact) else jnp.iinfo(data.dtype).min
    data = _fill(data, mask, lowest)
    largest = jax.ops.segment_max(data, segment_ids, num_segments, indices_are_sorted=indices_are_sorted)
    size = _sizes(segment_ids, num_segments, mask, indices_are_sorted)
    return jnp.where(_along_rows(size > 0, largest), largest, 0)


def segment_softmax(
    logits: Float[Array, "n ..."],
    segment_ids: Int[Array, " n"],
    num_segments: int,
    *,
    weights: Float[Array, " n"] | None = None,
    mask: Bool[Array, " n"] | None = None,
    indices_are_sorted: bool = False,
) -> Float[Array, "n ..."]:
    """Return w exp(logits) over its sum in the same segment, where w are `weights` of at least zero, or one.

    It is exactly zero on masked rows, where a logit is -inf, and where a weight is zero.
    """
    if weights is not None:
        mask = weights > 0 if mask is None else mask & (weights > 0)
    options = {"mask": mask, "indices_are_sorted": indices_are_sorted}
    largest = segment_max(jax.lax.stop_gradient(logits), segment_ids, num_segments, **options)
    largest = jnp.where(jnp.isneginf(largest), 0, largest)
    parts = jnp.exp(_fill(logits, mask, -jnp.inf) - largest[segment_ids])
    if weights is not None:
        parts = parts * _along_rows(weights, parts)
    total = segment_sum(parts, segment_ids, num_segments, indices_are_sorted=indices_are_sorted)
    return safe_divide(parts, total[segment_ids])


def _fill(data: Num[Array, "n ..."], mask: Bool[Array, " n"] | None, value: float | int) -> Num[Array, "n ..."]:
    return data if mask is None else jnp.where(_along_rows(mask, data), data, jnp.asarray(value, data.dtype))


def _along_rows(per_row: Array, like: Array) -> Array:
    return per_row.reshape(per_row.shape + (1,) * (like.ndim - 1))


def _sizes(
    segment_ids: Int[Array, " n"], num_segments: int, mask: Bool[Array, " n"] | None, indices_are_sorted: bool
) -> Int[Array, " s"]:
    present = jnp.ones_like(segment_ids) if mask is None else mask.astype(segment_ids.dtype)
    return jax.ops.segment_sum(present, segment_ids, num_segments, indices_are_sorted=indices_are_sorted)
