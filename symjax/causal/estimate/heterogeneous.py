"""Effects that differ between units, by regressions of doubly robust scores on what they may depend on."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.stats import norm
from jaxtyping import Array, Float, Int

from symjax.causal.estimate.crossfit import Nuisances
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
        return value, value - (reach := norm.ppf(0.5 + level / 2) * error), value + reach


def doubly_robust_scores(
    outcome: Float[Array, " n"], arm: Int[Array, " n"], nuisances: Nuisances, *, least: float = 0.01
) -> Float[Array, " n"]:
    """Return m_1 - m_0 + (1[A = 1] / e_1 - 1[A = 0] / e_0) (Y - m_A), whose mean given x is the effect at x."""
    m, e = jnp.asarray(nuisances.outcome), jnp.clip(jnp.asarray(nuisances.propensity), least, 1)
    own = jax.nn.one_hot(arm, 2, dtype=outcome.dtype)
    left = own / e * (outcome[:, None] - m)
    return m[:, 1] - m[:, 0] + left[:, 1] - left[:, 0]


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
    x, scores = with_constant(modifiers), doubly_robust_scores(outcome, arm, nuisances)
    b = least_squares(x, scores, w).coefficients
    return LinearEffect(b, covariance(x, scores - x @ b, w, clusters=clusters))
