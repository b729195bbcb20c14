"""Regressions as pure functions of weights: least squares with robust errors, ridge, logistic by Newton's method."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Key

SMALL = 1e-12  # of the largest eigenvalue: directions of less are taken for combinations of others
STEPS = 25  # of Newton's method
LENGTHS = (1.0, 0.5, 0.25, 0.0625)  # of a step
FLAT = 1e-8  # of the mean slope of the likelihood, where it has converged
STILL = 1e-3  # of the next step in any unit's log odds; it stays near 1 for units that are separated


class Fit(NamedTuple):
    """Coefficients of a linear predictor.

    Attributes:
        coefficients: one for each column.
        converged: whether the slope of what is minimised vanishes; False where classes are separated perfectly.
        rank: how many columns are no combination of others.
    """

    coefficients: Float[Array, "p ..."]
    converged: Bool[Array, ""]
    rank: Int[Array, ""]


def with_constant(x: Float[Array, "n p"]) -> Float[Array, "n q"]:
    """Return the columns after one of ones."""
    return jnp.concatenate([jnp.ones((len(x), 1), x.dtype), x], axis=1)


def solve_symmetric(
    gram: Float[Array, "p p"], right: Float[Array, "p ..."]
) -> tuple[Float[Array, "p ..."], Int[Array, ""]]:
    """Return the shortest solution of gram b = right for a semi-definite matrix, and its rank.

    Columns are scaled to equal length first, so that units do not decide what is taken for zero.
    """
    size = jnp.sqrt(jnp.clip(jnp.diagonal(gram), 0))
    scale = jnp.where(size > 0, 1 / jnp.where(size > 0, size, 1), 0)
    values, vectors = jnp.linalg.eigh(gram * scale[:, None] * scale[None])
    kept = values > SMALL * len(gram) * jnp.max(values)
    inverse = jnp.where(kept, 1 / jnp.where(kept, values, 1), 0)
    along = (slice(None), *[None] * (right.ndim - 1))
    return scale[along] * (vectors @ (inverse[along] * (vectors.T @ (scale[along] * right)))), jnp.sum(kept)


def least_squares(
    x: Float[Array, "n p"],
    y: Float[Array, "n ..."],
    weights: Float[Array, " n"],
    *,
    penalty: float | Float[Array, ""] = 0.0,
) -> Fit:
    """Return the b that minimises sum_i w_i (y_i - x_i b)^2 + penalty sum_i w_i |b|^2, the first column not penalised.

    Args:
        x: a row for each unit, a column of ones first.
        y: one outcome or several.
        weights: w.
        penalty: of a ridge, relative to the total weight; standardise the columns first.
    """
    weighted = x * weights[:, None]
    ridge = penalty * jnp.sum(weights) * jnp.ones(x.shape[1], x.dtype).at[0].set(0)
    b, rank = solve_symmetric(weighted.T @ x + jnp.diag(ridge), weighted.T @ y)
    return Fit(b, jnp.array(True), rank)


def covariance(
    x: Float[Array, "n p"],
    residuals: Float[Array, " n"],
    weights: Float[Array, " n"],
    *,
    clusters: Int[Array, " n"] | None = None,
) -> Float[Array, "p p"]:
    """Return the covariance of least squares that allows for unequal variances: HC1, or by clusters.

        (X' W X)^-1 (sum_g s_g s_g') (X' W X)^-1,    s_g = sum_{i in g} w_i e_i x_i

    times n / (n - p) for single units, and G / (G - 1) (n - 1) / (n - p) for G clusters.
    """
    n, p = x.shape
    inverse, _ = solve_symmetric((x * weights[:, None]).T @ x, jnp.eye(p, dtype=x.dtype))
    scores = x * (weights * residuals)[:, None]
    factor = n / (n - p)
    if clusters is not None:
        scores = jax.ops.segment_sum(scores, clusters, n)
        groups = jnp.sum(jax.ops.segment_sum(jnp.ones(n), clusters, n) > 0).astype(x.dtype)
        factor = groups / (groups - 1) * (n - 1) / (n - p)
    return factor * inverse @ (scores.T @ scores) @ inverse


def logistic(
    x: Float[Array, "n p"],
    y: Float[Array, " n"],
    weights: Float[Array, " n"],
    *,
    penalty: float | Float[Array, ""] = 0.0,
) -> Fit:
    """Return the b that maximises sum_i w_i (y_i x_i b - log(1 + exp(x_i b))) - penalty/2 sum_i w_i |b|^2.

    Newton's method, each step halved until the likelihood does not fall. Where a hyperplane separates the classes, or
    a class from a part of the units, there is no maximum: the steps end early, and `converged` is False.

    Args:
        x: a row for each unit, a column of ones first, which is not penalised.
        y: 0 or 1, or a probability.
        weights: w.
        penalty: relative to the total weight.
    """
    ridge = penalty * jnp.ones(x.shape[1], x.dtype).at[0].set(0)
    total = jnp.sum(weights)

    def value(b: Array) -> Array:
        eta = x @ b
        return jnp.sum(weights * (jnp.logaddexp(0, eta) - y * eta)) / total + jnp.sum(ridge * b**2) / 2

    def slope(b: Array) -> tuple[Array, Array]:
        p = jax.nn.sigmoid(x @ b)
        return p, x.T @ (weights * (p - y)) / total + ridge * b

    def newton(b: Array) -> tuple[Array, Array, Array]:
        p, gradient = slope(b)
        hessian = (x * (weights * p * (1 - p))[:, None]).T @ x / total + jnp.diag(ridge)
        return gradient, *solve_symmetric(hessian, gradient)

    lengths = jnp.array(LENGTHS, x.dtype)

    def step(state: tuple[Array, ...]) -> tuple[Array, ...]:
        count, b, now, _ = state
        _, move, _ = newton(b)
        values = jax.vmap(lambda length: value(b - length * move))(lengths)
        best = jnp.nanargmin(values)
        better = values[best] < now
        return count + 1, jnp.where(better, b - lengths[best] * move, b), jnp.where(better, values[best], now), better

    zero = jnp.zeros(x.shape[1], x.dtype)
    start = jnp.array(0), zero, value(zero), jnp.array(True)
    _, b, _, _ = jax.lax.while_loop(lambda state: state[3] & (state[0] < STEPS), step, start)
    gradient, move, rank = newton(b)
    still = jnp.max(jnp.where(weights > 0, jnp.abs(x @ move), 0)) < STILL
    p = jax.nn.sigmoid(x @ b)
    separated = jnp.all((weights <= 0) | ((p > 0.5) == (y > 0.5)))  # a penalty would hide it
    return Fit(b, (jnp.max(jnp.abs(gradient)) < FLAT) & still & ~separated, rank)


def random_features(
    key: Key[Array, ""], x: Float[Array, "n p"], count: int, *, width: float = 1.0
) -> Float[Array, "n count"]:
    """Return sqrt(2 / count) cos(w x + b): a ridge on them is a kernel ridge with exp(-|x - x'|^2 / (2 width^2 p)).

    Args:
        key: of the frequencies w and phases b (Rahimi and Recht 2007).
        x: standardised columns.
        count: of the features.
        width: of the kernel, in standard deviations of a column.
    """
    frequencies, phases = jax.random.split(key)
    w = jax.random.normal(frequencies, (x.shape[1], count), x.dtype) / (width * jnp.sqrt(1.0 * x.shape[1]))
    b = jax.random.uniform(phases, (count,), x.dtype, maxval=2 * jnp.pi)
    return jnp.sqrt(2 / count) * jnp.cos(x @ w + b[None])
