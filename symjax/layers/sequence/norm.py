"""Norms of hidden features, and the reversible instance norm of series (Kim et al. 2022) in two declared forms."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from symjax.groups import Amplitude
from symjax.laws import Causality, Equivariance, Law
from symjax.layers.sequence.stream import STREAM, is_streaming
from symjax.math import safe_divide, safe_sqrt
from symjax.reps import Channels, Trivial

EPSILON = 1e-6  # of the mean square of the features


class Statistics(NamedTuple):
    """Mean and standard deviation (biased) of each channel: one row for a window, one an instant for prefixes."""

    mean: Float[Array, "r c"]
    deviation: Float[Array, "r c"]


class Moments(NamedTuple):
    """How many instants there were, their mean, and the sum of the squares of what they differ from it."""

    count: Float[Array, "..."]
    mean: Float[Array, "..."]
    squares: Float[Array, "..."]

    def merge(self, later: "Moments") -> "Moments":
        """Return the moments of both (Chan et al. 1983): nothing cancels, and a constant has no variance at all."""
        count = self.count + later.count
        share, apart = later.count / jnp.maximum(count, 1), later.mean - self.mean
        squares = self.squares + later.squares + apart**2 * self.count * share
        return Moments(count, self.mean + apart * share, squares)

    def statistics(self) -> Statistics:
        """Return mean and standard deviation."""
        return Statistics(self.mean, safe_sqrt(self.squares / jnp.maximum(self.count, 1)))


def normalise(x: Float[Array, "t c"], *, kind: Literal["window", "prefix"]) -> tuple[Float[Array, "t c"], Statistics]:
    """Return (x - mean) / deviation channel by channel, and the statistics that `denormalise` takes.

    "window" takes the statistics of all instants, so that every row sees the future of its own: it is for forecasts of
    what comes after the window. "prefix" takes for each instant those up to it, in O(t). Both follow any scale and
    offset of a channel exactly, because nothing is added to the variance: a channel that does not move has deviation
    zero and comes out as zero.

    Raises:
        ValueError: If the kind is neither.
    """
    if kind not in ("window", "prefix"):
        raise ValueError(f'expected kind "window" or "prefix", got {kind!r}')
    stats = window_statistics(x) if kind == "window" else prefix_moments(x).statistics()
    return _standard(x, stats), stats


def _standard(x: Float[Array, "t c"], stats: Statistics) -> Float[Array, "t c"]:
    return safe_divide(x - stats.mean, jnp.broadcast_to(stats.deviation, x.shape))


def window_statistics(x: Float[Array, "t c"]) -> Statistics:
    """Return the statistics of all instants; those of a constant channel are exact."""
    start = x[:1]
    shift = jnp.mean(x - start, axis=0, keepdims=True)
    return Statistics(start + shift, safe_sqrt(jnp.mean((x - start - shift) ** 2, axis=0, keepdims=True)))


def prefix_moments(x: Float[Array, "t c"]) -> Moments:
    """Return for each instant the moments of the instants up to it."""
    single = Moments(jnp.ones_like(x), x, jnp.zeros_like(x))
    return jax.lax.associative_scan(Moments.merge, single)


def denormalise(
    y: Float[Array, "h m"], stats: Statistics, *, columns: Sequence[int] | None = None
) -> Float[Array, "h m"]:
    """Return y deviation + mean, by the statistics of the channels that y forecasts; undoes `normalise`.

    Args:
        y: Rows of m channels in units of deviations.
        stats: Of the series that was normalised. One row, or as many as y has.
        columns: Which channels of the series those of y are, in order; by default all.

    Raises:
        ValueError: If y has another number of channels or rows, or a column is none of the series.
    """
    channels = stats.mean.shape[1]
    of = tuple(range(channels) if columns is None else columns)
    if not all(0 <= column < channels for column in of):
        raise ValueError(f"expected columns from 0 to {channels - 1}, those of the series, got {of}")
    if y.shape[1] != len(of):
        raise ValueError(
            f"expected {len(of)} channels, those of the columns {of}, got {y.shape[1]}; name in columns=... the "
            "channels of the series that are forecast"
        )
    if len(stats.mean) not in (1, len(y)):
        raise ValueError(f"expected {len(stats.mean)} rows, one for each row of the statistics, got {len(y)}")
    mean, deviation = (rows[:, np.asarray(of, int)] for rows in stats)
    return y * deviation + mean


class PrefixNorm(nn.Module):
    """`normalise` by the statistics of prefixes, without parameters, as a layer that streams."""

    def laws(self, x: Float[Any, "t c"]) -> tuple[Law, ...]:
        """Nothing sees the future, and no unit or zero of a channel means anything."""
        amplitudes = Equivariance(Amplitude(x.shape[1]), Channels(), Trivial())
        return Causality.past(x.shape[0]), amplitudes

    @nn.compact
    def __call__(self, x: Float[Array, "t c"]) -> Float[Array, "t c"]:
        """Return each instant relative to those up to it."""
        moments = prefix_moments(x)
        if is_streaming(self):
            before = self.variable(STREAM, "moments", lambda: Moments(*jnp.zeros((3, 1, x.shape[1]), x.dtype)))
            moments = before.value.merge(moments)
            before.value = jax.tree.map(lambda rows: rows[-1:], moments)
        return _standard(x, moments.statistics())


class ScaleInvariantNorm(nn.Module):
    """gain (x - mean) / sqrt(variance + 1e-6 mean square) + bias over the features of each instant.

    What is added to the variance follows the features, so that their scale is forgotten exactly, and a row without any
    variance comes out as the bias, with finite derivatives.
    """

    def laws(self, x: Float[Any, "t c"]) -> tuple[Law, ...]:
        """No instant sees another."""
        return (Causality(np.eye(x.shape[0])),)

    @nn.compact
    def __call__(self, x: Float[Array, "t c"]) -> Float[Array, "t c"]:
        """Return the features of every instant, of mean zero and variance one but for gain and bias."""
        gain = self.param("gain", nn.initializers.ones, (x.shape[-1],), x.dtype)
        bias = self.param("bias", nn.initializers.zeros, (x.shape[-1],), x.dtype)
        mean = jnp.mean(x, axis=-1, keepdims=True)
        apart = x - mean
        variance = jnp.mean(apart**2, axis=-1, keepdims=True)
        deviation = safe_sqrt(variance + EPSILON * (variance + mean**2))
        return safe_divide(apart, jnp.broadcast_to(deviation, x.shape)) * gain[None] + bias[None]
