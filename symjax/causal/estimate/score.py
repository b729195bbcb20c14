"""What predicted effects are worth on units that did not choose them, by scores of residuals and doubly robust ones."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from symjax.causal.estimate.heterogeneous import LinearEffect, regress_scores
from symjax.causal.estimate.inference import Effect


class Curve(NamedTuple):
    """Points of a curve, the units with the largest predictions first.

    Attributes:
        share: of the units, i / n.
        value: of the curve at that share.
    """

    share: Float[Array, " n"]
    value: Float[Array, " n"]


def r_score(predicted: Float[Array, " n"], outcome: Float[Array, " n"], treatment: Float[Array, " n"]) -> Effect:
    """Return 1 - sum (Y~ - T~ tau)^2 / sum (Y~ - T~ b)^2, with b the best constant effect; above 0 is better than b.

    Args:
        predicted: tau of the units, by a model that did not see them.
        outcome: residuals Y - E[Y | X].
        treatment: residuals T - E[T | X].
    """
    b = jnp.sum(treatment * outcome) / jnp.sum(treatment**2)
    return _gain((outcome - treatment * predicted) ** 2, (outcome - treatment * b) ** 2)


def dr_score(predicted: Float[Array, " n"], scores: Float[Array, " n"]) -> Effect:
    """Return 1 - sum (s - tau)^2 / sum (s - mean s)^2 for doubly robust scores s; above 0 is better than a constant."""
    return _gain((scores - predicted) ** 2, (scores - jnp.mean(scores)) ** 2)


def calibration(predicted: Float[Array, " n"], scores: Float[Array, " n"]) -> LinearEffect:
    """Return the regression of doubly robust scores on predictions: slope 1 is calibrated, slope 0 is worthless."""
    return regress_scores(predicted[:, None], scores, jnp.ones_like(scores))


def uplift_curve(predicted: Float[Array, " n"], scores: Float[Array, " n"]) -> Curve:
    """Return the gain of treating the i units of largest prediction: sum of their scores, divided by n."""
    ranked = scores[jnp.argsort(-predicted)]
    n = len(scores)
    return Curve(jnp.arange(1, n + 1).astype(scores.dtype) / n, jnp.cumsum(ranked) / n)


def qini_curve(predicted: Float[Array, " n"], scores: Float[Array, " n"]) -> Curve:
    """Return the uplift less that of treating as many at random; it ends at zero."""
    share, value = uplift_curve(predicted, scores)
    return Curve(share, value - share * jnp.mean(scores))


def toc_curve(predicted: Float[Array, " n"], scores: Float[Array, " n"]) -> Curve:
    """Return the mean effect of the i units of largest prediction less that of all (Yadlowsky et al. 2025)."""
    share, value = uplift_curve(predicted, scores)
    return Curve(share, value / share - jnp.mean(scores))


def _gain(own: Array, constant: Array) -> Effect:
    """Return by how much squared errors are smaller than those of a constant, as a share of these."""
    ratio = jnp.mean(own) / jnp.mean(constant)
    return Effect(1 - ratio, -(own - ratio * constant) / jnp.mean(constant))
