"""Pooling along time that sees no future, counts what is there, and never drops the newest instants."""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from symjax.laws import Causality, Law
from symjax.layers.sequence.stream import require_whole
from symjax.math import masked_softmax


def windows(instants: int, window: int, *, stride: int = 1) -> tuple[Int[np.ndarray, "p w"], Bool[np.ndarray, "p w"]]:
    """Return the places of windows that end at the newest instant and every `stride` before it, and which exist.

    Nothing is dropped: the oldest windows may be cut short.

    Raises:
        ValueError: If window or stride is less than 1.
    """
    if min(window, stride) < 1:
        raise ValueError(f"expected a window and a stride of at least 1, got {window} and {stride}")
    ends = np.arange(instants - 1, -1, -stride)[::-1]
    places = ends[:, None] - np.arange(window)[None, ::-1]
    return np.maximum(places, 0), places >= 0


def windows_law(instants: int, window: int, *, stride: int = 1) -> Causality:
    """Return that what is pooled over `windows` sees nothing else."""
    places, there = windows(instants, window, stride=stride)
    return Causality(((places[..., None] == np.arange(instants)) & there[..., None]).any(axis=1))


def causal_average(x: Float[Array, "t c"], window: int, *, stride: int = 1) -> Float[Array, "p c"]:
    """Return the mean over the `windows` of x, by the number of instants that each has."""
    places, there = windows(len(x), window, stride=stride)
    counts = there.sum(axis=1).astype(x.dtype)
    return jnp.where(there[..., None], x[places], 0).sum(axis=1) / counts[:, None]


def attention_pool(
    scores: Float[Array, " t"], x: Float[Array, "t c"], window: int, *, stride: int = 1
) -> Float[Array, "p c"]:
    """Return sum_t softmax_t(scores_t) x_t over the `windows` of x; for equal scores `causal_average`."""
    places, there = windows(len(x), window, stride=stride)
    weights = masked_softmax(scores[places], there)
    return jnp.einsum("pw,pwc->pc", weights, jnp.where(there[..., None], x[places], 0))


class AttentionPool(nn.Module):
    """`attention_pool` with the scores query . tanh(hidden x).

    Attributes:
        window: Instants that one output sees.
        stride: Instants from one output to the next, counted back from the newest.
        hidden: Width of the scores' layer.
    """

    window: int
    stride: int = 1
    hidden: int = 16

    def laws(self, x: Float[Any, "t c"]) -> tuple[Law, ...]:
        """Each output sees its own window."""
        return (windows_law(x.shape[0], self.window, stride=self.stride),)

    @nn.compact
    def __call__(self, x: Float[Array, "t c"]) -> Float[Array, "p c"]:
        """Return the features of every window, the newest last."""
        require_whole(self)
        hidden = jnp.tanh(nn.Dense(self.hidden, param_dtype=x.dtype, name="hidden")(x))
        query = self.param("query", nn.initializers.normal(self.hidden**-0.5), (self.hidden,), x.dtype)
        return attention_pool(hidden @ query, x, self.window, stride=self.stride)
