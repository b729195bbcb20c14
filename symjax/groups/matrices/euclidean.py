"""Orthogonal matrices and the rigid motions of n-dimensional space."""

import dataclasses
import functools
import itertools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from symjax.groups.group import MatrixGroup, check_counts, positional_repr, read_only, samples


class Motion(NamedTuple):
    """The map x -> rotation x + translation; `rotation` may reflect too."""

    rotation: Float[Array, "d d"]
    translation: Float[Array, " d"]


def plane_rotations(n: int) -> tuple[np.ndarray, ...]:
    """Return the n(n-1)/2 tangents that turn axis i towards axis j, for i < j."""
    tangents = np.zeros((n * (n - 1) // 2, n, n))
    for tangent, (i, j) in zip(tangents, itertools.combinations(range(n), 2), strict=True):
        tangent[j, i], tangent[i, j] = 1, -1
    return read_only(tangents)


def reflection(n: int, *axes: int) -> np.ndarray:
    """Return the n x n matrix that reverses the given axes."""
    signs = np.ones(n)
    signs[list(axes)] = -1
    return np.diag(signs)


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class SO(MatrixGroup):
    """SO(n), the rotations of n-dimensional space."""

    n: int

    @property
    def d(self) -> int:
        """The number of coordinates, n."""
        return self.n

    @functools.cached_property
    def lie_algebra(self) -> tuple[np.ndarray, ...]:
        """The n(n-1)/2 antisymmetric matrices with one 1."""
        return plane_rotations(self.n)

    @property
    def generators(self) -> tuple[np.ndarray, ...]:
        """None: the group is connected."""
        return ()

    def sample(self, key: Key[Array, ""], component: int = 0) -> Float[Array, "d d"]:
        """Return a uniformly random rotation matrix."""
        return _orthogonal(key, self.n, 1)


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class O(SO):  # noqa: E742
    """O(n), the orthogonal n x n matrices: component 0 rotates, component 1 also reflects."""

    components = 2

    @functools.cached_property
    def generators(self) -> tuple[np.ndarray, ...]:
        """The reflection of the first axis."""
        return read_only([reflection(self.n, 0)])

    def sample(self, key: Key[Array, ""], component: int = 0) -> Float[Array, "d d"]:
        """Return a uniformly random matrix of determinant +1 (component 0) or -1 (component 1)."""
        return _orthogonal(key, self.n, 1 - 2 * component)


def _orthogonal(key: Key[Array, ""], n: int, determinant: int) -> Float[Array, "d d"]:
    q = jax.random.orthogonal(key, n)
    return q.at[:, 0].multiply(determinant * jnp.sign(jnp.linalg.det(q)))


@dataclasses.dataclass(frozen=True, repr=False)
class Translations:
    """The translations of n-dimensional space."""

    n: int
    components = 1
    __post_init__ = check_counts
    __repr__ = positional_repr
    samples = samples

    def sample(self, key: Key[Array, ""], component: int = 0) -> Motion:
        """Return a normally distributed translation of unit variance."""
        return Motion(jnp.eye(self.n), jax.random.normal(key, (self.n,)))


@dataclasses.dataclass(frozen=True, repr=False)
class E:
    """E(n), the rigid motions of n-dimensional space: component 0 keeps handedness, component 1 reverses it."""

    n: int
    components = 2
    __post_init__ = check_counts
    __repr__ = positional_repr
    samples = samples

    def sample(self, key: Key[Array, ""], component: int = 0) -> Motion:
        """Return a uniformly random orthogonal matrix of the component, with a normally distributed translation."""
        turn, shift = jax.random.split(key)
        return Motion(O(self.n).sample(turn, component), jax.random.normal(shift, (self.n,)))


@dataclasses.dataclass(frozen=True, repr=False)
class SE:
    """SE(n), the rigid motions of n-dimensional space that keep handedness."""

    n: int
    components = 1
    __post_init__ = check_counts
    __repr__ = positional_repr
    samples = samples

    def sample(self, key: Key[Array, ""], component: int = 0) -> Motion:
        """Return a uniformly random rotation with a normally distributed translation."""
        return E(self.n).sample(key, component)
