"""Amplitudes: the unit and the zero of every channel of a series."""

import dataclasses
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from symjax.groups.group import check_counts, positional_repr, samples

WIDEST, FARTHEST = 10.0, 3.0  # of random elements: a factor, and an offset in units of the numbers it moves


class Rescaling(NamedTuple):
    """The map x -> scale x + offset of each channel; scales are positive."""

    scale: Float[Array, " c"]
    offset: Float[Array, " c"]


@dataclasses.dataclass(frozen=True, repr=False)
class Amplitude:
    """The group of positive scales and offsets of so many channels, each with its own."""

    channels: int
    components = 1
    __post_init__ = check_counts
    __repr__ = positional_repr
    samples = samples

    def sample(self, key: Key[Array, ""], component: int = 0) -> Rescaling:
        """Return a random element: scales between a tenth and ten, offsets of a few units of the scaled numbers."""
        for_scale, for_offset = jax.random.split(key)
        width = math.log(WIDEST)
        scale = jnp.exp(jax.random.uniform(for_scale, (self.channels,), minval=-width, maxval=width))
        return Rescaling(scale, FARTHEST * scale * jax.random.normal(for_offset, (self.channels,)))


@dataclasses.dataclass(frozen=True, repr=False)
class Offsets:
    """The group of offsets of so many channels, each with its own; a subgroup of `Amplitude`."""

    channels: int
    components = 1
    __post_init__ = check_counts
    __repr__ = positional_repr
    samples = samples

    def sample(self, key: Key[Array, ""], component: int = 0) -> Rescaling:
        """Return a random element: offsets of a few units, and scales of one."""
        return Rescaling(jnp.ones(self.channels), FARTHEST * jax.random.normal(key, (self.channels,)))
