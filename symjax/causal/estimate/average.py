"""Average effects: differences of means, regression, g-formula, weighting, doubly robust and targeted estimators.

Each is a pure function of arrays and weights, so that bootstraps and refuters are maps over weights. Arms are numbers
0, 1, ..., and every other arm is compared with arm 0: a value for two arms, [arms - 1] values for more. Covariates
should be standardised. The populations are "ate", all units, and "att", those of arm 1.
"""

from collections.abc import Callable
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from symjax.causal.estimate.crossfit import FOLDS, LEAST_PROPENSITY, Nuisances, arm_scores, linear_nuisances
from symjax.causal.estimate.inference import Effect, influences
from symjax.causal.estimate.regression import least_squares, logistic, solve_symmetric, with_constant

Population = Literal["ate", "att"]


def difference_in_means(
    outcome: Float[Array, " n"], arm: Int[Array, " n"], weights: Float[Array, " n"] | None = None, *, arms: int = 2
) -> Effect:
    """Return mean(Y | arm a) - mean(Y | arm 0): the effect where arms were drawn by lot, and only there."""
    own, w = _own(arm, arms, outcome), _ones(weights, outcome)
    shares = w @ own / jnp.sum(w)
    means = (w * outcome) @ own / jnp.sum(w) / shares
    return _contrast(means, own / shares[None] * (outcome[:, None] - means[None]))


def regression_effect(
    outcome: Float[Array, " n"],
    treatment: Float[Array, "n k"],
    covariates: Float[Array, "n p"],
    weights: Float[Array, " n"] | None = None,
) -> Effect:
    """Return the coefficients of the treatments beside the covariates in a linear regression.

    An average effect where effects are the same for all units, else one that leans to units like others of both arms.

    Args:
        outcome: numbers.
        treatment: doses, or 0 and 1 for each arm but the first.
        covariates: what is adjusted for.
        weights: of the units.
    """
    x, w = jnp.concatenate([with_constant(covariates), treatment], axis=1), _ones(weights, outcome)
    fit = least_squares(x, outcome, w)
    k = treatment.shape[1]
    inverse, _ = solve_symmetric((x * w[:, None]).T @ x / jnp.sum(w), jnp.eye(x.shape[1], dtype=x.dtype))
    influence = (x @ inverse)[:, -k:] * (outcome - x @ fit.coefficients)[:, None]
    value = fit.coefficients[-k:]
    return Effect(value[0], influence[:, 0]) if k == 1 else Effect(value, influence)


def gformula(
    outcome: Float[Array, " n"],
    arm: Int[Array, " n"],
    covariates: Float[Array, "n p"],
    weights: Float[Array, " n"] | None = None,
    *,
    arms: int = 2,
    population: Population = "ate",
) -> Effect:
    """Return the mean of m_a(X) - m_0(X), with a linear regression m_a of the outcome in each arm (standardisation)."""
    x, w, own = with_constant(covariates), _ones(weights, outcome), _own(arm, arms, outcome)
    fits = jax.vmap(lambda mine: least_squares(x, outcome, w * mine).coefficients, in_axes=1)(own)
    start = jnp.concatenate([fits.ravel(), jnp.zeros(arms, x.dtype)])

    def scores(theta: Array) -> Array:
        b, means = theta[:-arms].reshape(arms, -1), theta[-arms:]
        predicted = x @ b.T
        slopes = (own * (outcome[:, None] - predicted))[:, :, None] * x[:, None]
        return jnp.concatenate(
            [slopes.reshape(len(x), -1), _members(arm, population)[:, None] * (predicted - means[None])], 1
        )

    return _solved(scores, start, w, arms, {})


def ipw(
    outcome: Float[Array, " n"],
    arm: Int[Array, " n"],
    covariates: Float[Array, "n p"],
    weights: Float[Array, " n"] | None = None,
    *,
    population: Population = "ate",
    least: float = LEAST_PROPENSITY,
) -> Effect:
    """Return the difference of means of two arms weighted by inverse propensities of a logistic regression (Hajek).

    The error counts that the propensities are estimated. `facts` say whether the regression converged and how many
    units had a propensity below `least`, where their weight is held.
    """
    x, w, treated = with_constant(covariates), _ones(weights, outcome), arm.astype(outcome.dtype)
    fit = logistic(x, treated, w)
    own = _own(arm, 2, outcome)

    def inverse(b: Array) -> Array:
        e = jnp.clip(jax.nn.sigmoid(x @ b), least, 1 - least)
        return jnp.stack([1 / (1 - e), 1 / e], axis=1) * _odds(e, population)[:, None]

    def scores(theta: Array) -> Array:
        b, means = theta[:-2], theta[-2:]
        slopes = x * (treated - jax.nn.sigmoid(x @ b))[:, None]
        return jnp.concatenate([slopes, own * inverse(b) * (outcome[:, None] - means[None])], axis=1)

    start, e = jnp.concatenate([fit.coefficients, jnp.zeros(2, x.dtype)]), jax.nn.sigmoid(x @ fit.coefficients)
    return _solved(
        scores, start, w, 2, {"converged": fit.converged, "clipped": _held(jnp.stack([1 - e, e], axis=1), w, least)}
    )


def aipw(
    outcome: Float[Array, " n"],
    arm: Int[Array, " n"],
    covariates: Float[Array, "n p"],
    weights: Float[Array, " n"] | None = None,
    *,
    arms: int = 2,
    population: Population = "ate",
    nuisances: Nuisances | None = None,
    folds: Int[Array, " n"] | None = None,
    count: int = FOLDS,
    least: float = LEAST_PROPENSITY,
) -> Effect:
    """Return the doubly robust average of m_a(X) + 1[A = a] / e_a(X) (Y - m_a(X)) against arm 0 (Robins et al. 1994).

    It is right where the regressions m or the propensities e are; of units of arm 1 ("att"), the average of
    Y - m_0 among them less that of the others, weighted by e_1 / e_0.

    Args:
        outcome: numbers.
        arm: 0, 1, ...
        covariates: what is adjusted for.
        weights: of the units.
        arms: how many.
        population: "ate" or "att".
        nuisances: m and e; None: `linear_nuisances`.
        folds: of these.
        count: of folds.
        least: a propensity below which a unit's weight is held.
    """
    w, own = _ones(weights, outcome), _own(arm, arms, outcome)
    found = nuisances or linear_nuisances(outcome, arm, covariates, w, arms=arms, folds=folds, count=count)
    m, e = jnp.asarray(found.outcome), jnp.clip(jnp.asarray(found.propensity), least, 1)
    facts = {**found.facts, "clipped": _held(found.propensity, w, least)}
    if population == "att":
        share = w @ own[:, 1] / jnp.sum(w)
        score = (own[:, 1] - own[:, 0] * e[:, 1] / e[:, 0]) * (outcome - m[:, 0]) / share
        value = w @ score / jnp.sum(w)
        return Effect(value, score - value * own[:, 1] / share, facts)
    scores = arm_scores(outcome, arm, found, least=least)
    means = w @ scores / jnp.sum(w)
    return _contrast(means, scores - means[None])._replace(facts=facts)


def tmle(
    outcome: Float[Array, " n"],
    arm: Int[Array, " n"],
    covariates: Float[Array, "n p"],
    weights: Float[Array, " n"] | None = None,
    *,
    arms: int = 2,
    nuisances: Nuisances | None = None,
    folds: Int[Array, " n"] | None = None,
    count: int = FOLDS,
    least: float = LEAST_PROPENSITY,
) -> Effect:
    """Return the targeted average effect (van der Laan and Rubin 2006): m_a is moved until weighted residuals vanish.

    Outcomes are scaled to [0, 1] by their range, and m_a moves along its logit by a constant, weighted by 1 / e_a, so
    that no average leaves the range of the outcomes. Arguments are those of `aipw`.
    """
    w, own = _ones(weights, outcome), _own(arm, arms, outcome)
    found = nuisances or linear_nuisances(outcome, arm, covariates, w, arms=arms, folds=folds, count=count)
    e = jnp.clip(jnp.asarray(found.propensity), least, 1)
    low, high = (find(jnp.where(w > 0, outcome, outcome[jnp.argmax(w)])) for find in (jnp.min, jnp.max))
    y = (outcome - low) / (high - low)
    m = jnp.clip((jnp.asarray(found.outcome) - low) / (high - low), 1e-3, 1 - 1e-3)
    logit = jnp.log(m) - jnp.log1p(-m)

    def move(_: Any, shift: Array) -> Array:
        p = jax.nn.sigmoid(logit + shift[None])
        slope, bend = (w @ (own / e * part) for part in (y[:, None] - p, p * (1 - p)))
        return shift + slope / bend

    targeted = jax.nn.sigmoid(logit + jax.lax.fori_loop(0, 12, move, jnp.zeros(arms, y.dtype))[None])
    scores = targeted + own / e * (y[:, None] - targeted)
    means = w @ targeted / jnp.sum(w)
    facts = {**found.facts, "clipped": _held(found.propensity, w, least)}
    return _contrast((high - low) * means, (high - low) * (scores - means[None]))._replace(facts=facts)


def partially_linear(
    outcome: Float[Array, " n"],
    treatment: Float[Array, " n"],
    covariates: Float[Array, "n p"],
    weights: Float[Array, " n"] | None = None,
    *,
    folds: Int[Array, " n"] | None = None,
    count: int = FOLDS,
    penalty: float = 1e-6,
) -> Effect:
    """Return theta of Y = theta T + f(X) + noise by residuals on residuals (Robinson 1988; Chernozhukov et al. 2018).

        theta = sum_i w_i (T_i - t(X_i)) (Y_i - y(X_i)) / sum_i w_i (T_i - t(X_i))^2

    with cross-fitted ridge regressions t and y. T may be a dose, theta then being the effect of one unit of it, or an
    arm: theta is then the average effect in the overlap population, in which a unit counts by e(X) (1 - e(X)).

    Cost: all regressions follow from the moments of (1, X, T, Y) in each fold, one matrix product with the weights.
    """
    w, p = _ones(weights, outcome), covariates.shape[1] + 1
    z = jnp.concatenate([with_constant(covariates), treatment[:, None], outcome[:, None]], axis=1)
    moments = (z[:, :, None] * z[:, None]).reshape(len(z), -1)
    count = 1 if folds is None else count
    own = jnp.ones((1, len(z)), z.dtype) if folds is None else jax.nn.one_hot(folds, count, dtype=z.dtype, axis=0)
    inside = ((own * w[None]) @ moments).reshape(count, p + 2, p + 2)
    others = inside if folds is None else jnp.sum(inside, axis=0)[None] - inside

    def regress(gram: Array) -> Array:
        ridge = penalty * gram[0, 0] * jnp.eye(p, dtype=z.dtype).at[0, 0].set(0)
        return solve_symmetric(gram[:p, :p] + ridge, gram[:p, p:])[0]

    b = jax.vmap(regress)(others)
    left = jnp.concatenate([-b, jnp.broadcast_to(jnp.eye(2, dtype=z.dtype)[None], (count, 2, 2))], axis=1)
    squares = jnp.einsum("fia,fij,fjb->ab", left, inside, left)
    theta = squares[0, 1] / squares[0, 0]
    residuals = jnp.einsum("ni,nia->na", z, left[jnp.zeros(len(z), int) if folds is None else folds])
    influence = residuals[:, 0] * (residuals[:, 1] - theta * residuals[:, 0]) * jnp.sum(w) / squares[0, 0]
    return Effect(theta, influence)


def _ones(weights: Array | None, like: Array) -> Array:
    return jnp.ones_like(like) if weights is None else weights


def _own(arm: Array, arms: int, like: Array) -> Float[Array, "n a"]:
    return jax.nn.one_hot(arm, arms, dtype=like.dtype)


def _members(arm: Array, population: Population) -> Array:
    """Return who is averaged over, as numbers."""
    return (arm == 1).astype(float) if population == "att" else jnp.ones(arm.shape)


def _odds(e: Array, population: Population) -> Array:
    """Return how much a unit of propensity e counts in a population."""
    return e if population == "att" else jnp.ones_like(e)


def _held(propensity: Array | np.ndarray, w: Array, least: float) -> Int[Array, ""]:
    """Return how many units have a propensity of some arm below the least."""
    return jnp.sum((w > 0) & jnp.any(propensity < least, axis=1))


def _contrast(means: Float[Array, " a"], influence: Float[Array, "n a"]) -> Effect:
    """Return the differences to arm 0, without an axis where there is one."""
    value, psi = means[1:] - means[0], influence[:, 1:] - influence[:, :1]
    return Effect(value[0], psi[:, 0]) if len(value) == 1 else Effect(value, psi)


def _solved(scores: Callable[[Array], Array], theta: Array, w: Array, arms: int, facts: dict[str, Array]) -> Effect:
    """Return the contrast of the last numbers of theta, in which the scores are linear, where their means vanish."""

    def mean(theta: Array) -> Array:
        return w @ scores(theta) / jnp.sum(w)

    slope = jax.jacfwd(mean)(theta)
    means = theta[-arms:] - mean(theta)[-arms:] / jnp.diagonal(slope)[-arms:]
    theta = theta.at[-arms:].set(means)
    return _contrast(means, influences(scores, theta, w)[:, -arms:])._replace(facts=facts)
