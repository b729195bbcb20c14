"""Attention along time under any mask (Vaswani et al. 2017, arXiv:1706.03762), rotary positions (arXiv:2104.09864)."""

import functools
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Num

from symjax.laws import Causality, Law, Stationarity
from symjax.layers.sequence.stream import STREAM, is_streaming, remember
from symjax.math import attention

Mask = Bool[Array | np.ndarray, "q t"]


def causal_mask(instants: int, *, queries: int | None = None, window: int | None = None) -> Bool[np.ndarray, "q t"]:
    """Return mask[q, t] by which each of the last `queries` instants sees itself and those before, `window` in all."""
    rows = instants if queries is None else queries
    seen = np.tri(rows, instants, instants - rows, dtype=bool)
    return seen if window is None else seen & ~np.tri(rows, instants, instants - rows - window, dtype=bool)


def rotary(
    x: Float[Array, "t k c"], positions: Num[Array | np.ndarray, " t"], *, base: float = 10_000.0
) -> Float[Array, "t k c"]:
    """Turn channels i and i + c/2 of the instant at position p by the angle p base^(-2i/c).

    The product of two instants turned so depends on the distance of their positions alone.

    Raises:
        ValueError: If the number of channels is odd.
    """
    half, odd = divmod(x.shape[-1], 2)
    if odd:
        raise ValueError(f"expected an even number of channels a head to turn in pairs, got {x.shape[-1]}")
    angles = jnp.asarray(positions, x.dtype)[:, None] * jnp.asarray(base ** (-np.arange(half) / half), x.dtype)[None]
    cos, sin = jnp.cos(angles)[:, None], jnp.sin(angles)[:, None]
    a, b = x[..., :half], x[..., half:]
    return jnp.concatenate([a * cos - b * sin, a * sin + b * cos], axis=-1)


class CausalAttention(nn.Module):
    """`attention` of each instant to itself and those before, with as many channels out as in.

    Attributes:
        heads: Number of heads; divides the number of channels.
        rotary: Whether queries and keys know their positions.
        window: How many instants one sees; all of the past by default. What streams needs a window.
        queries: Of how many instants, the last ones, the output is wanted; of all by default. Costs in proportion.
    """

    heads: int
    rotary: bool = False
    window: int | None = None
    queries: int | None = None

    def laws(self, x: Float[Any, "t c"]) -> tuple[Law, ...]:
        """Nothing sees the future; and with a window, once it is whole, the hour means nothing."""
        causal = Causality(causal_mask(x.shape[0], queries=self.queries, window=self.window))
        return (causal,) if self.window is None or self.queries is not None else (causal, Stationarity(self.window))

    @nn.compact
    def __call__(self, x: Float[Array, "t c"]) -> Float[Array, "q c"]:
        """Return the features of the instants that are asked for."""
        channels = x.shape[-1]
        if channels % self.heads:
            raise ValueError(f"expected a number of channels that {self.heads} heads divide, got {channels}")
        if self.window is not None and self.window < 1:
            raise ValueError(f"expected a window of at least the instant itself, 1, got {self.window}")

        dense = functools.partial(nn.Dense, param_dtype=x.dtype)
        asked = len(x) if self.queries is None else self.queries
        if not 1 <= asked <= len(x):
            raise ValueError(f"expected from 1 to {len(x)} queries, one an instant, got {asked}")
        queries = dense(channels, name="queries")(x[-asked:]).reshape(asked, self.heads, -1)
        both = dense(2 * channels, name="keys_values")(x).reshape(len(x), 2, self.heads, -1)
        keys, values = both[:, 0], both[:, 1]
        keys, values, mask = self._with_past(keys, values, asked)
        if self.rotary:
            positions = np.arange(len(keys))
            queries, keys = rotary(queries, positions[-asked:]), rotary(keys, positions)
        y = attention(queries, keys, values, mask)
        return dense(channels, name="out")(y.reshape(asked, channels))

    def _with_past(self, keys: Array, values: Array, asked: int) -> tuple[Array, Array, Mask]:
        """Return keys and values with those remembered, and who sees whom."""
        if not is_streaming(self):
            return keys, values, causal_mask(len(keys), queries=self.queries, window=self.window)
        if self.window is None:
            raise ValueError("expected CausalAttention(window=...) to stream, got one that sees all of the past")
        new, size = len(keys), self.window - 1
        past = [remember(self, name, x, size) for name, x in (("keys", keys), ("values", values))]
        keys, values = (jnp.concatenate([p, x]) for p, x in zip(past, (keys, values), strict=True))
        count = self.variable(STREAM, "count", jnp.zeros, (), jnp.int32)
        there = jnp.arange(size + new, dtype=jnp.int32) >= size - count.value
        count.value = jnp.minimum(count.value + new, size)
        return keys, values, causal_mask(size + new, queries=asked, window=self.window) & there[None]
