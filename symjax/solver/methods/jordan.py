"""Generalised eigenspaces of any matrix, and the parts of an invertible one that turn and that stretch."""

import itertools
from typing import NamedTuple

import numpy as np
from jaxtyping import Inexact
from scipy.sparse.csgraph import connected_components

from symjax.solver.bases import Unsolved
from symjax.solver.linalg import eig, eigh, inverse, svd

WELL_CONDITIONED = 1e4
CLOSENESS = (1e-9, 1e-7, 1e-5, 1e-3, 1e-1)  # of eigenvalues that may be one, relative to the matrix
EPS = float(np.finfo(float).eps)
UNCERTAIN = 1e-7  # relative errors of the parts of an element, from which on they say nothing
TERMS = 40  # of a series, at least: a nilpotent part has as many as its size
AT_ONCE, MOST_BATCHES = 16, 8  # points on the circle around a cluster of eigenvalues
TILT = 0.6180339887498949  # tells the eigenvalues of two commuting matrices apart by one sum


class Eigenspaces(NamedTuple):
    """Bases of the generalised eigenspaces, as columns, with their eigenvalues.

    Attributes:
        values: the eigenvalue of each column, the mean of a cluster where some could not be told apart.
        spread: the farthest that an eigenvalue is from the mean of its cluster.
        condition: how much larger the error of an eigenvalue may be than that of the matrix.
        vectors: the columns.
    """

    values: Inexact[np.ndarray, " n"]
    spread: float
    condition: float
    vectors: Inexact[np.ndarray, "n n"]


def eigenspaces(a: Inexact[np.ndarray, "n n"]) -> Eigenspaces:
    """Return eigenvalues and well-conditioned bases of the generalised eigenspaces.

    Rounding moves the eigenvalues of a Jordan block of size k apart, by about eps^(1/k): where eigenvectors are
    ill-conditioned, those that are close share one space and their mean.

    Raises:
        Unsolved: If no choice of clusters has well-conditioned bases.
    """
    top = float(np.max(np.abs(a), initial=0)) or 1.0
    if not np.isfinite(top):
        raise Unsolved("the matrix of an element overflows")
    values, spread, condition, vectors = _eigenspaces(a / top)
    return Eigenspaces(top * values, top * spread, condition, vectors)


def _eigenspaces(a: Inexact[np.ndarray, "n n"]) -> Eigenspaces:
    if (normal := _normal(a)) is not None:
        return normal
    values, vectors = eig(a)
    if (condition := _condition(vectors)) < WELL_CONDITIONED:
        return Eigenspaces(values, 0.0, 0.0 if _is_triangular(a) else condition, vectors)
    distances, count = np.abs(values[:, None] - values), 0
    for closeness in CLOSENESS:
        before, (count, labels) = count, connected_components(distances <= closeness * np.linalg.norm(a))
        if count == before:
            continue
        means = np.array([values[labels == k].mean() for k in range(count)])
        spread = float(np.max(np.abs(values - means[labels])))
        spaces = [
            _space(a, values, labels == k) if many > 1 else vectors[:, labels == k]
            for k, many in enumerate(np.bincount(labels))
        ]
        joined = np.concatenate(spaces, axis=1)
        if joined.shape == a.shape and (condition := _condition(joined)) < WELL_CONDITIONED:
            return Eigenspaces(np.repeat(means, [space.shape[1] for space in spaces]), spread, condition, joined)
    raise Unsolved("a random element has no well-conditioned eigenspaces")


def turn_and_stretch(g: Inexact[np.ndarray, "n n"]) -> tuple[Inexact[np.ndarray, "n n"], Inexact[np.ndarray, "n n"]]:
    """Return commuting e and a with g = e exp(a): e is diagonalisable and turns, a has real eigenvalues and stretches.

    What commutes with g is what commutes with both (the multiplicative Jordan decomposition, and the logarithm of its
    positive part), and where g has entries of any size, e and a have moderate ones. On g (x) h they are e_g (x) e_h and
    a_g (x) 1 + 1 (x) a_h.

    Raises:
        Unsolved: As `eigenspaces`, and if small eigenvalues drown in the rounding of large ones.
    """
    values, spread, condition, vectors = eigenspaces(g)
    size, back = np.abs(values), inverse(vectors)
    error = EPS * len(g) * condition * float(np.linalg.norm(g))
    if error > UNCERTAIN * np.min(size) or spread > np.min(size) / 10:
        raise Unsolved(f"eigenvalues from {np.min(size):.1e} to {np.max(size):.1e} in one element are too uncertain")
    within, together = back @ g @ vectors / values[:, None], values[:, None] == values
    if np.max(np.abs(within[~together]), initial=0) > UNCERTAIN:
        raise Unsolved(f"the eigenspaces of an element are not invariant: {np.max(np.abs(within[~together])):.1e}")
    rest = np.where(together, within, 0) - np.eye(len(g))
    logarithm = _logarithm(rest)
    if not np.max(np.abs(_exponential(logarithm) - np.eye(len(g)) - rest)) <= UNCERTAIN * (1 + np.max(np.abs(rest))):
        raise Unsolved("the logarithm of an element is too uncertain")
    logarithm = logarithm + np.diag(np.log(size))
    parts = vectors @ np.diag(values / size) @ back, vectors @ logarithm @ back
    return parts if np.iscomplexobj(g) else (np.real(parts[0]), np.real(parts[1]))


def _logarithm(nilpotent: Inexact[np.ndarray, "n n"]) -> Inexact[np.ndarray, "n n"]:
    """Return log(1 + x) of a matrix x that is nilpotent but for rounding."""
    powers = itertools.accumulate(itertools.repeat(nilpotent, max(TERMS, len(nilpotent))), np.matmul)
    return sum((-((-1) ** k) * power / k for k, power in enumerate(powers, 1)), start=np.zeros_like(nilpotent))


def _exponential(nilpotent: Inexact[np.ndarray, "n n"]) -> Inexact[np.ndarray, "n n"]:
    total = term = np.eye(len(nilpotent), dtype=nilpotent.dtype)
    for k in range(1, max(TERMS, len(nilpotent))):
        term = term @ nilpotent / k
        total = total + term
    return total


def _condition(vectors: np.ndarray) -> float:
    sizes = svd(vectors)[1]
    return float(sizes[0] / max(sizes[-1], np.finfo(float).tiny))


def _is_triangular(a: np.ndarray) -> bool:
    """Return whether the eigenvalues are on the diagonal, without an error."""
    return not np.any(np.tril(a, -1)) or not np.any(np.triu(a, 1))


def _normal(a: Inexact[np.ndarray, "n n"]) -> Eigenspaces | None:
    """Return the eigenvectors of a normal matrix, those of a mixture of its Hermitian and anti-Hermitian parts."""
    adjoint, size = a.conj().T, float(np.linalg.norm(a))
    if np.linalg.norm(a @ adjoint - adjoint @ a) > 1e-13 * size**2:
        return None
    skew = (a - adjoint) / 2j
    _, vectors = eigh((a + adjoint) / 2 + TILT * skew if np.any(skew) else (a + adjoint) / 2)
    within = vectors.conj().T @ a @ vectors
    values = np.diag(within)
    lost = float(np.linalg.norm(within - np.diag(values)))
    if lost > 1e-12 * size:
        return None
    return Eigenspaces(values, 0.0, max(1.0, lost / (EPS * len(a) * size)) if lost else 0.0, vectors)


def _space(a: np.ndarray, values: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis of the invariant space of some eigenvalues that lie together.

    It is the range of their Riesz projector, the mean of r e^(i t) (z - a)^-1 over points z = m + r e^(i t) of a circle
    that has them inside and the others outside.
    """
    if members.all():
        return np.eye(len(a))
    centre = values[members].mean()
    inside, outside = np.max(np.abs(values[members] - centre)), np.min(np.abs(values[~members] - centre))
    radius = np.sqrt(max(inside, 0.01 * outside) * outside)
    error = max(inside, radius**2 / outside) / radius  # of the mean over n points, to the n-th power
    batches = np.ceil(np.log(EPS) / np.log(error) / AT_ONCE) if error < 1 else np.inf
    if batches > MOST_BATCHES:
        return np.zeros((len(a), 0))
    turns = np.exp(2j * np.pi * (np.arange(int(batches) * AT_ONCE) + 0.5) / (batches * AT_ONCE))
    projector = np.zeros_like(a, dtype=complex)
    for some in (radius * turns).reshape(-1, AT_ONCE, 1, 1):
        projector += np.sum(some * inverse((centre + some) * np.eye(len(a)) - a), axis=0) / len(turns)
    left, sizes, _ = svd(projector)  # sizes of a projector: 0, and 1 or more
    return left[:, sizes > 0.5]
