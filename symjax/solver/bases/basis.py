"""Orthonormal bases of linear maps between two representations, each kept in the form that its solver finds.

Every basis has `dim`, `matrix` (coefficients to maps) and `coefficients` (maps to coefficients, so that `matrix` of it
is the orthogonal projection). Leading axes batch. The arrays are float64 on the host and take the precision of what
they meet.
"""

import dataclasses
import math
from typing import Any, Protocol, runtime_checkable

import jax
import numpy as np
from jaxtyping import Float, Inexact, Int, Shaped

from symjax.math import namespace


class Unsolved(Exception):  # noqa: N818
    """A method does not apply here, or its result did not pass its checks; says why."""


@runtime_checkable
class Basis(Protocol):
    """An orthonormal basis of `dim` maps."""

    @property
    def dim(self) -> int:
        """The number of maps."""
        ...

    def matrix(self, c: Inexact[Any, "... r"]) -> Inexact[Any, "... o i"]:
        """Return the sum of the maps times the coefficients."""
        ...

    def coefficients(self, w: Inexact[Any, "... o i"]) -> Inexact[Any, "... r"]:
        """Return the inner products <map, w> = sum conj(map) w."""
        ...


@runtime_checkable
class Factored(Basis, Protocol):
    """A basis whose maps are applied without forming their matrices."""

    def apply(self, c: Inexact[Any, " r"], x: Inexact[Any, "... i"]) -> Inexact[Any, "... o"]:
        """Return `matrix(c)` times the vectors along the last axis of x."""
        ...


def cast(array: Shaped[Any, "..."], like: Any) -> Any:
    """Return a constant in the precision and array type of what it meets, complex where either is."""
    wanted = like.dtype
    if np.iscomplexobj(array):
        wanted = np.result_type(wanted, np.complex64)
    return namespace(like, array).asarray(array, dtype=wanted)


def _beside(array: Shaped[Any, "..."], like: Any) -> Any:
    """Return a constant for every leading index of what it meets."""
    return cast(array.reshape((1,) * (like.ndim - array.ndim) + array.shape), like)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class DenseBasis:
    """Every map in full: `maps[r]` is [n_out, n_in]."""

    maps: Inexact[Any, "r o i"]

    @property
    def dim(self) -> int:
        """The number of maps."""
        return self.maps.shape[0]

    def matrix(self, c: Inexact[Any, "... r"]) -> Inexact[Any, "... o i"]:
        """Return the sum of the maps times the coefficients."""
        return namespace(c, self.maps).einsum("...r,roi->...oi", c, cast(self.maps, c))

    def coefficients(self, w: Inexact[Any, "... o i"]) -> Inexact[Any, "... r"]:
        """Return the inner products with the maps."""
        return namespace(w, self.maps).einsum("...oi,roi->...r", w, cast(self.maps, w).conj())


def in_full(basis: Basis) -> DenseBasis:
    """Return the same basis with every map in full, so that it costs one product, to compile and to run."""
    return DenseBasis(basis.matrix(np.eye(basis.dim)))


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class OrbitBasis:
    """Maps that are constant, up to signs, on each orbit of the entries and zero elsewhere.

    Attributes:
        orbits: the orbit of each entry, -1 where every invariant vanishes.
        signs: +1 or -1 for each entry, or None where all are +1.
        sizes: the number of entries of each orbit.
    """

    orbits: Int[Any, "o i"]
    signs: Float[Any, "o i"] | None
    sizes: Int[Any, " r"]

    @property
    def dim(self) -> int:
        """The number of maps, one an orbit."""
        return len(self.sizes)

    def _scaled(self, c: Inexact[Any, "... r"]) -> Inexact[Any, "... r"]:
        return c / _beside(self.sizes, c) ** 0.5

    def matrix(self, c: Inexact[Any, "... r"]) -> Inexact[Any, "... o i"]:
        """Return the matrices with c[r] / sqrt(size of r) on orbit r."""
        xp, last = namespace(c, self.orbits), np.zeros((*c.shape[:-1], 1))  # place -1 is for entries without an orbit
        padded = xp.concatenate([self._scaled(c), xp.asarray(last, dtype=c.dtype)], axis=-1)
        w = xp.take(padded, self.orbits, axis=-1)
        return w if self.signs is None else w * _beside(self.signs, w)

    def coefficients(self, w: Inexact[Any, "... o i"]) -> Inexact[Any, "... r"]:
        """Return the sums over orbits, divided by sqrt(size)."""
        xp = namespace(w, self.orbits)
        w = w if self.signs is None else w * _beside(self.signs, w)
        flat = xp.moveaxis(w.reshape(*w.shape[:-2], math.prod(w.shape[-2:])), -1, 0)
        ids = xp.where(self.orbits < 0, self.dim, self.orbits).ravel()
        sums = xp.zeros((self.dim + 1, *flat.shape[1:]), flat.dtype)
        sums = sums.at[ids].add(flat) if isinstance(sums, jax.Array) else _add_at(sums, ids, flat)
        return self._scaled(xp.moveaxis(sums, 0, -1)[..., :-1])


def _add_at(sums: np.ndarray, ids: np.ndarray, values: np.ndarray) -> np.ndarray:
    np.add.at(sums, ids, values)
    return sums


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class FoldedBasis:
    """The maps of another basis, reshaped: invariants of A (x) B are maps from B* to A."""

    inner: Any
    folded: tuple[int, int] = dataclasses.field(metadata={"static": True})
    shape: tuple[int, int] = dataclasses.field(metadata={"static": True})

    @property
    def dim(self) -> int:
        """The number of maps."""
        return self.inner.dim

    def matrix(self, c: Inexact[Any, "... r"]) -> Inexact[Any, "... o i"]:
        """Return the sum of the maps times the coefficients."""
        w = self.inner.matrix(c)
        return w.reshape(*w.shape[:-2], *self.shape)

    def coefficients(self, w: Inexact[Any, "... o i"]) -> Inexact[Any, "... r"]:
        """Return the inner products with the maps."""
        assert math.prod(self.folded) == math.prod(self.shape)
        return self.inner.coefficients(w.reshape(*w.shape[:-2], *self.folded))
