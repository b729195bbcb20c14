"""Arrays of numpy and of jax alike: precisions, products, blocks, places, signed permutations."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jaxtyping import Int, Shaped

Monomial = tuple[np.ndarray, np.ndarray]


def namespace(*trees: Any) -> Any:
    """Return jax.numpy where some leaf is a jax array, else numpy."""
    leaves = jax.tree.leaves(trees)
    return next((x for x in leaves if isinstance(x, jax.Array)), np.zeros(0)).__array_namespace__()


def unit_like(g: Any) -> Any:
    """Return the 1 x 1 identity matrix in the array type and the precision of an element."""
    dtypes = [x.dtype for x in jax.tree.leaves(g) if jax.dtypes.issubdtype(x.dtype, np.inexact)]
    return namespace(g).ones((1, 1), np.result_type(*dtypes) if dtypes else float)


def promoted(*arrays: Any) -> list[Any]:
    """Return the arrays in their common precision, complex where one is."""
    dtype = np.result_type(*(array.dtype for array in arrays)) if arrays else None
    return [array.astype(dtype) for array in arrays]


def along_last(matrix: Any, x: Any) -> Any:
    """Return matrix x in the precision of x, complex where either is."""
    dtype = x.dtype if jax.dtypes.issubdtype(x.dtype, np.inexact) else matrix.dtype
    dtype = np.result_type(dtype, np.complex64) if np.iscomplexobj(matrix) else dtype
    with jax.default_matmul_precision("highest"):
        return x.astype(dtype) @ matrix.T.astype(dtype)


def pick(x: Shaped[Any, "..."], places: Int[Any, " n"], axis: int) -> Shaped[Any, "..."]:
    """Return `take` along an axis, as a slice where the places follow one another: cheaper to compile and to run."""
    is_known = isinstance(places, np.ndarray)
    if is_known and len(places) and np.array_equal(places, np.arange(places[0], places[0] + len(places))):
        cut = [slice(None)] * x.ndim
        cut[axis] = slice(int(places[0]), int(places[0]) + len(places))
        return x[tuple(cut)]
    return namespace(x, places).take(x, places, axis=axis)


def block_diagonal(blocks: Sequence[Any]) -> Any:
    """Return the matrix with these square blocks on its diagonal."""
    xp, size, start = namespace(*blocks), sum(len(block) for block in blocks), 0
    rows = []
    for block in promoted(*blocks):
        rows.append(xp.pad(block, ((0, 0), (start, size - start - len(block)))))
        start += len(block)
    return xp.concatenate(rows) if rows else np.zeros((0, 0))


def signed_permutation(matrix: np.ndarray) -> Monomial | None:
    """Return (perm, sign) of a matrix with one +1 or -1 in each row and column, up to rounding; else None."""
    perm = np.argmax(np.abs(matrix), axis=1) if len(matrix) else np.zeros(0, int)
    sign = np.sign(np.real(matrix[np.arange(len(matrix)), perm]))
    exact = np.zeros_like(matrix)
    exact[np.arange(len(matrix)), perm] = sign
    unique = len(np.unique(perm)) == len(matrix)
    return (perm, sign) if unique and np.allclose(matrix, exact, rtol=0, atol=1e-12) else None
