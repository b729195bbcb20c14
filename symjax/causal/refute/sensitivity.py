"""How strong a hidden common cause must be to undo an estimate: E-values, and partial R2 for a regression.

VanderWeele and Ding (2017, doi:10.7326/M16-2607); Cinelli and Hazlett (2020, doi:10.1111/rssb.12348).
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float

Values = Array | np.ndarray


class EValue(NamedTuple):
    """The least risk ratio of a hidden cause with both treatment and outcome that would explain an estimate.

    Attributes:
        estimate: for the estimate.
        limit: for the end of the interval that is closer to no effect; 1 where the interval holds none.
        verdict: one sentence.
    """

    estimate: float
    limit: float
    verdict: str


class Benchmark(NamedTuple):
    """What a hidden cause some times as strong as an observed covariate could do.

    Attributes:
        name: of the covariate.
        times: how many times as strong.
        treatment: partial R2 of the hidden cause with the treatment.
        outcome: with the outcome, at most.
        estimate: what would be left of the estimate.
        error: its standard error.
        t: their ratio.
    """

    name: str
    times: float
    treatment: float
    outcome: float
    estimate: float
    error: float
    t: float


class Sensitivity(NamedTuple):
    """Sensitivity of a regression coefficient to a hidden cause.

    Attributes:
        estimate: the coefficient of the treatment.
        error: its standard error, of equal variances.
        t: their ratio.
        freedom: degrees of freedom.
        partial_r2: share of what is left of the outcome that the treatment explains.
        robustness: share of both that a hidden cause must explain to bring the estimate to zero.
        robustness_limit: to bring the end of the interval to zero.
        benchmarks: against observed covariates.
        verdict: one sentence.
    """

    estimate: float
    error: float
    t: float
    freedom: int
    partial_r2: float
    robustness: float
    robustness_limit: float
    benchmarks: tuple[Benchmark, ...]
    verdict: str

    def adjusted(self, treatment: Values | float, outcome: Values | float) -> tuple[np.ndarray, np.ndarray]:
        """Return estimate and t under a hidden cause with these partial R2, for contours: arrays of their shape."""
        estimate, error = adjusted(self.estimate, self.error, self.freedom, treatment, outcome)
        with np.errstate(divide="ignore"):  # nothing is left of the outcome
            return estimate, np.asarray(estimate / error)


def e_value(ratio: float, low: float | None = None, high: float | None = None) -> EValue:
    """Return the E-value of a risk ratio and of its interval: E = RR + sqrt(RR (RR - 1)), of 1 / RR below 1.

    Raises:
        ValueError: for a ratio that is not positive, or an interval without it.
    """
    low, high = ratio if low is None else low, ratio if high is None else high
    if not 0 < low <= ratio <= high < math.inf:
        raise ValueError(f"expected a positive risk ratio inside its interval, got {ratio} in [{low}, {high}]")
    nearest = 1.0 if low <= 1 <= high else low if low > 1 else high
    value, limit = (_e_value(r) for r in (ratio, nearest))
    verdict = (
        f"A hidden cause with risk ratios of {value:.2f} with both treatment and outcome would explain the estimate, "
        + (f"and one of {limit:.2f} the interval." if limit > 1 else "and none is needed for the interval.")
    )
    return EValue(value, limit, verdict)


def e_value_of_difference(estimate: float, error: float, spread: float) -> EValue:
    """Return the E-value of a difference of means: of the ratio exp(0.91 d), d = estimate / spread of the outcome.

    Its interval is exp(0.91 d +- 1.78 error / spread) (VanderWeele and Ding 2017, table 2): an approximation for
    outcomes that are close to Gaussian.

    Raises:
        ValueError: for a spread or an error that is not positive.
    """
    if not (spread > 0 and error > 0):
        raise ValueError(f"expected a positive standard error and standard deviation, got {error} and {spread}")
    middle, half = 0.91 * estimate / spread, 1.78 * error / spread
    return e_value(*(math.exp(end) for end in (middle, middle - half, middle + half)))


def robustness_value(t: float, freedom: int, level: float | None = None) -> float:
    """Return the partial R2 with treatment and outcome that brings the estimate, or its interval's end, to zero.

    RV = (sqrt(f^4 + 4 f^2) - f^2) / 2 with f = |t| / sqrt(freedom); for the end of the interval of a level the critical
    value of t / sqrt(freedom - 1) is taken off f.
    """
    f = abs(t) / math.sqrt(freedom)
    critical = 0.0 if level is None else _critical(level, freedom - 1) / math.sqrt(freedom - 1)
    if f <= critical:
        return 0.0
    if critical and f > 1 / critical:  # the hidden cause need not explain as much of the outcome
        return (f**2 - critical**2) / (1 + f**2)
    return even_strength(f - critical)


def even_strength(f: float) -> float:
    """Return the share r with r / sqrt(1 - r) = f: a bias of f when a cause explains r of treatment and of outcome."""
    return 2 * f / (f + math.sqrt(f**2 + 4))


def adjusted(
    estimate: float, error: float, freedom: int, treatment: Values | float, outcome: Values | float
) -> tuple[np.ndarray, np.ndarray]:
    """Return estimate and standard error of a regression with a hidden cause of these partial R2, a and b.

    The bias, towards zero and beyond, is error sqrt(freedom a b / (1 - a)); the error is multiplied by
    sqrt((1 - b) / (1 - a) freedom / (freedom - 1)).
    """
    a, b = np.asarray(treatment, float), np.asarray(outcome, float)
    bias = error * np.sqrt(freedom * a * b / (1 - a))
    wider = error * np.sqrt((1 - b) / (1 - a) * freedom / (freedom - 1))
    return np.asarray(np.sign(estimate) * (abs(estimate) - bias)), np.asarray(wider)


def linear_sensitivity(
    outcome: Float[Values, " n"],
    treatment: Float[Values, " n"],
    covariates: Mapping[str, Float[Values, " n"] | Float[Values, "n k"]],
    *,
    benchmarks: Sequence[str] | None = None,
    times: Sequence[int | float] = (1, 2, 3),
    weights: Float[Values, " n"] | None = None,
    level: float = 0.95,
) -> Sensitivity:
    """Return the sensitivity of the treatment's coefficient in a regression with the covariates.

    Args:
        outcome: one number a unit.
        treatment: one number a unit.
        covariates: by name, columns or blocks of columns.
        benchmarks: names to compare a hidden cause with; None: all.
        times: how many times as strong.
        weights: of units.
        level: of the interval.

    Raises:
        ValueError: for a treatment that the covariates determine, too few rows, or an unknown benchmark.
    """
    root = np.ones(len(outcome)) if weights is None else np.sqrt(np.asarray(weights, float))
    y, t = (np.asarray(v, float) * root for v in (outcome, treatment))
    blocks = {name: np.asarray(v, float).reshape(len(y), -1) * root[:, None] for name, v in covariates.items()}
    names = list(blocks) if benchmarks is None else list(benchmarks)
    for name in names:
        if name not in blocks:
            raise ValueError(f"expected a benchmark among the covariates {', '.join(blocks)}, got {name!r}")
    basis = _basis([root[:, None], *blocks.values()])
    own, rest = (v - basis @ (basis.T @ v) for v in (t, y))
    freedom, square = len(y) - basis.shape[1] - 1, own @ own
    if freedom < 2 or not square > 1e-20 * (t @ t):
        raise ValueError(
            f"expected more rows than columns and a treatment of its own, got {freedom} degrees of freedom"
        )
    estimate = float(own @ rest / square)
    error = float(math.sqrt(((rest - estimate * own) ** 2).sum() / freedom / square))
    strengths = {name: _strengths(name, blocks, root, t, y) for name in names}
    bounds = [_bound(name, float(k), *strengths[name], estimate, error, freedom) for name in names for k in times]
    ratio = estimate / error
    value, limit = robustness_value(ratio, freedom), robustness_value(ratio, freedom, level)
    partial = ratio**2 / (ratio**2 + freedom)
    found = tuple(bound for bound in bounds if bound is not None)
    verdict = _verdict(estimate, value, limit, found, level)
    return Sensitivity(estimate, error, ratio, freedom, partial, value, limit, found, verdict)


def _e_value(ratio: float) -> float:
    ratio = max(ratio, 1 / ratio)
    return ratio + math.sqrt(ratio * (ratio - 1))


def _critical(level: float, freedom: int) -> float:
    from scipy.stats import t

    return float(t.ppf((1 + level) / 2, freedom))


def _basis(columns: Sequence[np.ndarray]) -> np.ndarray:
    matrix = np.concatenate(columns, axis=1)
    norms = np.linalg.norm(matrix, axis=0)
    left, values, _ = np.linalg.svd(matrix / np.where(norms > 0, norms, 1), full_matrices=False)
    return left[:, values > 1e-10 * values.max()]


def _strengths(
    name: str, blocks: Mapping[str, np.ndarray], root: np.ndarray, t: np.ndarray, y: np.ndarray
) -> tuple[float, float]:
    """Return the partial R2 of a covariate with the treatment, and with the outcome given the treatment too."""
    others = [root[:, None], *(block for other, block in blocks.items() if other != name)]
    shares = []
    for target, known in ((t, others), (y, [*others, t[:, None]])):
        left = [((target - q @ (q.T @ target)) ** 2).sum() for q in (_basis(known), _basis([*known, blocks[name]]))]
        shares.append(float(1 - left[1] / left[0]) if left[0] > 0 else 0.0)
    return shares[0], shares[1]


def _bound(
    name: str, times: float, treatment: float, outcome: float, estimate: float, error: float, freedom: int
) -> Benchmark | None:
    """Return the bound (Cinelli and Hazlett 2020, section 4.4), None where a cause so strong cannot be."""
    a = times * treatment / (1 - treatment)
    overlap = times * treatment**2 / ((1 - times * treatment) * (1 - treatment)) if times * treatment < 1 else math.inf
    if a >= 1 or overlap >= 1:
        return None
    factor = (math.sqrt(times) + math.sqrt(overlap)) / math.sqrt(1 - overlap)
    b = min(1.0, factor**2 * outcome / (1 - outcome))
    left, uncertain = (float(v) for v in adjusted(estimate, error, freedom, a, b))
    return Benchmark(
        name, times, a, b, left, uncertain, left / uncertain if uncertain > 0 else math.copysign(math.inf, left)
    )


def _verdict(estimate: float, value: float, limit: float, bounds: Sequence[Benchmark], level: float) -> str:
    said = (
        f"A hidden cause that explains {value:.1%} of what is left of both treatment and outcome would bring the "
        f"estimate {estimate:.4g} to zero, and {limit:.1%} its {level:.0%} interval"
    )
    if not bounds:
        return said + "."
    undone = [bound for bound in bounds if bound.estimate * estimate <= 0]
    if undone:
        least = min(undone, key=lambda bound: bound.times)
        return f"{said}; one {_as_strong(least.times)} as {least.name} would."
    names = ", ".join(dict.fromkeys(bound.name for bound in bounds))
    return f"{said}; none {_as_strong(max(bound.times for bound in bounds))} as one of {names} would."


def _as_strong(times: float) -> str:
    return "as strong" if times == 1 else f"{times:g} times as strong"
