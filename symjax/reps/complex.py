"""Complex representations: the conjugate of one, its real form, and the same in real and imaginary parts."""

import dataclasses
import functools
import itertools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import scipy.linalg
from jaxtyping import Complex

from symjax.groups import MatrixGroup
from symjax.math import namespace
from symjax.reps.linear import Around, LinearRep, Product, product_of
from symjax.reps.measured import declared

LARGEST = 24  # coordinates of what is compared with its conjugate, in equations for the square of that many unknowns
ZERO, CLOSE = 1e-10, 1e-9


@dataclasses.dataclass(frozen=True, repr=False)
class Conjugate(Around):
    """The complex conjugate of a leaf. Made by `conjugate`."""

    def rho(self, g: Any) -> Any:
        """Return the matrix of an element."""
        return self.rep.rho(g).conj()

    def drho(self, a: Any) -> Any:
        """Return the matrix of a tangent."""
        return self.rep.drho(a).conj()

    @property
    def T(self) -> LinearRep:
        """The dual."""
        return conjugate(self.rep.T)

    def bind(self, group: MatrixGroup) -> LinearRep:
        """Return this as a representation of `group`."""
        return conjugate(self.rep.bind(group))

    def regroup(self, group: MatrixGroup) -> LinearRep:
        """Return this as a representation of another group."""
        return conjugate(self.rep.regroup(group))

    @property
    def text(self) -> str:
        """The call that makes it."""
        return f"conjugate({self.rep.text})"


@dataclasses.dataclass(frozen=True, repr=False)
class _Changed(Around):
    """A representation in other coordinates."""

    def map_leaves(self, change: Callable[[LinearRep], LinearRep], group: MatrixGroup | None) -> LinearRep:
        """Return the same of the changed representation."""
        return dataclasses.replace(self, rep=self.rep.map_leaves(change, group))


@dataclasses.dataclass(frozen=True, repr=False)
class RealForm(_Changed):
    """A complex representation in coordinates in which its matrices are real. Made by `real_form`."""

    def rho(self, g: Any) -> Any:
        """Return the matrix of an element."""
        return self._changed(self.rep.rho(g))

    def drho(self, a: Any) -> Any:
        """Return the matrix of a tangent."""
        return self._changed(self.rep.drho(a))

    def _changed(self, matrix: Any) -> Any:
        frame, xp = _real_frame(self.rep), namespace(matrix)
        back, forth = (xp.asarray(m, dtype=np.result_type(matrix.dtype, np.complex64)) for m in (frame.conj().T, frame))
        with jax.default_matmul_precision("highest"):
            return (back @ matrix.astype(forth.dtype) @ forth).real

    @property
    def text(self) -> str:
        """The call that makes it."""
        return f"real_form({self.rep.text})"


@dataclasses.dataclass(frozen=True, repr=False)
class InParts(_Changed):
    """The real parts of all coordinates, then the imaginary ones, of a complex representation. Made by `in_parts`."""

    @property
    def size(self) -> int:
        """Twice the number of complex coordinates."""
        return 2 * self.rep.size

    def rho(self, g: Any) -> Any:
        """Return the matrix of an element."""
        return _parts(self.rep.rho(g))

    def drho(self, a: Any) -> Any:
        """Return the matrix of a tangent."""
        return _parts(self.rep.drho(a))

    @property
    def text(self) -> str:
        """The call that makes it."""
        return f"in_parts({self.rep.text})"


def conjugate(rep: LinearRep) -> LinearRep:
    """Return the complex conjugate, rho(g)*; for unitary groups that is the dual, for real ones `rep` itself."""
    return rep.map_leaves(_conjugate_leaf, rep.group)


def real_form(rep: LinearRep) -> LinearRep:
    """Return a complex representation in coordinates in which all its matrices are real.

    The coordinates of W (x) W* are those of Hermitian matrices along 1, then the matrices with 1 and with -i at two
    places, then traceless diagonals, all of norm 1. So Weyl spinors make four-vectors, time first:
    `real_form(V(SL2C()) * conjugate(V(SL2C())))`.

    Raises:
        ValueError: If there are none, or if that cannot be told.
    """
    _real_frame(rep)
    return RealForm(rep)


def in_parts(rep: LinearRep) -> LinearRep:
    """Return n complex coordinates as 2n real ones, the real parts first: [[Re, -Im], [Im, Re]]."""
    return InParts(rep)


def _conjugate_leaf(leaf: LinearRep) -> LinearRep:
    if isinstance(leaf, Conjugate):
        return leaf.rep
    if leaf.group is None or declared(leaf) or not (leaf.group.is_unitary or leaf.group.is_real):
        return Conjugate(leaf)
    return leaf if leaf.group.is_real else leaf.T


def _parts(matrix: Any) -> Any:
    xp = namespace(matrix)
    return xp.block([[matrix.real, -matrix.imag], [matrix.imag, matrix.real]])


@functools.lru_cache(maxsize=64)
def _real_frame(rep: LinearRep) -> Complex[np.ndarray, "n n"]:
    """Return orthonormal vectors, as columns, that an antilinear map x -> K x*, which the group keeps, leaves alone."""
    if isinstance(rep, Product) and (half := len(rep.factors) // 2):
        first, second = (product_of(factors, rep.group) for factors in (rep.factors[:half], rep.factors[half:]))
        if conjugate(first) == second:
            return _hermitian_basis(first.size)
    if rep.size > LARGEST:
        raise ValueError(f"expected at most {LARGEST} coordinates, or W * conjugate(W), to find a real form, got {rep}")
    structure = _structure(rep)
    n, vectors = rep.size, np.zeros((rep.size, 0), complex)
    for start in np.concatenate([np.eye(n), 1j * np.eye(n)]):
        fixed = start + structure @ start.conj()
        for _ in range(2):
            fixed = fixed - vectors @ (vectors.conj().T @ fixed).real
        if (size := np.linalg.norm(fixed)) > 1e-6:
            vectors = np.concatenate([vectors, fixed[:, None] / size], axis=1)
    return vectors


def _structure(rep: LinearRep) -> Complex[np.ndarray, "n n"]:
    """Return a symmetric unitary K with K rho(g)* = rho(g) K, so that x -> K x* is its own inverse.

    It is the unitary factor of the symmetric part of what is nearest to the identity, or to a random matrix.
    """
    group, one = rep.require_group(), np.eye(rep.size)
    matrices = [rep.drho(a) for a in group.directions] + [rep.rho(h) for h in group.generators]
    gram = np.zeros((rep.size**2,) * 2, complex)
    for matrix in matrices:
        equation = np.kron(one, matrix.conj().T) - np.kron(matrix, one)
        gram += equation.conj().T @ equation
    values, vectors = np.linalg.eigh(gram)
    kept = vectors[:, values < ZERO * max(1.0, values[-1])]
    for start in (one, np.random.default_rng(0).standard_normal((2, *one.shape)).sum(axis=0)):
        near = (kept @ (kept.conj().T @ start.ravel())).reshape(one.shape)
        k, stretch = scipy.linalg.polar(near + near.T)
        is_kept = all(np.allclose(k @ m.conj(), m @ k, rtol=0, atol=CLOSE * np.linalg.norm(m)) for m in matrices)
        if is_kept and np.linalg.cond(stretch) < 1 / CLOSE:
            return k
    raise ValueError(f"{rep} has no real form that can be told; take in_parts(rep), its real and imaginary parts")


def _hermitian_basis(d: int) -> Complex[np.ndarray, "n n"]:
    """Return orthonormal Hermitian matrices d x d, as columns: for d = 2 the unit matrix and Pauli's."""
    matrices = [np.eye(d, dtype=complex)]
    for i, j in itertools.combinations(range(d), 2):
        for entry in (1.0, -1.0j):
            matrix = np.zeros((d, d), complex)
            matrix[i, j], matrix[j, i] = entry, np.conj(entry)
            matrices.append(matrix)
    matrices += [np.diag([1.0 + 0j] * k + [-k] + [0] * (d - k - 1)) for k in range(1, d)]
    return np.stack([matrix.ravel() / np.linalg.norm(matrix) for matrix in matrices], axis=1)
