"""Nuisances: what an estimator must know of outcomes and treatments, fitted on other units than it is used for."""

import copy
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PyTree

from symjax.causal.estimate.inference import NO_FACTS
from symjax.causal.estimate.regression import Fit, least_squares, logistic, with_constant

FOLDS = 5
LEAST_PROPENSITY = 0.01  # a propensity below which a unit's weight is held


class Nuisances(NamedTuple):
    """Predictions for each unit and arm, wherever they come from.

    Attributes:
        outcome: E[Y | arm, covariates].
        propensity: P(arm | covariates).
        facts: of how they were fitted.
    """

    outcome: Float[Array | np.ndarray, "n a"]
    propensity: Float[Array | np.ndarray, "n a"]
    facts: Mapping[str, Array] = NO_FACTS


def arm_scores(
    outcome: Float[Array, " n"], arm: Int[Array, " n"], nuisances: Nuisances, *, least: float = LEAST_PROPENSITY
) -> Float[Array, "n a"]:
    """Return m_a + 1[A = a] / e_a (Y - m_a) for each arm, whose mean is that of the outcome were all in the arm."""
    m, e = jnp.asarray(nuisances.outcome), jnp.clip(jnp.asarray(nuisances.propensity), least, 1)
    return m + jax.nn.one_hot(arm, m.shape[1], dtype=outcome.dtype) / e * (outcome[:, None] - m)


def crossfit(
    fit: Callable[[Float[Array, " n"]], PyTree],
    predict: Callable[[PyTree], Float[Array, "n ..."]],
    weights: Float[Array, " n"],
    folds: Int[Array, " n"] | None,
    count: int = FOLDS,
) -> tuple[Float[Array, "n ..."], PyTree]:
    """Return predictions for each unit by what was fitted without its fold, and all that was fitted.

    A fold is left out by weights of zero, so that all folds are fitted in one call, and resamples are further weights.

    Args:
        fit: weights to parameters.
        predict: parameters to predictions for all units.
        weights: of the units.
        folds: of the units, below `count`; None: one fit of all units predicts all.
        count: of folds.
    """
    if folds is None:
        params = fit(weights)
        return predict(params), params
    params = jax.vmap(lambda fold: fit(jnp.where(folds == fold, 0, weights)))(jnp.arange(count))
    predictions = jax.vmap(predict)(params)
    return jnp.take_along_axis(predictions, folds.reshape(1, -1, *[1] * (predictions.ndim - 2)), axis=0)[0], params


def linear_nuisances(
    outcome: Float[Array, " n"],
    arm: Int[Array, " n"],
    covariates: Float[Array, "n p"],
    weights: Float[Array, " n"],
    *,
    arms: int = 2,
    folds: Int[Array, " n"] | None = None,
    count: int = FOLDS,
    penalty: float = 1e-6,
) -> Nuisances:
    """Return a regression of the outcome in each arm, and logistic regressions of each arm, scaled to a sum of one.

    Args:
        outcome: numbers.
        arm: 0, 1, ...
        covariates: standardised columns, squares and products among them where they matter.
        weights: of the units.
        arms: how many.
        folds: see `crossfit`.
        count: of folds.
        penalty: on squared coefficients.
    """
    x = with_constant(covariates)
    own = jax.nn.one_hot(arm, arms, dtype=x.dtype, axis=0)
    first = 1 if arms == 2 else 0  # of two arms, one probability is enough

    def fit(w: Array) -> tuple[Fit, Fit]:
        regress = jax.vmap(lambda mine: least_squares(x, outcome, w * mine, penalty=penalty))
        return regress(own), jax.vmap(lambda mine: logistic(x, mine, w, penalty=penalty))(own[first:])

    def predict(fits: tuple[Fit, Fit]) -> Array:
        regressed, odds = fits[0].coefficients @ x.T, jax.nn.sigmoid(fits[1].coefficients @ x.T)
        chances = jnp.concatenate([1 - odds, odds]) if arms == 2 else odds / jnp.sum(odds, axis=0)[None]
        return jnp.stack([regressed, chances]).transpose(2, 0, 1)

    predictions, (_, odds) = crossfit(fit, predict, weights, folds, count)
    return Nuisances(predictions[:, 0], predictions[:, 1], {"converged": jnp.all(odds.converged)})


def fitted_nuisances(
    outcome_model: Any,
    treatment_model: Any,
    outcome: Float[np.ndarray, " n"],
    arm: Int[np.ndarray, " n"],
    covariates: Float[np.ndarray, "n p"],
    folds: Int[np.ndarray, " n"],
) -> Nuisances:
    """Return the cross-fitted predictions of any objects with `fit` and `predict`, and `fit` and `predict_proba`.

    They are deep-copied for each fit, as scikit-learn's, LightGBM's or your own allow.

    Args:
        outcome_model: with `fit(x, y)` and `predict(x)`; fitted in each arm.
        treatment_model: with `fit(x, arm)` and `predict_proba(x)`, or `predict(x)` as the probability of arm 1.
        outcome: numbers.
        arm: 0, 1, ...
        covariates: as the objects take them.
        folds: of the units, each with units of every arm in the others; see `folds_by_arm`.

    Raises:
        ValueError: the units outside some fold lack an arm.
    """
    arms = np.unique(arm)
    m, e = np.zeros((2, len(arm), len(arms)))
    for fold in np.unique(folds):
        inside, outside = folds == fold, folds != fold
        if len(np.unique(arm[outside])) < len(arms):
            raise ValueError(f"no unit outside fold {fold} has one of the arms; deal units out by arm: folds_by_arm")
        chances = copy.deepcopy(treatment_model).fit(covariates[outside], arm[outside])
        if hasattr(chances, "predict_proba"):
            e[inside] = chances.predict_proba(covariates[inside])
        else:
            chance = np.asarray(chances.predict(covariates[inside]), float)
            e[inside] = np.stack([1 - chance, chance], axis=1)
        for place, one in enumerate(arms):
            own = outside & (arm == one)
            m[inside, place] = (
                copy.deepcopy(outcome_model).fit(covariates[own], outcome[own]).predict(covariates[inside])
            )
    return Nuisances(m, e)
