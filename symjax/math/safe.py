"""Norms, roots and quotients that are finite at zero, with their first and second derivatives.

Each masks its argument before the singular operation and its result after it. One mask is not enough: the
derivative of the branch not taken would still be infinite, and zero times infinity is NaN.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float


def safe_sqrt(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Return the square root of x where x > 0, and zero with zero derivatives elsewhere."""
    positive = x > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, x, 1)), 0)


def safe_norm(x: Float[Array, "..."], *, axis: int = -1, keepdims: bool = False) -> Float[Array, "..."]:
    """Return the Euclidean norm along `axis`; at the zero vector it is zero with zero derivatives."""
    return safe_sqrt(jnp.sum(x * x, axis=axis, keepdims=keepdims))


def safe_divide(numerator: Float[Array, "..."], denominator: Float[Array, "..."]) -> Float[Array, "..."]:
    """Return numerator / denominator, and zero with zero derivatives where the denominator is zero."""
    nonzero = denominator != 0
    return jnp.where(nonzero, numerator / jnp.where(nonzero, denominator, 1), 0)


def safe_sinc(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Return sin(x) / x, by its Taylor series up to x^10 where |x| < 0.3, so that all derivatives are right at zero.

    `jnp.sinc` cannot be traced inside `shard_map` by jax 0.12.
    """
    far = jnp.abs(x) > 0.3
    square = jnp.where(far, 0, x * x)
    series = jnp.ones_like(x)
    for product in (110, 72, 42, 20, 6):
        series = 1 - square / product * series
    return jnp.where(far, jnp.sin(x) / jnp.where(far, x, 1), series)
