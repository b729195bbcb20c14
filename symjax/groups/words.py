"""Random words: exponentials of tangents and products of generators, for groups that have no uniform elements."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax.lax import Precision
from jax.scipy.linalg import expm
from jaxtyping import Array, Key, Num

RADIUS = 2.0


def random_exponential(key: Key[Array, ""], lie_algebra: Sequence[np.ndarray]) -> Num[Array, "d d"]:
    """Return exp(A) of a normally distributed tangent A, shortened to the Frobenius norm 2 where it is longer.

    The bound keeps the elements of noncompact groups, boosts and shears, far from where rounding would show.
    """
    basis = jnp.asarray(np.stack(lie_algebra))
    tangent = jnp.tensordot(jax.random.normal(key, (len(basis),)).astype(basis.dtype), basis, axes=1)
    length = jnp.linalg.norm(tangent)
    shortened = tangent * (RADIUS / jnp.maximum(length, RADIUS)).astype(tangent.dtype)
    with jax.default_matmul_precision("highest"):
        return expm(shortened)


def random_word(key: Key[Array, ""], letters: Sequence[np.ndarray]) -> Num[Array, "d d"]:
    """Return the product of three random letters."""
    dtype = np.result_type(*letters)
    alphabet = jnp.asarray(np.stack([letter.astype(dtype) for letter in letters]))
    a, b, c = alphabet[jax.random.randint(key, (3,), 0, len(letters))]
    return product(a, product(b, c))


def product(g: Num[Array, "d d"], h: Num[Array, "d d"]) -> Num[Array, "d d"]:
    """Return g h, complex where one of them is, without the roundings by which accelerators save time."""
    dtype = np.promote_types(g.dtype, h.dtype)
    return jnp.matmul(g.astype(dtype), h.astype(dtype), precision=Precision.HIGHEST)
