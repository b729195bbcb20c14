"""Effects that differ between units, by regressions of doubly robust scores on what they may depend on."""

from statistics import NormalDist
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from symjax.causal.estimate.crossfit import LEAST_PROPENSITY, Nuisances, arm_scores
from symjax.causal.estimate.regression import covariance, least_squares, with_constant


class LinearEffect(NamedTuple):
    """tau(x) = (1, x) b, the best linear predictor of the effect by some columns.

    Attributes:
        coefficients: b, the constant first.
        covariance: of b, robust to unequal variances, or by clusters.
    """

    coefficients: Float[Array, " p"]
    covariance: Float[Array, "p p"]

    def predict(
        self, modifiers: Float[Array, "m q"], *, level: float = 0.95
    ) -> tuple[Float[Array, " m"], Float[Array, " m"], Float[Array, " m"]]:
        """Return tau(x) of units, and the ends of its interval: of the best linear predictor, not of single effects."""
        x = with_constant(modifiers)
        value, error = x @ self.coefficients, jnp.sqrt(jnp.einsum("mi,ij,mj->m", x, self.covariance, x))
        return value, value - (reach := NormalDist().inv_cdf(0.5 + level / 2) * error), value + reach


def doubly_robust_scores(
    outcome: Float[Array, " n"], arm: Int[Array, " n"], nuisances: Nuisances, *, least: float = LEAST_PROPENSITY
) -> Float[Array, " n"]:
    """Return m_1 - m_0 + (1[A = 1] / e_1 - 1[A = 0] / e_0) (Y - m_A), whose mean given x is the effect at x."""
    low, high = arm_scores(outcome, arm, nuisances, least=least).T
    return high - low


def regress_scores(
    columns: Float[Array, "n q"],
    scores: Float[Array, " n"],
    weights: Float[Array, " n"],
    clusters: Int[Array, " n"] | None = None,
) -> LinearEffect:
    """Return the regression of scores on columns, with a covariance robust to unequal variances, or by clusters."""
    x = with_constant(columns)
    b = least_squares(x, scores, weights).coefficients
    return LinearEffect(b, covariance(x, scores - x @ b, weights, clusters=clusters))


def linear_dr_learner(
    outcome: Float[Array, " n"],
    arm: Int[Array, " n"],
    modifiers: Float[Array, "n q"],
    nuisances: Nuisances,
    weights: Float[Array, " n"] | None = None,
    clusters: Int[Array, " n"] | None = None,
) -> LinearEffect:
    """Return the regression of doubly robust scores on modifiers (Semenova and Chernozhukov 2021; Kennedy 2023).

    Args:
        outcome: numbers.
        arm: 0 or 1.
        modifiers: what the effect may depend on; without any it is the average effect.
        nuisances: cross-fitted.
        weights: of the units.
        clusters: of units that are not independent.
    """
    w = jnp.ones_like(outcome) if weights is None else weights
    return regress_scores(modifiers, doubly_robust_scores(outcome, arm, nuisances), w, clusters)
