"""Refuters that change the data and estimate again: what should destroy an effect does, what should not does not.

Each takes an estimator (see `evaluate`), a sample and a key that alone fixes the result. `value` is the estimate from
the sample where it is known already, `error` its standard error.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Array, Float, Key

from symjax.causal.refute.draws import generator, permutations, resamples, subsets
from symjax.causal.refute.evaluate import Change, Sample, estimate_once, evaluate
from symjax.causal.refute.refutation import Refutation
from symjax.causal.refute.verdicts import judge_destroyed, judge_grid, judge_resampled, judge_unmoved

STRENGTHS = (0.0, 0.05, 0.1, 0.2, 0.3)
Estimate = Callable[..., Any]


def placebo(
    estimate: Estimate, sample: Sample, key: Key[Array, ""], *, draws: int = 100, value: float | None = None
) -> Refutation:
    """Give the treatments to other units at random, with their instruments: the effect should be zero.

    Raises:
        ValueError: for a treatment that is constant.
    """
    rng, n = generator(key), len(sample.outcome)
    _require_variance("treatment", sample.treatment)
    treatment = np.asarray(sample.treatment)
    instrument = None if sample.instrument is None else np.asarray(sample.instrument)

    def change(size: int) -> Change:
        rows = permutations(rng, size, n)
        return Change(treatment=treatment[rows], instrument=None if instrument is None else instrument[rows])

    found = _run(estimate, sample, key, change, draws, value)
    return judge_destroyed("placebo treatment", "treatments of other units", *found)


def dummy_outcome(
    estimate: Estimate, sample: Sample, key: Key[Array, ""], *, draws: int = 100, value: float | None = None
) -> Refutation:
    """Give the outcomes to other units at random: the effect should be zero.

    Raises:
        ValueError: for an outcome that is constant.
    """
    rng, n = generator(key), len(sample.outcome)
    _require_variance("outcome", sample.outcome)
    outcome = np.asarray(sample.outcome)

    def change(size: int) -> Change:
        return Change(outcome=outcome[permutations(rng, size, n)])

    found = _run(estimate, sample, key, change, draws, value)
    return judge_destroyed("dummy outcome", "outcomes of other units", *found)


def random_common_cause(
    estimate: Estimate,
    sample: Sample,
    key: Key[Array, ""],
    *,
    draws: int = 100,
    value: float | None = None,
    error: float | None = None,
) -> Refutation:
    """Add a covariate of standard normal noise: the estimate should stay where it is.

    It may move by half of `error`, or by a tenth of itself where `error` is unknown.
    """
    rng, n = generator(key), len(sample.outcome)

    def change(size: int) -> Change:
        return Change(extra=rng.standard_normal((size, n)))

    return judge_unmoved("random common cause", *_run(estimate, sample, key, change, draws, value), error)


def subset(
    estimate: Estimate,
    sample: Sample,
    key: Key[Array, ""],
    *,
    share: float = 0.8,
    draws: int = 100,
    value: float | None = None,
    error: float | None = None,
) -> Refutation:
    """Leave rows or clusters out, as many of each arm: estimates should scatter by sqrt(1 / share - 1) of the error.

    Raises:
        ValueError: for a share that is none.
    """
    if not 0 < share < 1:
        raise ValueError(f"expected a share of the rows between 0 and 1, got {share}")
    draw = subsets(key, np.asarray(sample.treatment), share, _clusters(sample))

    def change(size: int) -> Change:
        return Change(weights=draw(size))

    ratio = (1 / share - 1) ** 0.5
    expected = f"{share:.0%} of the rows give the same estimate within its error"
    found = _run(estimate, sample, key, change, draws, value)
    return judge_resampled("subset", expected, *found, ratio, error)


def bootstrap(
    estimate: Estimate,
    sample: Sample,
    key: Key[Array, ""],
    *,
    draws: int = 100,
    value: float | None = None,
    error: float | None = None,
) -> Refutation:
    """Draw rows or clusters with replacement, as many of each arm: estimates should scatter by the standard error."""
    draw = resamples(key, np.asarray(sample.treatment), _clusters(sample))

    def change(size: int) -> Change:
        return Change(weights=draw(size))

    expected = "rows drawn again scatter the estimate by its standard error"
    found = _run(estimate, sample, key, change, draws, value)
    return judge_resampled("bootstrap", expected, *found, 1.0, error)


def hidden_causes(
    estimate: Estimate,
    sample: Sample,
    key: Key[Array, ""],
    *,
    treatment: Sequence[float] = STRENGTHS,
    outcome: Sequence[float] = STRENGTHS,
    draws: int = 10,
    value: float | None = None,
) -> Refutation:
    """Simulate a hidden common cause of each strength, and estimate from the outcome without its part.

    U = sqrt(a) t + sqrt(1 - a) (sqrt(b) y + sqrt(1 - b) e), with t and y the residuals of treatment and outcome by
    regressions, of unit variance, and noise e: U explains the share a of what the covariates leave of the treatment,
    and b of what covariates and treatment leave of the outcome (partial R2, Cinelli and Hazlett 2020). Its part in the
    outcome is sqrt(b / (1 - a)) sd(y) U, with the sign that brings the estimate towards zero. So treatments stay what
    they are, binary ones too.

    Returns:
        simulated: [treatment, outcome], means over draws; facts: the strengths, and whether each sign is kept.

    Raises:
        ValueError: for a strength outside [0, 1), or a constant treatment.
    """
    for strength in (*treatment, *outcome):
        if not 0 <= strength < 1:
            raise ValueError(f"expected strengths as shares of variance in [0, 1), got {strength}")
    _require_variance("treatment", sample.treatment)
    rng, cells = generator(key), [(a, b) for a in treatment for b in outcome for _ in range(draws)]
    value = estimate_once(estimate, sample, key, len(cells)) if value is None else value
    todo = iter(cells)
    t, y, spread = _residuals(sample)

    def change(size: int) -> Change:
        a, b = np.array([next(todo, (0.0, 0.0)) for _ in range(size)]).T[:, :, None]
        noise = rng.standard_normal((size, len(t)))
        cause = np.sqrt(a) * t + np.sqrt(1 - a) * (np.sqrt(b) * y + np.sqrt(1 - b) * noise)
        part = np.sign(value) * spread * np.sqrt(b / (1 - a))
        return Change(outcome=np.asarray(sample.outcome) - part * cause)

    found = evaluate(estimate, sample, key, change, len(cells)).reshape(len(treatment), len(outcome), draws)
    simulated = found.mean(axis=2)
    return judge_grid(value, simulated, np.asarray(treatment, float), np.asarray(outcome, float))


def _run(
    estimate: Estimate,
    sample: Sample,
    key: Key[Array, ""],
    change: Callable[[int], Change],
    draws: int,
    value: float | None,
) -> tuple[float, Float[np.ndarray, " s"]]:
    """Return the estimate, made where it is unknown, and those from changed samples."""
    known = estimate_once(estimate, sample, key, draws) if value is None else value
    return known, evaluate(estimate, sample, key, change, draws)


def _clusters(sample: Sample) -> np.ndarray | None:
    return None if sample.clusters is None else np.asarray(sample.clusters)


def _residuals(sample: Sample) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"], float]:
    """Return the residuals of treatment and outcome of unit variance, and the outcome's standard deviation."""
    known = np.column_stack([np.ones(len(sample.outcome)), np.asarray(sample.covariates, float)])
    root = np.sqrt(np.ones(len(known)) if sample.weights is None else np.asarray(sample.weights, float))[:, None]

    def rest(target: np.ndarray, known: np.ndarray) -> np.ndarray:
        return target - known @ np.linalg.lstsq(known * root, target * root[:, 0], rcond=None)[0]

    treatment = np.asarray(sample.treatment, float)
    t = rest(treatment, known)
    y = rest(np.asarray(sample.outcome, float), np.column_stack([known, treatment]))
    scales = [float(np.sqrt(np.average(r**2, weights=root[:, 0] ** 2))) for r in (t, y)]
    if not scales[0] > 1e-10 * np.abs(treatment).max():
        raise ValueError(
            "expected a treatment with variance of its own, got one that the covariates determine: leave one out"
        )
    return t / scales[0], y / (scales[1] or 1.0), scales[1]


def _require_variance(name: str, values: Any) -> None:
    found = np.asarray(values)
    if np.all(found == found.flat[0]):
        raise ValueError(f"expected a {name} that varies, got {found.flat[0]} in all {len(found)} rows")
