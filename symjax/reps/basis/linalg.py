"""Dense linear algebra in double precision on the CPU, whatever the program around it uses."""

import contextlib
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
from jaxtyping import Float, Inexact
from scipy.sparse.csgraph import connected_components

from symjax.reps.basis.bases import Unsolved

ZERO, CLEARLY_MORE = 1e-12, 1e-9  # relative to the largest eigenvalue, or to 1, of a sum of squares
WELL_CONDITIONED = 1e4


@contextlib.contextmanager
def double_precision() -> Iterator[None]:
    """Compute at once, in float64, on the CPU: also while the program around is being traced."""
    cpu = jax.local_devices(backend="cpu")[0]
    with jax.ensure_compile_time_eval(), jax.enable_x64(True), jax.default_device(cpu):
        yield


_eigh = jax.jit(jnp.linalg.eigh)


def eigh(a: Inexact[np.ndarray, "n n"]) -> tuple[Float[np.ndarray, " n"], Inexact[np.ndarray, "n n"]]:
    """Return eigenvalues in rising order and eigenvectors, as columns, of a Hermitian matrix."""
    with double_precision():
        values, vectors = _eigh(a)
    return np.asarray(values), np.asarray(vectors)


def null_space(gram: Inexact[np.ndarray, "n n"]) -> Inexact[np.ndarray, "n r"]:
    """Return an orthonormal basis, as columns, of the null space of a sum of squares of constraints of size about 1.

    Raises:
        Unsolved: If some eigenvalue is neither zero nor clearly more.
    """
    values, vectors = eigh(gram)
    values = values / max(float(values[-1]) if len(values) else 0.0, 1.0)
    rank = int(np.sum(values < ZERO))
    if rank < len(values) and values[rank] < CLEARLY_MORE:
        raise Unsolved(f"no gap between zero and the other eigenvalues: {values[rank]:.1e}")
    return vectors[:, :rank]


def canonical_rotation(columns: Inexact[np.ndarray, "n r"]) -> Inexact[np.ndarray, "r r"]:
    """Return a unitary matrix q such that `columns @ q` depends only on the space that orthonormal columns span.

    These are fixed random vectors, projected to the space and orthonormalised. An eigensolver is free to choose any
    basis of an eigenspace, and does so differently from machine to machine; without this, learnt coefficients would
    mean different maps there.
    """
    probes = np.random.default_rng(0).standard_normal(columns.shape[::-1])
    q, r = np.linalg.qr((probes @ columns).conj().T)
    diagonal = np.diag(r)
    return q * (diagonal / np.abs(diagonal))


def real_span(columns: Inexact[np.ndarray, "n r"]) -> Float[np.ndarray, "n r"]:
    """Return a real orthonormal basis of a complex space that is closed under conjugation, given by another one.

    Raises:
        Unsolved: If the space is not closed.
    """
    parts = np.concatenate([np.real(columns), np.imag(columns)], axis=1)
    values, vectors = eigh(parts.T @ parts)  # eigenvalues 0 and 1: the real part of a real projection is itself
    rank = columns.shape[1]
    if np.any(np.abs(values - np.repeat([0.0, 1.0], rank)) > 1e-9):
        raise Unsolved("the complex conjugates of some maps are missing")
    return parts @ vectors[:, rank:]


def generalised_eigenspaces(
    a: Inexact[np.ndarray, "n n"],
) -> tuple[Inexact[np.ndarray, " n"], float, Inexact[np.ndarray, "n n"]]:
    """Return eigenvalues, their uncertainty, and well-conditioned bases of the generalised eigenspaces, as columns.

    Rounding moves the eigenvalues of a Jordan block of size k apart, by about eps^(1/k): those that are too close to
    have well-conditioned eigenvectors share one space and their mean, and the uncertainty is the farthest from it.

    Raises:
        Unsolved: If no choice of clusters has well-conditioned bases.
    """
    triangle, vectors = scipy.linalg.schur(a)[:2]
    if np.any(np.tril(triangle, -1)):
        triangle, vectors = scipy.linalg.rsf2csf(triangle, vectors)
    values, size = np.diag(triangle), float(np.linalg.norm(a))
    if np.max(np.abs(np.triu(triangle, 1))) <= 1e-13 * size:
        return values, 0.0, vectors
    simple, lines = np.linalg.eig(a)
    for closeness in (1e-9, 1e-7, 1e-5, 1e-3, 1e-1):
        count, labels = connected_components(np.abs(values[:, None] - values) <= closeness * size)
        means = np.array([values[labels == k].mean() for k in range(count)])
        spaces = [
            _invariant_space(a, means, k) if many > 1 else lines[:, [np.argmin(np.abs(simple - means[k]))]]
            for k, many in enumerate(np.bincount(labels))
        ]
        joined = np.concatenate(spaces, axis=1)
        if joined.shape == a.shape and np.linalg.cond(joined) < WELL_CONDITIONED:
            spread = float(np.max(np.abs(values - means[labels])))
            return np.repeat(means, [space.shape[1] for space in spaces]), spread, joined
    raise Unsolved("a random element has no well-conditioned eigenspaces")


def _invariant_space(a: np.ndarray, means: np.ndarray, k: int) -> np.ndarray:
    """Return an orthonormal basis of the invariant space of the eigenvalues nearest to the k-th mean."""
    real = np.isrealobj(a) and np.max(np.abs(np.imag(means))) <= 1e-13 * np.linalg.norm(a)
    kind = "real" if real else "complex"
    found = scipy.linalg.schur(a, kind, sort=lambda x, y=0.0: int(np.argmin(np.abs(means - x - 1j * y))) == k)
    return found[1][:, : found[-1]]
