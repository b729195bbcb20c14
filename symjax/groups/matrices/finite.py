"""Finite groups of matrices: the rotations and reflections of a polygon, the reversals of space and of time."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

from symjax.groups.group import MatrixGroup, read_only


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class Trivial(MatrixGroup):
    """The identity of n-dimensional space alone: every linear map is equivariant."""

    n: int

    @property
    def d(self) -> int:
        """The number of coordinates, n."""
        return self.n

    @property
    def lie_algebra(self) -> tuple[np.ndarray, ...]:
        """None: the group is finite."""
        return ()

    @property
    def generators(self) -> tuple[np.ndarray, ...]:
        """None: the identity goes without saying."""
        return ()

    def sample(self, key: Key[Array, ""], component: int = 0) -> Float[Array, "d d"]:
        """Return the identity."""
        return jnp.eye(self.n)


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class C(MatrixGroup):
    """C(k), the rotations of the plane by multiples of 2 pi / k."""

    k: int

    @property
    def d(self) -> int:
        """The plane has 2 dimensions."""
        return 2

    @property
    def lie_algebra(self) -> tuple[np.ndarray, ...]:
        """None: the group is finite."""
        return ()

    @functools.cached_property
    def generators(self) -> tuple[np.ndarray, ...]:
        """The rotation by 2 pi / k, unless that is the identity."""
        c, s = np.cos(2 * np.pi / self.k), np.sin(2 * np.pi / self.k)
        return read_only([np.array([[c, -s], [s, c]])][: self.k - 1])

    def uniform(self, key: Key[Array, ""]) -> Float[Array, "d d"]:
        """Return a random element, each with the same probability."""
        return _rotation(jax.random.randint(key, (), 0, self.k), self.k)

    def sample(self, key: Key[Array, ""], component: int = 0) -> Float[Array, "d d"]:
        """Return a random rotation, for k > 1 never the identity, which every function obeys."""
        return _rotation(jax.random.randint(key, (), min(1, self.k - 1), self.k), self.k)


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class D(C):
    """D(k), the rotations (component 0) and the reflections (component 1) of a polygon of k corners."""

    components = 2

    @functools.cached_property
    def generators(self) -> tuple[np.ndarray, ...]:
        """The rotation by 2 pi / k, unless that is the identity, and the reflection of the first axis."""
        return C(self.k).generators + read_only([np.diag([-1.0, 1.0])])

    def uniform(self, key: Key[Array, ""]) -> Float[Array, "d d"]:
        """Return a random element, each with the same probability."""
        turn, side = jax.random.split(key)
        return super().uniform(turn).at[:, 0].multiply(jax.random.rademacher(side, (), float))

    def sample(self, key: Key[Array, ""], component: int = 0) -> Float[Array, "d d"]:
        """Return a random reflection (component 1), or a rotation, for k > 1 never the identity."""
        return super().uniform(key).at[:, 0].multiply(-1) if component else super().sample(key)


def _rotation(turns: Int[Array, ""], k: int) -> Float[Array, "2 2"]:
    angle = turns.astype(float) * (2 * np.pi / k)
    c, s = jnp.cos(angle), jnp.sin(angle)
    return jnp.stack([jnp.stack([c, -s]), jnp.stack([s, c])])


class _Reversal(MatrixGroup):
    """The identity of space-time (component 0) and one diagonal matrix of signs (component 1)."""

    components = 2

    @property
    def d(self) -> int:
        """One time and three space coordinates, time first."""
        return 4

    @property
    def lie_algebra(self) -> tuple[np.ndarray, ...]:
        """None: the group is finite."""
        return ()

    def sample(self, key: Key[Array, ""], component: int = 0) -> Float[Array, "d d"]:
        """Return the identity (component 0) or the reversal (component 1)."""
        return jnp.asarray(self.generators[0]) if component else jnp.eye(4)


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class Parity(_Reversal):
    """The identity of space-time and the reversal of its three space coordinates."""

    @functools.cached_property
    def generators(self) -> tuple[np.ndarray, ...]:
        """diag(1, -1, -1, -1)."""
        return read_only([np.diag([1.0, -1.0, -1.0, -1.0])])


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class TimeReversal(_Reversal):
    """The identity of space-time and the reversal of its time coordinate, which comes first."""

    @functools.cached_property
    def generators(self) -> tuple[np.ndarray, ...]:
        """diag(-1, 1, 1, 1)."""
        return read_only([np.diag([-1.0, 1.0, 1.0, 1.0])])
