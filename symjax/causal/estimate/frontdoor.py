"""The effect through mediators that hidden causes miss (front door), by linear regressions."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from symjax.causal.estimate.inference import Effect, influences
from symjax.causal.estimate.regression import least_squares, with_constant


def frontdoor_effect(
    outcome: Float[Array, " n"],
    treatment: Float[Array, " n"],
    mediators: Float[Array, "n m"],
    covariates: Float[Array, "n p"],
    weights: Float[Array, " n"] | None = None,
) -> Effect:
    """Return sum_m a_m b_m: a, of the treatment on each mediator; b, of each mediator on the outcome beside it.

    Both are coefficients of regressions on the covariates too, the second on the treatment as well, which closes the
    back doors from mediators to outcome. Without linearity evaluate the formula of `identify` instead.

    Args:
        outcome: numbers.
        treatment: a dose, or 0 and 1.
        mediators: which carry the whole effect.
        covariates: of all regressions.
        weights: of the units.
    """
    w = jnp.ones_like(outcome) if weights is None else weights
    first = jnp.concatenate([with_constant(covariates), treatment[:, None]], axis=1)
    second = jnp.concatenate([first, mediators], axis=1)
    p, m = first.shape[1], mediators.shape[1]
    start = jnp.concatenate(
        [least_squares(first, mediators, w).coefficients.ravel(), least_squares(second, outcome, w).coefficients]
    )

    def scores(theta: Array) -> Array:
        a, b = theta[: p * m].reshape(p, m), theta[p * m :]
        moved = (first[:, :, None] * (mediators - first @ a)[:, None]).reshape(len(w), -1)
        return jnp.concatenate([moved, second * (outcome - second @ b)[:, None]], axis=1)

    def effect(theta: Array) -> Array:
        return theta[: p * m].reshape(p, m)[-1] @ theta[-m:]

    return Effect(effect(start), influences(scores, start, w) @ jax.grad(effect)(start))
