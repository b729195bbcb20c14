"""The Lorentz groups of time and one or three space coordinates, time first: whole, or in part, or on spinors."""

import dataclasses
import functools
from typing import ClassVar

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, Key

from symjax.groups.group import MatrixGroup, read_only
from symjax.groups.matrices.euclidean import plane_rotations
from symjax.groups.words import random_exponential

BOOST = 0.3


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class SO13p(MatrixGroup):
    """The boosts and rotations of space-time: the part of the Lorentz group that a path joins to the identity."""

    space: ClassVar[int] = 3
    reversals: ClassVar[tuple[tuple[int, int], ...]] = ((1, 1),)
    """The signs of time and of space in one diagonal element of every component."""

    @property
    def d(self) -> int:
        """One time coordinate, then the coordinates of space."""
        return 1 + self.space

    @property
    def components(self) -> int:
        """One for each pair of signs that time and space may take."""
        return len(self.reversals)

    @property
    def form(self) -> np.ndarray:
        """The metric diag(1, -1, ...), which every element g preserves: g^T form g = form."""
        return self._reversal(1, -1)

    @functools.cached_property
    def lie_algebra(self) -> tuple[np.ndarray, ...]:
        """The boosts, which are symmetric, and the rotations."""
        return read_only(self.form @ tangent for tangent in plane_rotations(self.d))

    @functools.cached_property
    def generators(self) -> tuple[np.ndarray, ...]:
        """The reversals of time and space beyond the boosts and rotations."""
        return read_only(self._reversal(*signs) for signs in self.reversals[1:3])

    def sample(self, key: Key[Array, ""], component: int = 0) -> Float[Array, "d d"]:
        """Return a rotation with boosts of rapidities about 0.3, after the reversals of its component.

        Larger boosts would stretch vectors so far that single precision, and data to learn from, suffer.
        """
        gentle = [BOOST * a if np.array_equal(a, a.T) else a for a in self.lie_algebra]
        g = random_exponential(key, gentle)
        return g * jnp.asarray(np.diag(self._reversal(*self.reversals[component])))[None]

    def _reversal(self, time: int, space: int) -> np.ndarray:
        return np.diag([float(time)] + [float(space)] * self.space)


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class SO13(SO13p):
    """SO(1,3), the Lorentz transformations of determinant 1: component 1 reverses time and space."""

    reversals = ((1, 1), (-1, -1))


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class O13(SO13p):
    """O(1,3), the Lorentz group: component 1 reverses space, component 2 time, component 3 both."""

    reversals = ((1, 1), (1, -1), (-1, 1), (-1, -1))


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class SO11p(SO13p):
    """The boosts of one time and one space coordinate."""

    space = 1


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class SO11(SO13):
    """SO(1,1), the boosts of one time and one space coordinate; component 1 reverses both."""

    space = 1


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class O11(O13):
    """O(1,1), the whole Lorentz group of one space coordinate: component 1 reverses it, 2 time, 3 both."""

    space = 1


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class SL2C(MatrixGroup):
    """SL(2, C), the complex 2 x 2 matrices of determinant 1, which move Weyl spinors as SO13p() moves four-vectors."""

    d: ClassVar[int] = 2

    @functools.cached_property
    def lie_algebra(self) -> tuple[np.ndarray, ...]:
        """The boosts along three axes, halves of Pauli's matrices, and the rotations about them."""
        pauli = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
        return read_only([*(pauli / 2), *(-1j * pauli / 2)])

    @property
    def generators(self) -> tuple[np.ndarray, ...]:
        """None: the group is connected."""
        return ()

    def sample(self, key: Key[Array, ""], component: int = 0) -> Complex[Array, "2 2"]:
        """Return a rotation with boosts of rapidities about 0.3, as of `SO13p`."""
        return random_exponential(key, [*(BOOST * a for a in self.lie_algebra[:3]), *self.lie_algebra[3:]])
