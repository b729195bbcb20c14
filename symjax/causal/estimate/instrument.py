"""Effects by instruments: the ratio of Wald, two-stage least squares, the strength of the first stage."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from symjax.causal.estimate.inference import Effect
from symjax.causal.estimate.regression import covariance, least_squares, solve_symmetric, with_constant

WEAK = 10.0  # the first-stage F below which intervals mislead (Staiger and Stock 1997)


def wald(
    outcome: Float[Array, " n"],
    treatment: Float[Array, " n"],
    instrument: Float[Array, " n"],
    weights: Float[Array, " n"] | None = None,
) -> Effect:
    """Return (E[Y | Z = 1] - E[Y | Z = 0]) / (E[T | Z = 1] - E[T | Z = 0]) for a binary instrument.

    Where the instrument moves nobody against its direction, this is the average effect on those whom it moves (local
    average treatment effect, Imbens and Angrist 1994), not on all.
    """
    none = jnp.zeros((len(outcome), 0), outcome.dtype)
    return two_stage_least_squares(outcome, treatment, instrument[:, None], none, weights)


def two_stage_least_squares(
    outcome: Float[Array, " n"],
    treatment: Float[Array, " n"],
    instruments: Float[Array, "n k"],
    covariates: Float[Array, "n p"],
    weights: Float[Array, " n"] | None = None,
) -> Effect:
    """Return the coefficient of the treatment, itself predicted by the instruments, beside the covariates.

    With Q the instruments and covariates, X the treatment and covariates, and P the projection onto Q:

        b = (X' P X)^-1 X' P y

    `facts` hold "first_stage_f", robust to unequal variances, of the instruments beside the covariates, and "weak",
    whether it is below 10: then the estimate leans to that of least squares, and its interval is too narrow.

    Args:
        outcome: numbers.
        treatment: a dose, or 0 and 1.
        instruments: one or more.
        covariates: what makes the instruments valid, and any further ones.
        weights: of the units.
    """
    w = jnp.ones_like(outcome) if weights is None else weights
    known = with_constant(covariates)
    q = jnp.concatenate([known, instruments], axis=1)
    x = jnp.concatenate([known, treatment[:, None]], axis=1)
    predicted = q @ least_squares(q, x, w).coefficients
    b = least_squares(predicted, outcome, w).coefficients
    inverse, _ = solve_symmetric(
        (predicted * w[:, None]).T @ predicted / jnp.sum(w), jnp.eye(x.shape[1], dtype=x.dtype)
    )
    influence = (predicted @ inverse)[:, -1] * (outcome - x @ b)
    strength = first_stage(treatment, instruments, covariates, w)
    weak: Bool[Array, ""] = strength < WEAK
    return Effect(b[-1], influence, {"first_stage_f": strength, "weak": weak})


def first_stage(
    treatment: Float[Array, " n"],
    instruments: Float[Array, "n k"],
    covariates: Float[Array, "n p"],
    weights: Float[Array, " n"],
) -> Float[Array, ""]:
    """Return the F statistic, robust to unequal variances, of the instruments in a regression of the treatment."""
    q = jnp.concatenate([with_constant(covariates), instruments], axis=1)
    k, b = instruments.shape[1], least_squares(q, treatment, weights).coefficients
    spread = covariance(q, treatment - q @ b, weights)[-k:, -k:]
    return b[-k:] @ jnp.linalg.pinv(spread) @ b[-k:] / k
