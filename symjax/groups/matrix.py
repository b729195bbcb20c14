"""Orthogonal matrices and the rigid motions of n-dimensional space."""

import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from symjax.groups.group import positional_repr


class Motion(NamedTuple):
    """The map x -> rotation x + translation; `rotation` may reflect too."""

    rotation: Float[Array, "d d"]
    translation: Float[Array, " d"]


@dataclasses.dataclass(frozen=True, repr=False)
class O:  # noqa: E742
    """O(n), the orthogonal n x n matrices: component 0 rotates, component 1 also reflects."""

    n: int
    components = 2
    __repr__ = positional_repr

    def sample(self, key: Key[Array, ""], component: int = 0) -> Float[Array, "d d"]:
        """Return a uniformly random matrix of determinant +1 (component 0) or -1 (component 1)."""
        q = jax.random.orthogonal(key, self.n)
        wanted = 1 - 2 * component
        return q.at[:, 0].multiply(wanted * jnp.sign(jnp.linalg.det(q)))


@dataclasses.dataclass(frozen=True, repr=False)
class SO:
    """SO(n), the rotations of n-dimensional space."""

    n: int
    components = 1
    __repr__ = positional_repr

    def sample(self, key: Key[Array, ""], component: int = 0) -> Float[Array, "d d"]:
        """Return a uniformly random rotation matrix."""
        return O(self.n).sample(key, component)


@dataclasses.dataclass(frozen=True, repr=False)
class Translations:
    """The translations of n-dimensional space."""

    n: int
    components = 1
    __repr__ = positional_repr

    def sample(self, key: Key[Array, ""], component: int = 0) -> Motion:
        """Return a normally distributed translation of unit variance."""
        return Motion(jnp.eye(self.n), jax.random.normal(key, (self.n,)))


@dataclasses.dataclass(frozen=True, repr=False)
class E:
    """E(n), the rigid motions of n-dimensional space: component 0 keeps handedness, component 1 reverses it."""

    n: int
    components = 2
    __repr__ = positional_repr

    def sample(self, key: Key[Array, ""], component: int = 0) -> Motion:
        """Return a uniformly random orthogonal matrix of the component, with a normally distributed translation."""
        turn, shift = jax.random.split(key)
        return Motion(O(self.n).sample(turn, component), jax.random.normal(shift, (self.n,)))


@dataclasses.dataclass(frozen=True, repr=False)
class SE:
    """SE(n), the rigid motions of n-dimensional space that keep handedness."""

    n: int
    components = 1
    __repr__ = positional_repr

    def sample(self, key: Key[Array, ""], component: int = 0) -> Motion:
        """Return a uniformly random rotation with a normally distributed translation."""
        return E(self.n).sample(key, component)
