"""Channels under changes of their units and zeros."""

import dataclasses

import jax.numpy as jnp
from jaxtyping import Array, Float

from symjax.groups import Rescaling


@dataclasses.dataclass(frozen=True)
class Channels:
    """Channels on the last axis: g x = scale x + offset, channel by channel.

    Attributes:
        columns: Which channels of the group these are, in their order; None where they are all of them.
    """

    columns: tuple[int, ...] | None = None

    def act(self, g: Rescaling, x: Float[Array, "... c"]) -> Float[Array, "... c"]:
        """Return every channel with another unit and another zero.

        Raises:
            ValueError: If x has another number of channels.
        """
        places = range(len(g.scale)) if self.columns is None else self.columns
        if x.shape[-1:] != (len(places),):
            raise ValueError(f"expected {len(places)} channels on the last axis, got an array of shape {x.shape}")
        scale, offset = (jnp.stack([part[i] for i in places]).astype(x.dtype) for part in g)
        return jnp.broadcast_to(scale, x.shape) * x + jnp.broadcast_to(offset, x.shape)

    def __str__(self) -> str:
        return "channels" if self.columns is None else f"channels {', '.join(map(str, self.columns))}"
