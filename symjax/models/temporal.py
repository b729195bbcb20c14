"""A causal temporal network: dilated convolutions, attention to the past, and a forecast in the units of its series."""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from symjax.groups import Amplitude
from symjax.laws import Causality, Equivariance, Law
from symjax.layers.sequence import (
    CausalAttention,
    DilatedBlock,
    ScaleInvariantNorm,
    causal_mask,
    denormalise,
    normalise,
    require_whole,
)
from symjax.reps import Channels


class CausalStack(nn.Module):
    """Dense, `DilatedBlock`, `ScaleInvariantNorm`, then h <- h + norm(attention(h)) for each attention.

    Attributes:
        hidden: Channels of every instant.
        layers: Residual convolutions, of dilations 1, 2, 4, ...
        heads: Of every attention; divides `hidden`.
        width: Instants that a kernel sees.
        attentions: How many there are.
        window: How many instants an attention sees; all of the past by default. What streams needs a window.
        rotary: Whether attention knows positions.
        queries: Of how many instants, the last ones, the features are wanted; of all by default.
        dropout: Rate, after every attention, where `apply` gets `rngs={"dropout": key}`.
    """

    hidden: int = 32
    layers: int = 4
    heads: int = 4
    width: int = 3
    attentions: int = 2
    window: int | None = None
    rotary: bool = False
    queries: int | None = None
    dropout: float = 0.0

    def laws(self, x: Float[Any, "t i"]) -> tuple[Law, ...]:
        """Nothing sees the future."""
        return (Causality(causal_mask(x.shape[0], queries=self.queries)),)

    @nn.compact
    def __call__(self, x: Float[Array, "t i"]) -> Float[Array, "q c"]:
        """Return the hidden features of the instants that are asked for."""
        h = nn.Dense(self.hidden, param_dtype=x.dtype, name="embedding")(x)
        h = DilatedBlock(self.layers, self.width, name="convolutions")(h)
        h = ScaleInvariantNorm(name="norm")(h)
        for i in range(self.attentions):
            queries = self.queries if i == self.attentions - 1 else None
            attention = CausalAttention(self.heads, self.rotary, self.window, queries, name=f"attention_{i}")
            y = ScaleInvariantNorm(name=f"norm_{i}")(attention(h))
            h = h[-len(y) :] + nn.Dropout(self.dropout, deterministic=not self.has_rng("dropout"))(y)
        return h if self.queries is None else h[-self.queries :]


class CausalTemporalNetwork(nn.Module):
    """A forecast of the `horizon` steps after a window, from the last instant of a `CausalStack`.

    The window is normalised channel by channel, and the forecast goes back to the units of its own target channels: a
    target that stood still all the window long is forecast to stay.

    Attributes:
        horizon: Steps to forecast.
        targets: Columns of x that are forecast, in the order of the output.
        hidden: As of `CausalStack`, and width of the head.
        layers: As of `CausalStack`.
        heads: As of `CausalStack`.
        width: As of `CausalStack`.
        rotary: As of `CausalStack`.
        dropout: As of `CausalStack`.
    """

    horizon: int
    targets: tuple[int, ...] = (0,)
    hidden: int = 32
    layers: int = 4
    heads: int = 4
    width: int = 3
    rotary: bool = False
    dropout: float = 0.0

    def laws(self, x: Float[Any, "t c"]) -> tuple[Law, ...]:
        """The forecast follows unit and zero of its target channels, and those of the others mean nothing."""
        return (Equivariance(Amplitude(x.shape[1]), Channels(), Channels(self.targets)),)

    @nn.compact
    def __call__(
        self, x: Float[Array, "t c"], known: Float[Array, "t+{self.horizon} k"] | None = None
    ) -> Float[Array, "{self.horizon} m"]:
        """Return the forecast of the target channels.

        Args:
            x: The window.
            known: What is known ahead, such as the hour of the day, at the window's instants and the horizon's; in
                units of order one, for it is not normalised.
        """
        require_whole(self)
        z, stats = normalise(x, kind="window")
        if known is not None:
            z = jnp.concatenate([z, known[: len(x)]], axis=1)
        stack = CausalStack(
            self.hidden, self.layers, self.heads, self.width, rotary=self.rotary, queries=1, dropout=self.dropout
        )
        (h,) = stack(z)
        if known is not None:
            h = jnp.concatenate([h, known[len(x) :].ravel()])
        h = nn.gelu(nn.Dense(self.hidden, param_dtype=x.dtype, name="head")(h))
        y = nn.Dense(self.horizon * len(self.targets), param_dtype=x.dtype, name="out")(h)
        return denormalise(y.reshape(self.horizon, len(self.targets)), stats, columns=self.targets)
