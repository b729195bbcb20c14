"""The equivariant linear maps between two representations, as a value: solved once, applied in compiled code."""

import dataclasses
import functools
from typing import Any

import jax
import numpy as np
from jax.core import Tracer
from jaxtyping import Float, Inexact

from symjax.groups import MatrixGroup
from symjax.reps import LinearRep, Pullback, factors_of, summands


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Plan:
    """An orthonormal basis of all linear maps W with rho_out(g) W = W rho_in(g).

    A plan is a pytree whose leaves are the arrays of its basis, and two plans are equal where all they hold is. The
    arrays are constants: no gradient reaches them, so that a module of any library may hold a plan and be trained.

    Attributes:
        basis: an `IsotypicBasis` of all copies of all tensors together, or a `TiledBasis` of pairs of them.
        method: the methods that found the basis, e.g. "isotypic", or "none" where there is no map.
        residual: the largest violation of equivariance by a random map, on any generator, relative to its size.
        rep_in: the representation of the input.
        rep_out: the representation of the output.
    """

    basis: Any
    method: str = dataclasses.field(metadata={"static": True})
    residual: float = dataclasses.field(metadata={"static": True})
    rep_in: LinearRep = dataclasses.field(metadata={"static": True})
    rep_out: LinearRep = dataclasses.field(metadata={"static": True})

    @property
    def dim(self) -> int:
        """The dimension of the space of maps, the length of a vector of coefficients."""
        return self.basis.dim

    @property
    def group(self) -> MatrixGroup:
        """The group of both representations."""
        return self.rep_out.require_group()

    @property
    def advice(self) -> str:
        """Why zero may be the only map between two representations, and what to try."""
        for rep in (self.rep_in, self.rep_out):
            if rep.size == 0:
                return f"{rep} has no coordinates; choose another representation"
        moved = [_moving_factors(rep) for rep in (self.rep_in, self.rep_out)]
        if all(moved) and not set.intersection(*moved):
            return (
                "different factors of the group move them; give both the same group, by restrict(rep, subgroup) where "
                "one holds the other"
            )
        return (
            "no part of one transforms like a part of the other; add scalars or products such as T(2) or T(3) to the "
            "input, choose another output, or ask for less symmetry with a smaller group"
        )

    @functools.cached_property
    def scales(self) -> Float[np.ndarray, " r"]:
        """The deviations of random coefficients that give each summand of the output the mean square of the input."""
        owners = self.basis.owners
        sizes = np.array([summand.places.size for summand in summands(self.rep_out)])
        return np.sqrt(sizes / np.maximum(np.bincount(owners, minlength=len(sizes)), 1))[owners]

    def matrix(self, coefficients: Inexact[Any, "... r"]) -> Inexact[Any, "... o i"]:
        """Return the map with these coefficients, [..., rep_out.size, rep_in.size].

        Raises:
            ValueError: If there are not `dim` coefficients.
        """
        _require(coefficients, (self.dim,), "coefficients")
        with jax.default_matmul_precision("highest"):
            return self._constant_basis.matrix(coefficients)

    def apply(self, coefficients: Inexact[Any, "*r"], x: Inexact[Any, "... i"]) -> Inexact[Any, "... o"]:
        """Return the map with these coefficients times the vectors along the last axis of x.

        The matrix of the map is not formed where irreps are mixed, or where large tensors meet few vectors.

        Raises:
            ValueError: If there are not `dim` coefficients or not `rep_in.size` numbers along the last axis of x.
        """
        _require(coefficients, (self.dim,), "coefficients")
        if coefficients.ndim > 1:
            raise ValueError(
                f"expected the coefficients of one map, got shape {coefficients.shape}; map them by jax.vmap"
            )
        _require(x, (self.rep_in.size,), "vectors")
        with jax.default_matmul_precision("highest"):
            return self._constant_basis.apply(coefficients, x)

    def coefficients(self, w: Inexact[Any, "... o i"]) -> Inexact[Any, "... r"]:
        """Return the inner products of a matrix with the maps of the basis: those of its equivariant part.

        Raises:
            ValueError: If it is not of shape [..., rep_out.size, rep_in.size].
        """
        _require(w, (self.rep_out.size, self.rep_in.size), "matrices")
        with jax.default_matmul_precision("highest"):
            return self._constant_basis.coefficients(w)

    def project(self, w: Inexact[Any, "... o i"]) -> Inexact[Any, "... o i"]:
        """Return the nearest equivariant map to a matrix, in the Frobenius norm."""
        return self.matrix(self.coefficients(w))

    @property
    def _constant_basis(self) -> Any:
        return jax.tree.map(_constant, self.basis)

    @functools.cached_property
    def _content(self) -> tuple:
        return self.rep_in, self.rep_out, self.method, self.dim

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Plan):
            return NotImplemented
        (ours, form), (theirs, other_form) = jax.tree.flatten(self.basis), jax.tree.flatten(other.basis)
        return self._content == other._content and form == other_form and all(map(_same, ours, theirs))

    def __hash__(self) -> int:
        return hash(self._content)

    def __repr__(self) -> str:
        outcome = f"{self.method}, residual {self.residual:.1e}" if self.dim else self.advice
        return f"Plan({self.rep_in!r} -> {self.rep_out!r}: dim {self.dim}, {outcome})"


def _moving_factors(rep: LinearRep) -> set[int]:
    """Return which factors of a direct product move the leaves of a representation, all for a leaf of the product."""
    movers: set[int] = set()

    def look(leaf: LinearRep) -> LinearRep:
        movers.update([leaf.factor] if isinstance(leaf, Pullback) else range(len(factors_of(leaf.require_group()))))
        return leaf

    rep.map_leaves(look, rep.group)
    return movers


def _constant(array: Any) -> Any:
    return jax.lax.stop_gradient(array) if isinstance(array, Tracer) else array


def _same(a: Any, b: Any) -> bool:
    return a is b or (a.dtype == b.dtype and not isinstance(a, Tracer) and np.array_equal(a, b))


def _require(array: Any, last: tuple[int, ...], what: str) -> None:
    if not isinstance(array, np.ndarray | jax.Array):
        raise TypeError(f"expected {what} as an array, got {array!r}")
    if array.shape[-len(last) :] != last:
        raise ValueError(f"expected {what} of shape [..., {', '.join(map(str, last))}], got {array.shape}")
    if not jax.dtypes.issubdtype(array.dtype, np.inexact):
        raise TypeError(f"expected {what} of real or complex numbers, got {array.dtype}")
