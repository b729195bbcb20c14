"""Estimators with nuisances, which are fitted anew in many samples at once by matrix products and without a compiler.

What a sample does not change is computed once for all: arrays have one row where all samples share it.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from symjax.causal.estimate import LEAST_PROPENSITY
from symjax.causal.refute.evaluate import Change, Sample
from symjax.causal.refute.moments import Columns, Design, dot

PENALTY = 1e-6  # on squared coefficients, relative to the weight of a sample
STEPS = 25  # of Newton's method
SHORT, STILL = 0.1, 1e-7  # steps of log odds: below which the curvature is kept, and below which the next is not made

Rows = Float[np.ndarray, "r n"]
Units = slice | Int[np.ndarray, " m"]


class _Split(NamedTuple):
    """Units that fit, and units for which predictions are made."""

    fitting: Units
    asked: Units
    fitting_columns: Columns
    asked_columns: Columns


class _Data(NamedTuple):
    """Weights, treatments and outcomes of many samples, and a column of their own."""

    weights: Rows
    treatment: Rows
    outcome: Rows
    extra: Rows | None

    def of(self, units: Units) -> "_Data":
        own = None if self.extra is None else self.extra[:, units]
        return _Data(self.weights[:, units], self.treatment[:, units], self.outcome[:, units], own)


class _Refitted:
    """An estimator of one number that is asked by `prepare`, cross-fitted where there are folds."""

    def __init__(self, folds: Int[np.ndarray, " n"] | None = None):
        self.folds = None if folds is None else np.asarray(folds)

    def __call__(self, outcome, treatment, covariates, weights=None, key=None) -> float:
        """Return the estimate from one sample."""
        return float(self.prepare(Sample(outcome, treatment, covariates, weights))(Change())[0])

    def prepare(self, sample: Sample) -> Callable[[Change], Float[np.ndarray, " s"]]:
        """Return the function from changes to estimates, NaN where a nuisance cannot be fitted.

        Raises:
            ValueError: for a sample with an instrument.
        """
        if sample.instrument is not None:
            raise ValueError("expected no instrument for an adjustment, got one: use two-stage least squares")
        n = len(sample.outcome)
        x = np.column_stack([np.ones(n), np.asarray(sample.covariates, float)])
        splits = [_Split(f, a, Columns(x[f]), Columns(x[a])) for f, a in self._splits()]
        weights = np.ones(n) if sample.weights is None else np.asarray(sample.weights, float)
        treatment, outcome = np.asarray(sample.treatment, float), np.asarray(sample.outcome, float)
        base = _Data(weights[None], treatment[None], outcome[None], None)
        estimate = self._estimator(splits, base)

        def changed(change: Change) -> Float[np.ndarray, " s"]:
            treatment, outcome = (
                old if new is None else np.asarray(new, float)
                for old, new in ((base.treatment, change.treatment), (base.outcome, change.outcome))
            )
            weights = base.weights if change.weights is None else base.weights * change.weights
            with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
                return estimate(_Data(weights, treatment, outcome, change.extra))

        return changed

    def _splits(self) -> Iterator[tuple[Units, Units]]:
        if self.folds is None:
            yield slice(None), slice(None)
            return
        for fold in np.unique(self.folds):
            yield np.flatnonzero(self.folds != fold), np.flatnonzero(self.folds == fold)

    def _estimator(self, splits: list[_Split], base: _Data) -> Callable[[_Data], Float[np.ndarray, " s"]]:
        raise NotImplementedError


class DoublyRobust(_Refitted):
    """`estimate.aipw` of two arms: regressions of the outcome in each, and logistic propensities.

    Newton's method starts from the propensities of the sample as it is, or from equal ones where treatments change.

    Args:
        folds: of the units, as of `estimate.folds_by_arm`; None: one fit predicts all.
    """

    def _estimator(self, splits: list[_Split], base: _Data) -> Callable[[_Data], Float[np.ndarray, " s"]]:
        starts = [_odds(Design(split.fitting_columns), base.of(split.fitting), None) for split in splits]

        def estimate(data: _Data) -> Float[np.ndarray, " s"]:
            same = data.treatment is base.treatment
            parts = [_scores(split, data, start if same else None) for split, start in zip(splits, starts, strict=True)]
            return np.sum(parts, axis=0) / data.weights.sum(axis=1)

        return estimate


class PartiallyLinear(_Refitted):
    """`estimate.partially_linear`: residuals of the outcome on residuals of the treatment, a dose or an arm.

    Args:
        folds: of the units, as of `estimate.folds_by_arm`; None: one fit predicts all.
    """

    def _estimator(self, splits: list[_Split], base: _Data) -> Callable[[_Data], Float[np.ndarray, " s"]]:
        def estimate(data: _Data) -> Float[np.ndarray, " s"]:
            inside = [_residual_moments(split.asked_columns, data.of(split.asked)) for split in splits]
            total = [np.sum(parts, axis=0) for parts in zip(*inside, strict=True)]
            fitting = [
                total if self.folds is None else [a - b for a, b in zip(total, part, strict=True)] for part in inside
            ]
            slope, spread = np.zeros(1), np.zeros(1)
            for (gram, t, y, ty, tt), (grams, ts, ys, *_) in zip(inside, fitting, strict=True):
                bt, by = _solve(grams, ts), _solve(grams, ys)
                along = np.einsum("sij,sj->si", np.broadcast_to(gram, (len(bt), *gram.shape[1:])), bt)
                slope = slope + ty - _inner(bt, y) - _inner(by, t) + _inner(along, by)
                spread = spread + tt - 2 * _inner(bt, t) + _inner(along, bt)
            return slope / spread

        return estimate


doubly_robust, partially_linear = DoublyRobust(), PartiallyLinear()


def _scores(split: _Split, data: _Data, start: Float[np.ndarray, "r p"] | None) -> Float[np.ndarray, " s"]:
    """Return the sum over units asked for of m_1 - m_0 and of the residuals weighted by inverse propensities."""
    fitting, asked = data.of(split.fitting), data.of(split.asked)
    design, others = Design(split.fitting_columns, fitting.extra), Design(split.asked_columns, asked.extra)
    eta = others.predict(_odds(design, fitting, start)) * (1 - 2 * asked.treatment)
    inverse = np.minimum(np.add(np.exp(eta, out=eta), 1, out=eta), 1 / LEAST_PROPENSITY, out=eta)
    inverse *= asked.weights
    whole, right = design.squares(fitting.weights), design.products(fitting.weights * fitting.outcome)
    mine = fitting.weights * fitting.treatment
    squares, products = design.squares(mine), design.products(mine * fitting.outcome)
    treated, found, total = inverse * asked.treatment, np.zeros(1), others.products(asked.weights)
    for sign, b, weighted in (
        (1, _solve(squares, products), treated),
        (-1, _solve(whole - squares, right - products), np.subtract(inverse, treated, out=inverse)),
    ):
        found = found + sign * (_inner(total - others.products(weighted), b) + dot(weighted, asked.outcome))
    return found


def _odds(design: Design, data: _Data, start: Float[np.ndarray, "r p"] | None) -> Float[np.ndarray, "s q"]:
    """Return the coefficients of a logistic regression of the treatment in each sample, NaN where there is none."""
    total = data.weights.sum(axis=1)
    mean = dot(data.weights, data.treatment) / total
    known = np.log(mean / (1 - mean))[:, None] if start is None else start
    b = np.concatenate([known, np.zeros((len(known), design.width - known.shape[1]))], axis=1)
    length, curvature = np.full(len(b), np.inf), None
    for _ in range(STEPS):
        p = _sigmoid(design.predict(b))
        slope = design.products(data.weights * (data.treatment - p)) - PENALTY * total[:, None] * _sloped(b)
        if curvature is None or not np.max(length) < SHORT:
            curvature = design.squares(data.weights * (p * (1 - p)))
        move = _solve(curvature, slope, total)
        length = np.sqrt(_inner(slope, move) / total)  # of the step in log odds, a weighted mean
        b = b + move
        if not np.max(length) >= STILL:
            break
    return np.where((length < STILL)[:, None], b, np.nan)


def _sigmoid(eta: Rows) -> Rows:
    """Return 1 / (1 + exp(-eta)), in the same memory."""
    np.exp(np.negative(eta, out=eta), out=eta)
    return np.reciprocal(np.add(eta, 1, out=eta), out=eta)


def _residual_moments(columns: Columns, data: _Data) -> tuple[np.ndarray, ...]:
    """Return moments of the columns, and their products with treatment and outcome, and those of these."""
    design, t = Design(columns, data.extra), data.weights * data.treatment
    return (
        design.squares(data.weights),
        design.products(t),
        design.products(data.weights * data.outcome),
        dot(t, data.outcome),
        dot(t, data.treatment),
    )


def _solve(
    gram: Float[np.ndarray, "r q q"], right: Float[np.ndarray, "s q"], total: Float[np.ndarray, " t"] | None = None
) -> Float[np.ndarray, "u q"]:
    """Return the ridge's coefficients of each sample, the first column not penalised; NaN where nothing has weight."""
    weight = gram[:, 0, 0] if total is None else total
    ridge = PENALTY * weight[:, None, None] * np.diag(_sloped(np.ones(gram.shape[1])))
    return np.linalg.solve(np.where(gram[:, :1, :1] > 0, gram + ridge, np.nan), right[:, :, None])[:, :, 0]


def _sloped(b: np.ndarray) -> np.ndarray:
    """Return the coefficients without that of the constant."""
    return np.concatenate([np.zeros_like(b[..., :1]), b[..., 1:]], axis=-1)


def _inner(first: Float[np.ndarray, "r q"], second: Float[np.ndarray, "s q"]) -> Float[np.ndarray, " t"]:
    return (first * second).sum(axis=1)
