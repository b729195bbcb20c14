"""Are there comparable units in all arms? Propensities, rows without a counterpart, balance before and after."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float, Shaped

Values = Array | np.ndarray
QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)
IMBALANCE, LOST = 0.1, 0.1  # a mean difference that is too large; a share of rows that is
POPULATIONS = ("ate", "att", "overlap")


class Arm(NamedTuple):
    """The units of one treatment.

    Attributes:
        treatment: its value.
        rows: how many units.
        effective: how many units of equal weight would be as precise: (sum w)^2 / sum w^2.
        propensities: quantiles 0, 1/4, 1/2, 3/4, 1 of the probability of this arm in it.
        others: the same in the other arms.
    """

    treatment: float
    rows: int
    effective: float
    propensities: tuple[float, ...]
    others: tuple[float, ...]


class Overlap(NamedTuple):
    """How comparable the arms are.

    Attributes:
        arms: one of each treatment.
        before: standardised mean differences [arms - 1, covariates] against arm 0.
        after: the same in the weighted sample.
        outside: rows whose propensity of some arm no unit of that arm reaches.
        clipped: rows with a propensity that was moved into the limits.
        trimmed: rows with a weight of zero.
        weights: [n], of the inverse propensities of the population, times the given ones.
        names: of the covariates.
        verdict: one sentence.
        passed: few rows lost, and no covariate out of balance after weighting.
    """

    arms: tuple[Arm, ...]
    before: Float[np.ndarray, "k p"]
    after: Float[np.ndarray, "k p"]
    outside: int
    clipped: int
    trimmed: int
    weights: Float[np.ndarray, " n"]
    names: tuple[str, ...]
    verdict: str
    passed: bool


def measure_overlap(
    treatment: Shaped[Values, " n"],
    propensity: Float[Values, " n"] | Float[Values, "n arms"],
    covariates: Float[Values, "n p"],
    *,
    names: Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
    weights: Float[Values, " n"] | None = None,
    population: str = "ate",
    clip: tuple[float, float] = (0.01, 0.99),
    trim: bool = False,
) -> Overlap:
    """Return how comparable the arms are under weights by inverse propensities.

    w = 1 / e_arm for the whole population, e_1 / e_arm for the treated ("att"), and 1 / (e_arm sum_k 1 / e_k) for the
    units that could be in any arm ("overlap", Li and Li 2019); the mean difference is standardised by the root of the
    mean of both variances, before weighting in both cases.

    Args:
        treatment: the arm of each unit, of at most 20 different values.
        propensity: of arm 1, or of each arm in the order of their values.
        covariates: to balance.
        names: of the covariates.
        labels: of the arms, in the order of their values.
        weights: of units.
        population: "ate", "att" or "overlap".
        clip: limits of propensities; those outside are moved to them, or left out where `trim` is true. The
            overlap population needs none.
        trim: leave these rows out.

    Raises:
        ValueError: for one arm, too many, propensities that are none, or an unknown population.
    """
    arms, arm, e = _arms(treatment, propensity)
    if population not in POPULATIONS:
        raise ValueError(f"expected a population of {', '.join(POPULATIONS)}, got {population!r}")
    x, n = np.asarray(covariates, float), len(arm)
    base = np.ones(n) if weights is None else np.asarray(weights, float)
    if population == "overlap":
        clip = (0.0, 1.0)
    extreme = ((e < clip[0]) | (e > clip[1])).any(axis=1)
    kept = base * ~extreme if trim else base
    w = kept * _tilt(np.clip(e, *clip), arm, population)
    before, after = (_differences(x, arm, v, base) for v in (base, w))
    outside = int(_outside(e, arm).sum())
    found = tuple(_describe(float(value), arm == k, e[:, k], w) for k, value in enumerate(arms))
    listed = tuple(names) if names is not None else tuple(f"x{k}" for k in range(x.shape[1]))
    counts = outside, 0 if trim else int(extreme.sum()), int((w == 0).sum())
    told = labels or [f"arm {value:g}" for value in arms]
    verdict, passed = _verdict(found, before, after, counts, n, listed, told, population)
    return Overlap(found, before, after, *counts, w, listed, verdict, passed)


def _arms(treatment: Values, propensity: Values) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the treatments, the arm of each unit, and the propensities [n, arms]."""
    arms, arm = np.unique(np.asarray(treatment), return_inverse=True)
    e = np.asarray(propensity, float)
    e = np.stack([1 - e, e], axis=1) if e.ndim == 1 else e
    if not 2 <= len(arms) <= 20 or e.shape != (len(arm), len(arms)):
        raise ValueError(
            f"expected 2 to 20 arms with a propensity each, got {len(arms)} arms and propensities {list(e.shape)}: "
            "bin a treatment of many values"
        )
    if not ((e >= 0) & (e <= 1)).all():
        raise ValueError(f"expected propensities between 0 and 1, got {np.nanmin(e):.3g} to {np.nanmax(e):.3g}")
    return arms, arm, e


def _tilt(e: np.ndarray, arm: np.ndarray, population: str) -> Float[np.ndarray, " n"]:
    own = e[np.arange(len(arm)), arm]
    if population == "overlap":
        with np.errstate(divide="ignore", invalid="ignore"):
            others = np.where(np.arange(e.shape[1]) == arm[:, None], 0.0, own[:, None] / e).sum(axis=1)
        return np.nan_to_num(1 / (1 + others))
    return (e[:, 1] if population == "att" else 1.0) / own


def _differences(x: np.ndarray, arm: np.ndarray, weights: np.ndarray, base: np.ndarray) -> Float[np.ndarray, "k p"]:
    rows = [arm == k for k in range(arm.max() + 1)]
    means = np.array([_mean(x[own], weights[own]) for own in rows])
    centres = [_mean(x[own], base[own]) for own in rows]
    variances = np.array([_mean((x[own] - c) ** 2, base[own]) for own, c in zip(rows, centres, strict=True)])
    gaps, scales = means[1:] - means[0], np.sqrt((variances[1:] + variances[0]) / 2)
    return np.where(gaps == 0, 0.0, gaps / np.where(scales > 0, scales, np.nan))


def _mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    total = weights.sum()
    return weights @ values / total if total > 0 else np.full(values.shape[1], np.nan)


def _outside(e: np.ndarray, arm: np.ndarray) -> np.ndarray:
    """Return rows with a propensity of some arm beyond those that the units of this arm have."""
    ranges = [(e[arm == k, k].min(), e[arm == k, k].max()) for k in range(e.shape[1])]
    return np.any([(e[:, k] < low) | (e[:, k] > high) for k, (low, high) in enumerate(ranges)], axis=0)


def _describe(value: float, own: np.ndarray, e: np.ndarray, weights: np.ndarray) -> Arm:
    w = weights[own]
    effective = float(w.sum() ** 2 / (w**2).sum()) if (w > 0).any() else 0.0
    inside, others = (tuple(float(q) for q in np.quantile(e[rows], QUANTILES)) for rows in (own, ~own))
    return Arm(value, int(own.sum()), effective, inside, others)


def _verdict(arms, before, after, counts, n, names, labels, population) -> tuple[str, bool]:
    outside, clipped, trimmed = counts
    worst, first = (np.nan_to_num(abs(gaps), nan=np.inf) for gaps in (after, before))
    largest = float(worst.max(initial=0.0))
    name = f" ({names[int(worst.max(axis=0).argmax())]})" if worst.size else ""
    lost = max(clipped, trimmed) if population == "overlap" else max(counts)
    passed = lost <= LOST * n and largest <= IMBALANCE
    least, label = min(zip(arms, labels, strict=True), key=lambda pair: pair[0].effective / pair[0].rows)
    advice = "" if passed or population == "overlap" else ": ask for the overlap population"
    return (
        f"The arms overlap{'' if passed else ' poorly'}: {outside} of {n} rows have no counterpart in another arm, "
        f"{clipped} were clipped and {trimmed} trimmed; mean differences go from {first.max(initial=0.0):.2f} to "
        f"{largest:.2f} standard deviations at most{name}; the {least.rows} rows of {label} count as "
        f"{least.effective:.0f}{advice}."
    ), passed
