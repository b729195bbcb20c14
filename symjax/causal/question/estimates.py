"""The table of estimates of a question: the same effect by methods that fail in different ways."""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.stats import chi2

from symjax.causal import estimate as methods, refute
from symjax.causal.estimate import Effect, Nuisances
from symjax.causal.question.columns import Study

FOLDS = 5
DOSES = np.linspace(0.05, 0.95, 19)  # quantiles at which a curve is drawn
NORMAL = 1.959964  # standard deviations from the middle to the end of a 95 % interval


class Estimated(NamedTuple):
    """One row.

    Attributes:
        method: by its name.
        contrast: which arms are compared, or one unit of a dose.
        value: the average effect.
        error: its standard error.
        low: the end of the 95 % interval of the average effect.
        high: the other one.
        note: on whom, or what it leaves out.
        main: whether the report rests on it.
    """

    method: str
    contrast: str
    value: float
    error: float
    low: float
    high: float
    note: str = ""
    main: bool = False


class Row(NamedTuple):
    """An estimate by a method, and on whom, before it is a number."""

    method: str
    effect: Effect
    note: str = ""
    main: bool = False


@dataclasses.dataclass(frozen=True, eq=False)
class Doses:
    """The effect of doses against a reference, with the ends of 95 % intervals.

    Attributes:
        doses: quantiles of those seen.
        value: the average effect of each in place of the reference.
        low: the end of its interval.
        high: the other one.
        reference: the median dose.
        straight: p of there being nothing but a slope (Wald).
    """

    doses: Float[np.ndarray, " k"]
    value: Float[np.ndarray, " k"]
    low: Float[np.ndarray, " k"]
    high: Float[np.ndarray, " k"]
    reference: float
    straight: float


def standardised(x: Float[np.ndarray, "n p"]) -> Float[Array, "n p"]:
    """Return columns of mean zero and unit spread."""
    return jnp.asarray((x - x.mean(axis=0)) / x.std(axis=0)) if x.shape[1] else jnp.asarray(x)


def folds_of(study: Study, seed: int) -> Array:
    """Return the folds of the units, dealt out by arm."""
    arm = np.zeros(len(study), int) if study.kind == "dose" else study.treatment.astype(int)
    return methods.folds_by_arm(jax.random.key(seed), jnp.asarray(arm), FOLDS)


def nuisances_of(study: Study, seed: int) -> Nuisances:
    """Return cross-fitted regressions of the outcome and the arm on the covariates."""
    y, arm = jnp.asarray(study.outcome), jnp.asarray(study.treatment.astype(int))
    fit = jax.jit(partial(methods.linear_nuisances, arms=len(study.arms), count=FOLDS))
    return fit(y, arm, standardised(study.covariates), jnp.ones(len(study)), folds=folds_of(study, seed))


def by_adjustment(study: Study, nuisances: Nuisances | None, seed: int) -> list[Estimated]:
    """Return the rows of an effect that adjustment identifies."""
    y, t, x = jnp.asarray(study.outcome), jnp.asarray(study.treatment), standardised(study.covariates)
    if study.kind == "dose":
        return _rows(study, partial(_of_dose, y, t, x), folds_of(study, seed))
    if nuisances is None:
        return _rows(study, lambda _: [Row("difference of means", _difference(study, y, t), main=True)], None)
    return _rows(study, partial(_of_arms, study.arms, y, t, x), (folds_of(study, seed), nuisances))


def _difference(study: Study, y: Array, t: Array) -> Effect:
    return methods.difference_in_means(y, t.astype(int), arms=len(study.arms))


def _of_dose(y: Array, t: Array, x: Array, folds: Array) -> list[Row]:
    linear = methods.partially_linear(y, t, x, folds=folds, count=FOLDS)
    return [
        Row("slope, unadjusted", methods.regression_effect(y, t[:, None], x[:, :0]), "an association"),
        Row("linear regression", methods.regression_effect(y, t[:, None], x)),
        Row("partially linear, cross-fitted", linear, main=True),
    ]


def by_dose(study: Study, seed: int) -> Doses | None:
    """Return the curve of a dose; None where too few doses differ for one."""
    knots = np.asarray(methods.dose_knots(study.treatment))
    if len(np.unique(knots)) < len(knots):
        return None
    quantiles = np.quantile(study.treatment, DOSES)
    at, reference = jnp.asarray(quantiles), float(np.median(study.treatment))
    y, t, x = jnp.asarray(study.outcome), jnp.asarray(study.treatment), standardised(study.covariates)
    clusters = None if study.clusters is None else jnp.asarray(study.clusters)

    @jax.jit
    def numbers(folds: Array) -> tuple[Array, Array, Array, Array]:
        curve = methods.dose_curve(y, t, x, at, reference, folds=folds, count=FOLDS)
        bend = curve.bend
        return curve.effect.value, methods.standard_error(curve.effect, None, clusters), bend.value, bend.influence

    value, error, bend, influence = (np.asarray(part) for part in numbers(folds_of(study, seed)))
    unit = np.arange(len(study)) if study.clusters is None else study.clusters
    sums = np.zeros((unit.max() + 1, len(bend)))
    np.add.at(sums, unit, influence / len(study))
    straight = float(chi2.sf(bend @ np.linalg.pinv(sums.T @ sums, hermitian=True) @ bend, len(bend)))
    return Doses(quantiles, value, value - NORMAL * error, value + NORMAL * error, reference, straight)


def _of_arms(names: tuple[str, ...], y: Array, t: Array, x: Array, more: tuple[Array, Nuisances]) -> list[Row]:
    (folds, nuisances), arm, arms = more, t.astype(int), len(names)
    own = jax.nn.one_hot(arm, arms, dtype=y.dtype)[:, 1:]
    rows = [
        Row("difference of means", methods.difference_in_means(y, arm, arms=arms), "unadjusted"),
        Row("linear regression", methods.regression_effect(y, own, x)),
        Row("g-formula", methods.gformula(y, arm, x, arms=arms)),
        Row("TMLE", methods.tmle(y, arm, x, arms=arms, nuisances=nuisances)),
        Row("doubly robust (AIPW)", methods.aipw(y, arm, x, arms=arms, nuisances=nuisances), main=True),
    ]
    if arms > 2:
        return rows
    rows.insert(3, Row("inverse propensities", methods.ipw(y, arm, x)))
    treated = methods.aipw(y, arm, x, nuisances=nuisances, population="att")
    overlap = methods.partially_linear(y, t, x, folds=folds, count=FOLDS)
    return [
        *rows,
        Row("AIPW, of the treated", treated, f"on those with {names[1]}"),
        Row("partially linear", overlap, "in the overlap population"),
    ]


def by_instrument(study: Study) -> tuple[list[Estimated], float]:
    """Return the rows of an instrument, and the F statistic of its first stage."""
    assert study.instrument is not None
    y, t, x = jnp.asarray(study.outcome), jnp.asarray(study.treatment), standardised(study.covariates)

    def rows(z: Array) -> list[Row]:
        two = methods.two_stage_least_squares(y, t, z, x)
        return [
            Row("least squares", methods.regression_effect(y, t[:, None], x), "an association"),
            Row("two-stage least squares", two, "on those whom the instrument moves", main=True),
        ]

    z = jnp.asarray(study.instrument)[:, None]
    return _rows(study, rows, z), float(methods.first_stage(t, z, x, jnp.ones(len(study))))


def by_frontdoor(study: Study, mediators: Float[np.ndarray, "n m"]) -> list[Estimated]:
    """Return the rows of a front door."""
    y, t, x = jnp.asarray(study.outcome), jnp.asarray(study.treatment), standardised(study.covariates)

    def rows(m: Array) -> list[Row]:
        return [
            Row("least squares", methods.regression_effect(y, t[:, None], x), "an association"),
            Row("front door, linear", methods.frontdoor_effect(y, t, m, x), "by the mediators", main=True),
        ]

    return _rows(study, rows, standardised(mediators))


def association(study: Study) -> list[Estimated]:
    """Return what is associated, where no effect is identified."""
    y, t, note = jnp.asarray(study.outcome), jnp.asarray(study.treatment), "an association, no effect"
    if study.kind == "dose":
        none = jnp.zeros((len(study), 0))
        return _rows(study, lambda x: [Row("slope", methods.regression_effect(y, t[:, None], x), note)], none)
    return _rows(study, lambda _: [Row("difference of means", _difference(study, y, t), note)], None)


def refutable(study: Study, seed: int) -> Callable:
    """Return the estimator that refuters call again and again: all it needs is fitted anew, in the same folds."""
    if study.instrument is not None:

        def two_stage(
            outcome: Array, treatment: Array, covariates: Array, weights: Array, key: Array, instrument: Array
        ) -> Effect:
            columns = instrument.reshape(len(outcome), -1)
            return methods.two_stage_least_squares(outcome, treatment, columns, covariates, weights)

        return two_stage

    kind = refute.PartiallyLinear if study.kind == "dose" else refute.DoublyRobust
    return kind(np.asarray(folds_of(study, seed)))


def _rows(study: Study, make: Callable[[Any], list[Row]], data: Any) -> list[Estimated]:
    """Return the rows that a function makes, compiled as one program, with a line for each contrast."""
    clusters = None if study.clusters is None else jnp.asarray(study.clusters)
    labels: list[tuple[str, str, bool]] = []

    @jax.jit
    def numbers(data: Any) -> list[tuple[Array, Array]]:
        rows = make(data)
        labels.extend((row.method, row.note, row.main) for row in rows)
        return [(row.effect.value, methods.standard_error(row.effect, None, clusters)) for row in rows]

    contrasts = [f"{arm} - {study.arms[0]}" for arm in study.arms[1:]] or ["one unit more"]
    return [
        Estimated(method, contrast, v, e, v - NORMAL * e, v + NORMAL * e, note, main)
        for pair, (method, note, main) in zip(numbers(data), labels, strict=True)
        for contrast, v, e in zip(contrasts, *(np.atleast_1d(part).tolist() for part in pair), strict=True)
    ]
