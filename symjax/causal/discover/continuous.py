"""Graphs by smooth optimisation: DAGMA and NOTEARS, linear or of perceptrons, many fits in one program.

DAGMA: Bello et al. 2022, arXiv:2209.08037. NOTEARS: Zheng et al. 2018, arXiv:1803.01422, and 2020, arXiv:1909.13189.
A linear fit sees the data by their covariance alone; one of perceptrons sees rows with weights. vmap over penalties,
keys, covariances or weights makes seeds and bootstraps one call. On standardised columns such methods lose what
variances give away: print `varsortability` and the baselines beside them.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Bool, Float, Key

from symjax.causal.discover.perceptrons import Perceptrons
from symjax.math import transitive_closure

RATE = 2e-3
PATH = (1.0, 0.1, 0.01, 0.001)  # DAGMA: weights of the score
PATH_DECAY = (0.9, 0.999)
ROUNDS, ROUND_DECAY = 12, (0.9, 0.99)  # NOTEARS: changes of its multiplier
STEPS = 3000  # of Adam between two changes of a weight or multiplier
SLOWER = 0.25  # the share of the cycles that a round may leave before they cost ten times more


class Fit(NamedTuple):
    """What is minimised among acyclic graphs.

    Attributes:
        start: parameters, without any edge.
        score: of parameters.
        strength: of the edges: parameters to [d, d], squared weights of i on j.
    """

    start: Any
    score: Callable[[Any], Array]
    strength: Callable[[Any], Array]


def dagma_linear(covariance: Float[Array, "d d"], penalty: float | Float[Array, ""] = 0.03) -> Float[Array, "d d"]:
    """Return the weights W[i, j] of causes i on effects j in a linear model, near acyclic, by DAGMA.

    Along a central path, mu falling, Adam minimises

        mu (tr((I - W)' S (I - W)) / 2 + penalty |W|_1) - log det(I - W o W)

    whose last term vanishes exactly for acyclic W. A step that leaves the domain of the determinant is taken back and
    halves the rate.

    Args:
        covariance: S, of centred columns.
        penalty: on the sum of absolute weights.
    """
    return _off_diagonal(_central_path(_linear(covariance, penalty), STEPS))


def notears_linear(covariance: Float[Array, "d d"], penalty: float | Float[Array, ""] = 0.1) -> Float[Array, "d d"]:
    """Return the weights W[i, j] of causes i on effects j in a linear model, near acyclic, by NOTEARS.

    Minimises tr((I - W)' S (I - W)) / 2 + penalty |W|_1 where h = tr exp(W o W) - d = 0, by an augmented Lagrangian:
    Adam minimises the score + rho h^2 / 2 + alpha h, then alpha grows by rho h, and rho tenfold where h falls slowly.

    Args:
        covariance: S, of centred columns.
        penalty: on the sum of absolute weights.
    """
    return _off_diagonal(_augmented_lagrangian(_linear(covariance, penalty), STEPS))


def dagma_mlp(
    key: Key[Array, ""],
    data: Float[Array, "n d"],
    weights: Float[Array, " n"] | None = None,
    *,
    penalty: float | Float[Array, ""] = 0.02,
    decay: float = 0.005,
    width: int = 10,
    steps: int = STEPS,
) -> Float[Array, "d d"]:
    """Return the strengths of causes i in perceptrons of effects j, near acyclic, by DAGMA.

    The strength is the norm of the weights of i into the hidden layer of j. The score is d / 2 log of the mean squared
    error of all columns, plus the penalty on the absolute first weights and the decay on all squared ones. These start
    at zero, as the authors', so that a cause may be missed whose effect has no slope, such as a parabola.

    Args:
        key: of the last layers at the start.
        data: centred columns.
        weights: of the rows, such as counts of a bootstrap.
        penalty: on the sum of absolute weights of the first layers.
        decay: on half the sum of squared weights.
        width: of the hidden layer.
        steps: of Adam for each of four mu.
    """
    d = data.shape[1]
    fit = _perceptrons(key, data, weights, lambda error: d / 2 * jnp.log(error), penalty, decay, width)
    return jnp.sqrt(fit.strength(_central_path(fit, steps)))


def notears_mlp(
    key: Key[Array, ""],
    data: Float[Array, "n d"],
    weights: Float[Array, " n"] | None = None,
    *,
    penalty: float | Float[Array, ""] = 0.01,
    decay: float = 0.01,
    width: int = 10,
    steps: int = STEPS,
) -> Float[Array, "d d"]:
    """Return the strengths of causes i in perceptrons of effects j, near acyclic, by NOTEARS.

    As `dagma_mlp`, whose arguments these are; the score has half the mean squared error instead of its logarithm, and
    the steps are those of each of twelve multipliers.
    """
    fit = _perceptrons(key, data, weights, lambda error: error / 2, penalty, decay, width)
    return jnp.sqrt(fit.strength(_augmented_lagrangian(fit, steps)))


def bootstrap_covariances(key: Key[Array, ""], data: Float[Array, "n d"], count: int) -> Float[Array, "{count} d d"]:
    """Return covariances of rows drawn again with replacement, what the linear methods see of a bootstrap."""
    n = len(data)
    shares = jax.vmap(lambda rows: jnp.bincount(rows, length=n).astype(data.dtype) / n)(
        jax.random.randint(key, (count, n), 0, n)
    )
    mean = shares @ data
    return jnp.einsum("bn,ni,nj->bij", shares, data, data) - mean[:, :, None] * mean[:, None]


def as_graph(weights: Float[np.ndarray, "d d"], threshold: float = 0.3) -> Bool[np.ndarray, "d d"]:
    """Return the edges whose weights pass a threshold, without the weakest of every cycle that is left."""
    found = np.abs(weights) > threshold
    while (cyclic := found & transitive_closure(found).T).any():
        found[np.unravel_index(np.argmin(np.where(cyclic, np.abs(weights), np.inf)), found.shape)] = False
    return found


def edge_frequencies(weights: Float[np.ndarray, "b d d"], threshold: float = 0.3) -> Float[np.ndarray, "d d"]:
    """Return how often each edge is there over a batch of fits, such as bootstraps."""
    return np.mean([as_graph(np.asarray(one), threshold) for one in weights], axis=0)


def _linear(covariance: Array, penalty: float | Array) -> Fit:
    eye = jnp.eye(len(covariance), dtype=covariance.dtype)

    def score(w: Array) -> Array:
        rest = eye - _off_diagonal(w)
        return jnp.sum(rest * (covariance @ rest)) / 2 + penalty * jnp.sum(jnp.abs(w))

    return Fit(jnp.zeros_like(covariance), score, lambda w: _off_diagonal(w) ** 2)


def _perceptrons(
    key: Array,
    data: Array,
    weights: Array | None,
    loss: Callable[[Array], Array],
    penalty: float | Array,
    decay: float,
    width: int,
) -> Fit:
    shares = jnp.full(len(data), 1 / len(data), data.dtype) if weights is None else weights / jnp.sum(weights)

    def score(model: Perceptrons) -> Array:
        error = jnp.sum(shares @ (model(data) - data) ** 2)
        return loss(error) + penalty * jnp.sum(jnp.abs(model.hidden)) + decay / 2 * model.squares()

    return Fit(Perceptrons.init(key, data.shape[1], width, data.dtype), score, Perceptrons.strength)


def _central_path(fit: Fit, steps: int) -> Any:
    path = jnp.asarray(PATH, jax.tree.leaves(fit.start)[0].dtype)
    return jax.lax.scan(lambda params, mu: (_stage(fit, params, mu, steps), None), fit.start, path)[0]


def _stage(fit: Fit, start: Any, mu: Array, steps: int) -> Any:
    """Minimise mu score(params) - log det(I - strength(params)), whose gradient needs the inverse alone."""
    adam = optax.scale_by_adam(*PATH_DECAY)

    def step(_: Any, state: tuple[Any, ...]) -> tuple[Any, ...]:
        params, kept, moments, rate = state
        strength = fit.strength(params)
        inverse = jnp.linalg.inv(jnp.eye(len(strength), dtype=strength.dtype) - strength)
        inside = jnp.all(inverse > -1e-6) & jnp.all(jnp.isfinite(inverse))
        gradient = jax.grad(lambda p: mu * fit.score(p) + jnp.sum(fit.strength(p) * inverse.T))(params)
        ahead, following = _moved(params, adam, gradient, moments, rate)
        choose = functools.partial(jax.tree.map, functools.partial(jnp.where, inside))
        return (
            choose(ahead, kept),
            choose(params, kept),
            choose(following, adam.init(params)),
            jnp.where(inside, rate, rate / 2),
        )

    rate = jnp.asarray(RATE, jax.tree.leaves(start)[0].dtype)
    return jax.lax.fori_loop(0, steps, step, (start, start, adam.init(start), rate))[1]


def _augmented_lagrangian(fit: Fit, steps: int) -> Any:
    adam = optax.scale_by_adam(*ROUND_DECAY)

    def cycles(params: Any) -> tuple[Array, Array]:
        """Return tr exp(strength) - d, and its derivative by the strength."""
        powers = jax.scipy.linalg.expm(fit.strength(params))
        return jnp.trace(powers) - len(powers), powers.T

    def minimise(start: Any, rho: Array, alpha: Array) -> Any:
        def step(_: Any, state: tuple[Any, Any]) -> tuple[Any, Any]:
            params, moments = state
            h, slope = cycles(params)
            gradient = jax.grad(lambda p: fit.score(p) + jnp.sum(fit.strength(p) * (alpha + rho * h) * slope))(params)
            return _moved(params, adam, gradient, moments, RATE)

        return jax.lax.fori_loop(0, steps, step, (start, adam.init(start)))[0]

    def round_(_: Any, state: tuple[Any, ...]) -> tuple[Any, ...]:
        params, rho, alpha, before = state
        params = minimise(params, rho, alpha)
        now = cycles(params)[0]
        return params, jnp.where(now > SLOWER * before, 10 * rho, rho), alpha + rho * now, now

    rho, alpha, before = (jnp.asarray(v, jax.tree.leaves(fit.start)[0].dtype) for v in (1.0, 0.0, np.inf))
    return jax.lax.fori_loop(0, ROUNDS, round_, (fit.start, rho, alpha, before))[0]


def _moved(
    params: Any, adam: optax.GradientTransformation, gradient: Any, moments: Any, rate: float | Array
) -> tuple[Any, Any]:
    with jax.numpy_dtype_promotion("standard"):  # optax raises floats to integer counts
        moves, moments = adam.update(gradient, moments)
    return jax.tree.map(lambda p, m: p - rate * m, params, moves), moments


def _off_diagonal(w: Array) -> Array:
    return jnp.where(jnp.eye(len(w), dtype=bool), 0, w)
