"""Dense linear algebra by JAX in double precision on the CPU, whatever the program around it uses."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Inexact

from symjax.math import double_precision
from symjax.solver.bases import Unsolved

ZERO, CLEARLY_MORE = 1e-12, 1e-9  # relative to the largest eigenvalue, or to 1, of a sum of squares
WITHIN, OUTSIDE = 1e-11, 1e-6  # squared distances of a unit vector from the span of others


def _on_the_host(function: Callable) -> Callable[..., Any]:
    """Compile a function, once for each shape; it takes and returns numpy's arrays."""
    compiled = jax.jit(function)

    def call(*arrays: np.ndarray) -> Any:
        with double_precision():
            return jax.tree.map(np.asarray, compiled(*arrays))

    return call


_eigh = _on_the_host(jnp.linalg.eigh)
_eig = _on_the_host(jnp.linalg.eig)
_svd = _on_the_host(lambda a: jnp.linalg.svd(a, full_matrices=False))
_inverse = _on_the_host(jnp.linalg.inv)


def eigh(a: Inexact[np.ndarray, "n n"]) -> tuple[Float[np.ndarray, " n"], Inexact[np.ndarray, "n n"]]:
    """Return eigenvalues in rising order and eigenvectors, as columns, of a Hermitian matrix."""
    return _eigh(a)


def eig(a: Inexact[np.ndarray, "n n"]) -> tuple[Inexact[np.ndarray, " n"], Inexact[np.ndarray, "n n"]]:
    """Return complex eigenvalues and eigenvectors, as columns."""
    return _eig(a)


def svd(a: Inexact[np.ndarray, "m n"]) -> tuple[Inexact[np.ndarray, "m r"], Float[np.ndarray, " r"], np.ndarray]:
    """Return left singular vectors, falling singular values, and the adjoints of right singular vectors."""
    return _svd(a)


def inverse(a: Inexact[np.ndarray, "*k n n"]) -> Inexact[np.ndarray, "*k n n"]:
    """Return the inverses of matrices."""
    return _inverse(a)


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


def independent(gram: Float[np.ndarray, "r r"]) -> tuple[list[int], Float[np.ndarray, "s s"]]:
    """Choose independent vectors of given inner products; return them and the columns that make them orthonormal.

    A Cholesky factorisation that passes over each vector in the span of those before it: the choice, unlike that of
    pivots, does not hang on rounding, so coefficients mean the same on every machine.

    Raises:
        Unsolved: If some vector is neither in the span of those before it nor clearly outside.
    """
    lengths = np.sqrt(np.where(np.diag(gram) > 0, np.diag(gram), 1.0))
    unit = gram / lengths[:, None] / lengths
    along, mix, chosen = np.zeros_like(unit), np.zeros_like(unit), []
    for i, products in enumerate(unit):
        rank = len(chosen)
        known = along[:rank, i]
        rest = products[i] - np.sum(known**2)
        if WITHIN < rest < OUTSIDE:
            raise Unsolved(f"some vectors are nearly dependent: {rest:.1e}")
        if rest >= OUTSIDE:
            along[rank] = (products - known @ along[:rank]) / np.sqrt(rest)
            mix[:, rank] = ((np.arange(len(unit)) == i) - mix[:, :rank] @ known) / np.sqrt(rest)
            chosen.append(i)
    return chosen, mix[chosen, : len(chosen)] / lengths[chosen, None]


def canonical_rotation(columns: Inexact[np.ndarray, "n r"]) -> Inexact[np.ndarray, "r r"]:
    """Return a unitary matrix q such that `columns @ q` depends only on the space that orthonormal columns span.

    They are the orthonormal vectors nearest to the projections of fixed random ones. An eigensolver is free to choose
    any basis of an eigenspace, and does so differently from machine to machine; without this, learnt coefficients would
    mean different maps there.
    """
    rank = columns.shape[1]
    probes = np.random.default_rng(0).standard_normal(columns.shape[::-1])
    shadows = np.eye(_padded(rank), dtype=columns.dtype)
    shadows[:rank, :rank] = (probes @ columns).conj().T
    if rank == 1:
        return shadows[:1, :1] / np.abs(shadows[0, 0])
    left, _, right = svd(shadows)
    return (left @ right)[:rank, :rank]


def _padded(size: int) -> int:
    """Return a power of two that is no smaller, to compile once for many small sizes; a large size is left alone."""
    return 1 << max(size - 1, 7).bit_length() if size <= 64 else size


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
