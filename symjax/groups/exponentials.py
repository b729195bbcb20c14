"""The Lie algebra that the generators of a group span, and which matrices products of its exponentials reach."""

import dataclasses
import functools
from typing import Any

import numpy as np
import scipy.linalg
from jaxtyping import Float, Inexact

from symjax.groups.group import MatrixGroup
from symjax.groups.listing import as_matrix

WITHIN, OUTSIDE = 1e-9, 1e-5  # distances of a unit vector from the span of others
REACHED, MOVED = 1e-8, 1e-6
TRIES = 24
MOST_MIXES = 16
LARGEST = 32  # rows of matrices whose invariants are looked for


@dataclasses.dataclass(frozen=True, eq=False)
class Algebra:
    """Orthonormal matrices that span a real Lie algebra, and whether it is clear which directions are in it."""

    basis: Inexact[np.ndarray, "r d d"]
    is_clear: bool

    @functools.cached_property
    def rows(self) -> Float[np.ndarray, "r c"]:
        """The matrices as real vectors."""
        return _flat(self.basis)

    @functools.cached_property
    def is_self_adjoint(self) -> bool:
        """Whether the algebra holds the adjoint of each of its elements."""
        return spans(self, self.basis.conj().swapaxes(1, 2)) is True

    @functools.cached_property
    def compact(self) -> "Algebra":
        """The anti-Hermitian part of an algebra that is closed under the adjoint."""
        return _spanned(list(self.basis - self.basis.conj().swapaxes(1, 2)), self.basis.shape[1])

    @functools.cached_property
    def invariants(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Vectors [k, d, 1], matrices and bilinear forms [k, d, d] that the exponentials leave alone."""
        nothing = np.zeros((len(self.basis), 1, 1))
        others = nothing, -self.basis.swapaxes(1, 2), self.basis
        first, second, third = (_fixed(self.basis, other) for other in others)
        return first, second, third


@functools.lru_cache(maxsize=256)
def algebra_of(group: MatrixGroup) -> Algebra:
    """Return the Lie algebra that the tangents span with their brackets, and with what the generators turn them into.

    It is that of the whole group: its exponentials are the component of the identity.
    """
    turns = [(as_matrix(h), np.linalg.inv(as_matrix(h))) for h in group.generators]
    rng, known, fresh = np.random.default_rng(0), _spanned([], group.d), list(group.directions)
    while fresh and not (len(known.basis) and spans(known, fresh)):
        wider = _spanned([*known.basis, *fresh], group.d)
        wider = dataclasses.replace(wider, is_clear=known.is_clear and wider.is_clear)
        if len(wider.basis) == len(known.basis):
            return wider
        known = wider
        mixes = rng.standard_normal((2, min(len(known.basis), MOST_MIXES), len(known.basis)))
        first, second = (np.tensordot(mix, known.basis, 1) for mix in mixes)  # generic: all brackets stay if theirs do
        fresh = [*(first @ second - second @ first), *(h @ a @ back for h, back in turns for a in first)]
    return known


def spans(algebra: Algebra, matrices: Any) -> bool | None:
    """Return whether matrices lie in an algebra; None where rounding may be to blame that they do not."""
    if not len(matrices):
        return True
    rows = _flat(np.asarray(matrices))
    sizes = np.linalg.norm(rows, axis=1)
    outside = np.linalg.norm(rows - rows @ algebra.rows.T @ algebra.rows, axis=1)
    worst = float(np.max(outside / np.where(sizes > WITHIN, sizes, 1)))
    return True if worst < WITHIN else False if worst > OUTSIDE else None


def is_reached(algebra: Algebra, m: Inexact[np.ndarray, "d d"]) -> bool | None:
    """Return whether products of exponentials of an algebra reach a matrix; None where that is not decided.

    It is, where m exp(a) has a logarithm in the algebra for some a in it. It is not, where an invariant of the algebra
    moves. An algebra that is closed under the adjoint reaches a matrix if it holds the logarithm of its positive part
    and its anti-Hermitian elements reach its unitary part (the Cartan decomposition).
    """
    if algebra.is_self_adjoint:
        m, positive = scipy.linalg.polar(m)
        values, vectors = np.linalg.eigh(positive)
        stretch = (vectors * np.log(values)) @ vectors.conj().T
        if np.linalg.norm(stretch) > WITHIN and not (inside := spans(algebra, [stretch])):
            return inside
        algebra = algebra.compact
    if _moves_an_invariant(algebra, m):
        return False
    return True if _has_logarithm(algebra, m) else None


def _has_logarithm(algebra: Algebra, m: np.ndarray) -> bool:
    rng = np.random.default_rng(0)
    for i in range(TRIES if len(algebra.basis) else 1):
        shift = np.tensordot(rng.normal(size=len(algebra.basis)) * (i > 0), algebra.basis, axes=1)
        moved = m @ scipy.linalg.expm(shift)
        with np.errstate(all="ignore"):
            values, vectors = np.linalg.eig(moved)
            logarithm = (vectors * np.log(values.astype(complex))) @ np.linalg.pinv(vectors)
        if not np.isfinite(logarithm).all() or np.abs(scipy.linalg.expm(logarithm) - moved).max() > REACHED:
            logarithm = _unipotent_logarithm(moved)
        if spans(algebra, [logarithm]) and np.abs(scipy.linalg.expm(logarithm) - moved).max() < REACHED:
            return True
    return False


def _unipotent_logarithm(m: np.ndarray) -> np.ndarray:
    """Return the series of log(1 + (m - 1)), which ends where all eigenvalues are 1 and has no eigenvectors to find."""
    rest = m - np.eye(len(m))
    power, total = np.eye(len(m)), np.zeros_like(rest)
    for k in range(1, len(m) + 1):
        power = power @ rest
        total = total - (-1) ** k * power / k
    return total


def _moves_an_invariant(algebra: Algebra, m: np.ndarray) -> bool:
    """Return whether m moves a vector, a matrix, a bilinear form or a volume that the algebra leaves alone."""
    if np.allclose(np.trace(algebra.basis, axis1=1, axis2=2), 0, atol=WITHIN) and abs(np.linalg.det(m) - 1) > MOVED:
        return True
    if len(m) > LARGEST:
        return False
    vectors, matrices, forms = algebra.invariants
    moved = (m @ vectors - vectors, m @ matrices @ np.linalg.inv(m) - matrices, m @ forms @ m.T - forms)
    return any(np.abs(each).max(initial=0) > MOVED for each in moved)


def _fixed(basis: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return orthonormal X [k, d, e] with A X + X B^T = 0 for all pairs of A [r, d, d] and B [r, e, e]."""
    (d, e), (adjoint, back) = (basis.shape[1], other.shape[1]), (m.conj().swapaxes(1, 2) for m in (basis, other))
    one = np.eye(d)[:, None, :, None], np.eye(e)[None, :, None, :]
    gram = np.einsum("rij,rjl->il", adjoint, basis)[:, None, :, None] * one[1]
    gram = gram + np.einsum("rij,rjl->il", back, other)[None, :, None, :] * one[0]
    for left, right in ((adjoint, other), (basis, back)):
        gram = gram + np.tensordot(left, right, (0, 0)).swapaxes(1, 2)
    values, vectors = np.linalg.eigh(gram.reshape(d * e, d * e))
    return vectors[:, values < WITHIN**1.2].T.reshape(-1, d, e)


def _spanned(matrices: list[np.ndarray], d: int) -> Algebra:
    """Return an orthonormal basis of the real span."""
    rows = _flat(np.stack(matrices)) if matrices else np.zeros((0, 2 * d * d))
    sizes = np.linalg.norm(rows, axis=1, keepdims=True)
    rows = (rows / np.where(sizes > WITHIN, sizes, 1))[sizes[:, 0] > WITHIN]
    used = rows.any(axis=0)  # half of the columns are imaginary parts, which most groups lack
    _, values, within = np.linalg.svd(rows[:, used], full_matrices=False)
    directions = np.zeros((len(values), rows.shape[1]))
    directions[:, used] = within
    is_clear = not ((values > WITHIN) & (values < OUTSIDE)).any()
    real, imaginary = directions[values >= OUTSIDE].reshape(-1, 2, d, d).swapaxes(0, 1)
    return Algebra(real + 1j * imaginary if imaginary.any() else real, is_clear)


def _flat(matrices: np.ndarray) -> Float[np.ndarray, "r c"]:
    count, d, _ = matrices.shape
    return np.concatenate([np.real(matrices), np.imag(matrices)], axis=1).reshape(count, 2 * d * d)
