"""Sensitivity of debiased machine learning to hidden causes: how far an average effect can be from the truth.

Chernozhukov, Cinelli, Newey, Sharma and Syrgkanis (2022, arXiv:2112.13398): |bias| <= |rho| S C_Y C_D, with
S^2 = sigma^2 nu^2, sigma^2 = E (Y - g)^2, nu^2 = E alpha^2 for the outcome regression g and the Riesz representer
alpha; C_Y^2 is the share of what is left of the outcome that the hidden causes explain, C_D^2 = r / (1 - r) where they
explain the share r of the variance of the true representer.
"""

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float

from symjax.causal.refute.sensitivity import even_strength

Values = Array | np.ndarray


class Bounds(NamedTuple):
    """An estimate under hidden causes of given strength.

    Attributes:
        low: the least the effect can be.
        high: the most.
        low_limit: the end of a one-sided interval for the least.
        high_limit: for the most.
    """

    low: float
    high: float
    low_limit: float
    high_limit: float


class DebiasedSensitivity(NamedTuple):
    """Sensitivity of an average effect.

    Attributes:
        estimate: without hidden causes.
        error: its standard error.
        outcome_variance: sigma^2, of the outcome about its regression.
        representer_variance: nu^2.
        robustness: strength in both that would bring the estimate to zero.
        robustness_limit: that would bring the end of a one-sided interval to zero.
        bounds: function of (outcome share, representer share, |rho| = 1, level = 0.95).
        verdict: one sentence.
    """

    estimate: float
    error: float
    outcome_variance: float
    representer_variance: float
    robustness: float
    robustness_limit: float
    bounds: Callable[..., Bounds]
    verdict: str


def partially_linear_sensitivity(
    outcome_residual: Float[Values, " n"],
    treatment_residual: Float[Values, " n"],
    *,
    weights: Float[Values, " n"] | None = None,
    level: float = 0.95,
) -> DebiasedSensitivity:
    """Return the sensitivity of a partially linear effect from cross-fitted residuals of outcome and treatment.

    The effect is E(u v) / E(v^2), the representer v / E(v^2).
    """
    u, v, w = _arrays(outcome_residual, treatment_residual, weights)
    square = w @ v**2
    estimate = float(w @ (u * v) / square)
    left = u - estimate * v
    return riesz_sensitivity(estimate, v * left / square, left, v / square, 1 / square, weights=w, level=level)


def average_sensitivity(
    outcome: Float[Values, " n"],
    treatment: Float[Values, " n"],
    outcomes: Float[Values, "n 2"],
    propensity: Float[Values, " n"],
    *,
    weights: Float[Values, " n"] | None = None,
    level: float = 0.95,
) -> DebiasedSensitivity:
    """Return the sensitivity of the average effect of a binary treatment from cross-fitted nuisances.

    Args:
        outcome: one number a unit.
        treatment: 0 or 1.
        outcomes: predicted without and with treatment.
        propensity: probability of treatment, inside (0, 1).
        weights: of units.
        level: of the interval.

    The representer is D / e - (1 - D) / (1 - e).
    """
    y, d, w = _arrays(outcome, treatment, weights)
    g, e = np.asarray(outcomes, float), np.asarray(propensity, float)
    left = y - np.where(d == 1, g[:, 1], g[:, 0])
    representer = d / e - (1 - d) / (1 - e)
    score = g[:, 1] - g[:, 0] + representer * left
    estimate = float(w @ score)
    return riesz_sensitivity(estimate, score - estimate, left, representer, 1 / e + 1 / (1 - e), weights=w, level=level)


def riesz_sensitivity(
    estimate: float,
    influence: Float[Values, " n"],
    residual: Float[Values, " n"],
    representer: Float[Values, " n"],
    moment: Float[Values, " n"] | float,
    *,
    weights: Float[Values, " n"] | None = None,
    level: float = 0.95,
) -> DebiasedSensitivity:
    """Return the sensitivity of any average of a linear functional m of the outcome regression.

    Args:
        estimate: of the average.
        influence: of each unit on it.
        residual: of the outcome about its regression on treatment and covariates.
        representer: alpha, so that E m(g) = E alpha g.
        moment: m(alpha); its mean is that of alpha^2, and nu^2 = E (2 m(alpha) - alpha^2).
        weights: of units.
        level: of the interval.
    """
    psi, left, w = _arrays(influence, residual, weights)
    alpha = np.asarray(representer, float)
    sigma, nu = float(w @ left**2), float(w @ (2 * moment - alpha**2))
    if not (sigma > 0 and nu > 0):
        raise ValueError(f"expected residuals and a representer with variance, got variances {sigma:.3g} and {nu:.3g}")
    scale = math.sqrt(sigma * nu)
    slope = (sigma * (2 * moment - alpha**2 - nu) + nu * (left**2 - sigma)) / (2 * scale)  # influence on S

    def error(strength: float, sign: int) -> float:
        return float(np.sqrt(((w * (psi + sign * strength * slope)) ** 2).sum()))

    def bounds(outcome: float, representer: float, rho: float = 1.0, level: float = level) -> Bounds:
        if not (0 <= outcome <= 1 and 0 <= representer < 1):
            raise ValueError(f"expected shares of variance, got {outcome} and {representer}")
        strength, z = abs(rho) * math.sqrt(outcome * representer / (1 - representer)), NormalDist().inv_cdf(level)
        low, high = estimate - strength * scale, estimate + strength * scale
        return Bounds(low, high, low - z * error(strength, -1), high + z * error(strength, 1))

    def reach(strength: float) -> float:
        """How much of the interval's end is left on the side of the estimate."""
        found = bounds(strength, strength)
        return found.low_limit if estimate > 0 else -found.high_limit

    robustness = even_strength(abs(estimate) / scale)
    limit = _root(reach)
    verdict = (
        f"Hidden causes that explain {robustness:.1%} of what is left of the outcome and of the variance of the "
        f"representer would bring the estimate {estimate:.4g} to zero, and {limit:.1%} its {level:.0%} interval."
    )
    return DebiasedSensitivity(estimate, error(0.0, 1), sigma, nu, robustness, limit, bounds, verdict)


def gained_strength(
    short_residual: Float[Values, " n"],
    long_residual: Float[Values, " n"],
    short_variance: float,
    long_variance: float,
) -> tuple[float, float]:
    """Return the shares of outcome and representer that covariates explain, which are left out and put back.

    A benchmark for hidden causes: with sigma^2 and nu^2 of the short and the long model, 1 - sigma_l^2 / sigma_s^2 and
    1 - nu_s^2 / nu_l^2, none below zero.
    """
    short, long = (float(np.mean(np.asarray(r, float) ** 2)) for r in (short_residual, long_residual))
    return max(0.0, 1 - long / short), max(0.0, 1 - short_variance / long_variance)


def _arrays(first: Values, second: Values, weights: Values | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return arrays, and weights that sum to one."""
    w = np.ones(len(first)) if weights is None else np.asarray(weights, float)
    return np.asarray(first, float), np.asarray(second, float), w / w.sum()


def _root(reach: Callable[[float], float]) -> float:
    low, high = 0.0, 1 - 1e-9
    if reach(low) <= 0:
        return 0.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if reach(middle) > 0 else (low, middle)
    return low
