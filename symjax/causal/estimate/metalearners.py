"""Effects that differ between units, by smooth regressions put together: the S, T, X, DR and R learners.

Each takes outcomes, arms 0 or 1 and covariates, and returns the effects of the units `at`, or of its own units. The
regressions are those of `smooth`, chosen by cross-validation of what can be observed.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from symjax.causal.estimate.crossfit import LEAST_PROPENSITY, Nuisances
from symjax.causal.estimate.forest import Heterogeneous, forest_effects, grow_forest
from symjax.causal.estimate.heterogeneous import LinearEffect, doubly_robust_scores
from symjax.causal.estimate.inference import folds_by_arm
from symjax.causal.estimate.regression import covariance, least_squares, solve_symmetric, with_constant
from symjax.causal.estimate.smooth import FOLDS, Smooth, smooth, smooth_groups


def s_learner(
    key: Key[Array, ""],
    outcome: Float[Array, " n"],
    arm: Int[Array, " n"],
    covariates: Float[Array, "n p"],
    at: Float[Array, "m p"] | None = None,
    weights: Float[Array, " n"] | None = None,
) -> Float[Array, " m"]:
    """Return m(x, 1) - m(x, 0) of a single regression m(x, t), the arm one more column."""
    w, folds, x, at = _prepared(key, outcome, arm, covariates, at, weights)
    t = arm.astype(x.dtype)[:, None] - 0.5
    ask = jnp.concatenate([jnp.pad(at, ((0, 0), (0, 1)), constant_values=side) for side in (-0.5, 0.5)])
    low, high = smooth(key, jnp.concatenate([x, t], axis=1), outcome[:, None], ask, w, folds).predicted.reshape(2, -1)
    return high - low


def t_learner(
    key: Key[Array, ""],
    outcome: Float[Array, " n"],
    arm: Int[Array, " n"],
    covariates: Float[Array, "n p"],
    at: Float[Array, "m p"] | None = None,
    weights: Float[Array, " n"] | None = None,
) -> Float[Array, " m"]:
    """Return m_1(x) - m_0(x), a regression in each arm."""
    w, folds, x, at = _prepared(key, outcome, arm, covariates, at, weights)
    low, high = _by_arm(key, x, outcome, at, arm, w, folds).predicted[:, :, 0]
    return high - low


def x_learner(
    key: Key[Array, ""],
    outcome: Float[Array, " n"],
    arm: Int[Array, " n"],
    covariates: Float[Array, "n p"],
    at: Float[Array, "m p"] | None = None,
    weights: Float[Array, " n"] | None = None,
) -> Float[Array, " m"]:
    """Return e(x) tau_0(x) + (1 - e(x)) tau_1(x), with tau_a the regression in arm a of what the other arm's m imputes.

    Source: Künzel et al. (2019).
    """
    w, folds, x, at = _prepared(key, outcome, arm, covariates, at, weights)
    first, second, third = jax.random.split(key, 3)
    m = _by_arm(first, x, outcome, x, arm, w, folds).predicted[:, :, 0]
    imputed = jnp.where(arm == 1, outcome - m[0], m[1] - outcome)
    low, high = _by_arm(second, x, imputed, at, arm, w, folds).predicted[:, :, 0]
    e = jnp.clip(smooth(third, x, arm.astype(x.dtype)[:, None], at, w, folds).predicted[:, 0], 0, 1)
    return e * low + (1 - e) * high


def dr_learner(
    key: Key[Array, ""],
    outcome: Float[Array, " n"],
    arm: Int[Array, " n"],
    covariates: Float[Array, "n p"],
    at: Float[Array, "m p"] | None = None,
    weights: Float[Array, " n"] | None = None,
) -> Float[Array, " m"]:
    """Return the regression of cross-fitted doubly robust scores (Kennedy 2023)."""
    w, folds, x, at = _prepared(key, outcome, arm, covariates, at, weights)
    first, second, third = jax.random.split(key, 3)
    m = _by_arm(first, x, outcome, x[:1], arm, w, folds).fitted[:, :, 0].T
    e = smooth(second, x, arm.astype(x.dtype)[:, None], x[:1], w, folds).fitted[:, 0]
    e = jnp.clip(e, LEAST_PROPENSITY, 1 - LEAST_PROPENSITY)
    scores = doubly_robust_scores(outcome, arm, Nuisances(m, jnp.stack([1 - e, e], axis=1)))
    return smooth(third, x, scores[:, None], at, w, folds).predicted[:, 0]


def r_learner(
    key: Key[Array, ""],
    outcome: Float[Array, " n"],
    arm: Int[Array, " n"],
    covariates: Float[Array, "n p"],
    at: Float[Array, "m p"] | None = None,
    weights: Float[Array, " n"] | None = None,
) -> Float[Array, " m"]:
    """Return the tau that minimises sum_i w_i (Y~_i - T~_i tau(x_i))^2 over cross-fitted residuals.

    Source: Nie and Wager (2021).
    """
    w, folds, x, at = _prepared(key, outcome, arm, covariates, at, weights)
    first, second = jax.random.split(key)
    y, t = residuals(first, outcome, arm.astype(x.dtype), x, w, folds)
    safe = jnp.where(t == 0, 1, t)
    return smooth(second, x, (y / safe)[:, None], at, w * t**2, folds).predicted[:, 0]


def residuals(
    key: Key[Array, ""],
    outcome: Float[Array, " n"],
    treatment: Float[Array, " n"],
    covariates: Float[Array, "n p"],
    weights: Float[Array, " n"],
    folds: Int[Array, " n"],
) -> tuple[Float[Array, " n"], Float[Array, " n"]]:
    """Return Y - E[Y | X] and T - E[T | X], cross-fitted; the covariates are standardised."""
    both = jnp.stack([outcome, treatment], axis=1)
    y, t = (both - smooth(key, covariates, both, covariates[:1], weights, folds).fitted).T
    return y, t


def linear_dml(
    outcome: Float[Array, " n"],
    treatment: Float[Array, " n"],
    modifiers: Float[Array, "n q"],
    weights: Float[Array, " n"] | None = None,
    clusters: Int[Array, " n"] | None = None,
) -> LinearEffect:
    """Return the regression of Y~ on T~ (1, x), residuals that were cross-fitted (Chernozhukov et al. 2018)."""
    w = jnp.ones_like(outcome) if weights is None else weights
    return ortho_iv(outcome, treatment, treatment, modifiers, w, clusters)


def ortho_iv(
    outcome: Float[Array, " n"],
    treatment: Float[Array, " n"],
    instrument: Float[Array, " n"],
    modifiers: Float[Array, "n q"],
    weights: Float[Array, " n"] | None = None,
    clusters: Int[Array, " n"] | None = None,
) -> LinearEffect:
    """Return two-stage least squares of Y~ on T~ (1, x) by Z~ (1, x), all of them cross-fitted residuals.

    The covariance is robust to unequal variances, or by clusters.
    """
    w = jnp.ones_like(outcome) if weights is None else weights
    rows = with_constant(modifiers)
    x, q = rows * treatment[:, None], rows * instrument[:, None]
    predicted = q @ solve_symmetric((q * w[:, None]).T @ q, (q * w[:, None]).T @ x)[0]
    b = least_squares(predicted, outcome, w).coefficients
    return LinearEffect(b, covariance(predicted, outcome - x @ b, w, clusters=clusters))


def causal_forest(
    key: Key[Array, ""],
    outcome: Float[Array, " n"],
    arm: Int[Array, " n"],
    covariates: Float[Array, "n p"],
    at: Float[Array, "m p"] | None = None,
    *,
    n_estimators: int = 1000,
) -> Heterogeneous:
    """Return the effects of units by an honest forest on cross-fitted residuals; without `at`, out of bag.

    Args:
        key: of the regressions and the trees.
        outcome: numbers.
        arm: 0 or 1.
        covariates: what confounds, and what the effect may depend on.
        at: units whose effects are wanted; None: the same.
        n_estimators: trees.
    """
    w, folds, x, asked = _prepared(key, outcome, arm, covariates, at, None)
    first, second = jax.random.split(key)
    y, t = residuals(first, outcome, arm.astype(x.dtype), x, w, folds)
    forest = grow_forest(second, y, t, x, n_estimators=n_estimators)
    return forest_effects(forest, asked, out_of_bag=at is None)


def _prepared(
    key: Array, outcome: Array, arm: Array, covariates: Array, at: Array | None, weights: Array | None
) -> tuple[Array, Array, Array, Array]:
    """Return weights, folds, and standardised covariates of the units and of those asked for."""
    w = jnp.ones_like(outcome) if weights is None else weights
    mean = w @ covariates / jnp.sum(w)
    size = jnp.sqrt(w @ (covariates - mean[None]) ** 2 / jnp.sum(w))
    size = jnp.where(size > 0, size, 1)
    x, asked = ((a - mean[None]) / size[None] for a in (covariates, covariates if at is None else at))
    return w, folds_by_arm(jax.random.fold_in(key, 1), arm, FOLDS), x, asked


def _by_arm(key: Array, x: Array, y: Array, at: Array, arm: Array, w: Array, folds: Array) -> Smooth:
    """Return the regressions within each of the two arms."""
    own = jnp.where(arm[None] == jnp.arange(2)[:, None], w[None], 0)
    return smooth_groups(key, x, jnp.broadcast_to(y[None, :, None], (2, len(y), 1)), at, own, folds)
