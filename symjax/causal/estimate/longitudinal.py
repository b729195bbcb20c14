"""Effects of treatments that are given again and again, by what was seen until then: g-formula, and weights.

A covariate may be an effect of an early treatment and a cause of a later one. A regression beside it blocks the first,
one without it confounds the second; these two do neither (Robins 1986; Robins, Hernan and Brumback 2000). At instant t
the covariates L_t are seen first, then A_t is given; what precedes the first treatment belongs into L_0.
"""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from symjax.causal.estimate.inference import Effect, influences
from symjax.causal.estimate.regression import least_squares, logistic


def longitudinal_gformula(
    outcome: Float[Array, " n"],
    treatments: Float[Array, "n t"],
    covariates: Float[Array, "n t p"],
    weights: Float[Array, " n"] | None = None,
    *,
    regime: Float[Array, " t"],
    reference: Float[Array, " t"],
) -> Effect:
    """Return E[Y | do(A = regime)] - E[Y | do(A = reference)] by regressions from the last instant to the first.

        Q_T = Y,    Q_{t-1} = E[Q_t | A_0 ... A_t, L_0 ... L_t] at A_t = a_t,    the mean of Q_{-1}

    each linear in all that was seen until then (iterated conditional expectations, Bang and Robins 2005).

    Args:
        outcome: Y, at the end.
        treatments: A, doses or 0 and 1.
        covariates: L.
        weights: of the units.
        regime: a, a dose for each instant.
        reference: what it is compared with.
    """
    w = jnp.ones_like(outcome) if weights is None else weights
    seen = [_seen(treatments, covariates, t) for t in range(treatments.shape[1])]

    def under(doses: Array) -> Effect:
        later, slopes = outcome, []
        for x, dose in reversed(list(zip(seen, doses, strict=True))):
            slopes.append(least_squares(x, later, w).coefficients)
            later = x.at[:, -1].set(dose) @ slopes[-1]
        mean = w @ later / jnp.sum(w)
        ends = [sum(len(b) for b in slopes[:k]) for k in range(1, len(slopes) + 1)]

        def scores(theta: Array) -> Array:
            later, parts = outcome, []
            for x, dose, b in zip(reversed(seen), reversed(doses), jnp.split(theta[:-1], ends[:-1]), strict=True):
                parts.append(x * (later - x @ b)[:, None])
                later = x.at[:, -1].set(dose) @ b
            return jnp.concatenate([*parts, (later - theta[-1])[:, None]], axis=1)

        return Effect(mean, influences(scores, jnp.concatenate([*slopes, mean[None]]), w)[:, -1])

    treated, untreated = under(regime), under(reference)
    return Effect(treated.value - untreated.value, treated.influence - untreated.influence)


def stabilised_weights(
    treatments: Float[Array, "n t"], covariates: Float[Array, "n t p"], weights: Float[Array, " n"] | None = None
) -> tuple[Float[Array, " n"], Bool[Array, ""]]:
    """Return prod_t P(A_t | A_0 ... A_{t-1}) / P(A_t | A_0 ... A_{t-1}, L_0 ... L_t), and whether all fits converged.

    Treatments are 0 or 1, their probabilities logistic regressions. The mean should be near 1: where it is not, or one
    unit weighs as much as a hundred, some history leaves no choice of treatment.
    """
    w = jnp.ones_like(treatments[:, 0]) if weights is None else weights
    total, converged = jnp.ones_like(w), jnp.array(True)
    for t in range(treatments.shape[1]):
        own = treatments[:, t]
        for x, sign in ((_past(treatments, t), 1), (_seen(treatments, covariates, t)[:, :-1], -1)):
            fit = logistic(x, own, w)
            total *= jnp.exp(-sign * jnp.logaddexp(0, (1 - 2 * own) * (x @ fit.coefficients)))
            converged &= fit.converged
    return total, converged


def marginal_structural(
    outcome: Float[Array, " n"],
    treatments: Float[Array, "n t"],
    covariates: Float[Array, "n t p"],
    weights: Float[Array, " n"] | None = None,
    *,
    regime: Float[Array, " t"],
    reference: Float[Array, " t"],
) -> Effect:
    """Return (regime - reference) b, with b of E[Y | do(A = a)] = b_0 + a b by regression with `stabilised_weights`.

    The influences take these weights as known, which makes intervals a little too wide. `facts` hold "converged",
    "mean_weight" and "largest_weight". Arguments are those of `longitudinal_gformula`, treatments being 0 or 1.
    """
    w = jnp.ones_like(outcome) if weights is None else weights
    stabilised, converged = stabilised_weights(treatments, covariates, w)
    both, x = w * stabilised, _past(treatments, treatments.shape[1])
    b = least_squares(x, outcome, both).coefficients
    contrast = regime - reference

    def scores(theta: Array) -> Array:
        return x * (stabilised * (outcome - x @ theta))[:, None]

    facts = {
        "converged": converged,
        "mean_weight": jnp.sum(both) / jnp.sum(w),
        "largest_weight": jnp.max(jnp.where(w > 0, stabilised, 0)),
    }
    return Effect(b[1:] @ contrast, influences(scores, b, w)[:, 1:] @ contrast, facts)


def _past(treatments: Array, t: int) -> Float[Array, "n k"]:
    """Return a constant and the treatments before instant t."""
    return jnp.concatenate([jnp.ones_like(treatments[:, :1]), treatments[:, :t]], axis=1)


def _seen(treatments: Array, covariates: Array, t: int) -> Float[Array, "n k"]:
    """Return what is known at instant t, its treatment in the last column."""
    known = covariates[:, : t + 1].reshape(len(covariates), -1)
    return jnp.concatenate([_past(treatments, t), known, treatments[:, t : t + 1]], axis=1)
