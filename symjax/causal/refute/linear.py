"""The regression on treatment and covariates, again and again without fitting it again (Frisch, Waugh and Lovell)."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float

from symjax.causal.refute.evaluate import Change, Sample
from symjax.causal.refute.moments import Columns


class Regression:
    """The coefficient of the treatment in a least-squares regression with the covariates.

    With an orthonormal basis Q of the constant and the covariates, and residuals t and y, it is t.y / t.t; a changed
    treatment T costs T [Q y], a changed outcome Y costs Y t, one more covariate U costs U [Q t y], and changed weights
    one product with the squares of all columns: matrix products, [simulations, n] by [n, few].
    """

    def __call__(self, outcome, treatment, covariates, weights=None, key=None) -> float:
        """Return the coefficient from one sample."""
        return float(self.prepare(Sample(outcome, treatment, covariates, weights))(Change())[0])

    def prepare(self, sample: Sample) -> Callable[[Change], Float[np.ndarray, " s"]]:
        """Return the function from changes to coefficients, NaN where the treatment has no variance of its own.

        Raises:
            ValueError: for a sample with an instrument.
        """
        if sample.instrument is not None:
            raise ValueError("expected no instrument for a regression, got one: use two-stage least squares")
        return _Prepared(sample).coefficients


regression = Regression()


class _Prepared:
    def __init__(self, sample: Sample):
        n = len(sample.outcome)
        self.root = np.sqrt(np.ones(n) if sample.weights is None else np.asarray(sample.weights, float))
        self.basis = _basis(np.asarray(sample.covariates, float), self.root)
        self.centre = float(np.mean(np.asarray(sample.treatment, float)))
        treatment = (np.asarray(sample.treatment, float) - self.centre) * self.root
        outcome = np.asarray(sample.outcome, float) * self.root
        self.treatment, self.outcome = (v - self.basis @ (v @ self.basis) for v in (treatment, outcome))
        if not np.linalg.norm(self.treatment) > 1e-10 * np.linalg.norm(treatment):
            self.treatment = np.zeros(n)

    def coefficients(self, change: Change) -> Float[np.ndarray, " s"]:
        """Return one coefficient for each change."""
        if change.weights is not None:
            return self._reweighted(change.weights)
        tt, ty = np.atleast_1d(self.treatment @ self.treatment), np.atleast_1d(self.treatment @ self.outcome)
        if change.outcome is not None:
            ty = (change.outcome * self.root) @ self.treatment
        if change.treatment is not None:
            tt, (ty,) = self._products((change.treatment - self.centre) * self.root, self.outcome)
        if change.extra is not None:
            uu, (ut, uy) = self._products(change.extra * self.root, self.treatment, self.outcome)
            tt, ty = tt - ut**2 / uu, ty - ut * uy / uu
        return np.divide(ty, tt, out=np.full(np.broadcast(ty, tt).shape, np.nan), where=tt > 0)

    def _products(self, rows: Float[np.ndarray, "s n"], *columns: Float[np.ndarray, " n"]) -> tuple[Any, Any]:
        """Return the squares of what the covariates leave of the rows, and its products with columns that they left."""
        found = rows @ np.column_stack([self.basis, *columns])
        r = self.basis.shape[1]
        return np.einsum("sn,sn->s", rows, rows) - (found[:, :r] ** 2).sum(axis=1), found[:, r:].T

    @functools.cached_property
    def _unit(self) -> float:
        return float(np.linalg.norm(self.treatment)) or np.nan

    @functools.cached_property
    def _columns(self) -> Columns:
        """Covariates, treatment and outcome, which the weights as they are make orthogonal."""
        return Columns(np.column_stack([self.basis, self.treatment / self._unit, self.outcome]))

    def _reweighted(self, weights: Float[np.ndarray, "s n"]) -> Float[np.ndarray, " s"]:
        if np.isnan(self._unit):
            return np.full(len(weights), np.nan)
        gram = self._columns.squares(weights)
        inverse = np.linalg.pinv(gram[:, :-1, :-1], rcond=1e-10, hermitian=True)
        return np.einsum("sq,sq->s", inverse[:, -1], gram[:, :-1, -1]) / self._unit


def _basis(covariates: Float[np.ndarray, "n p"], root: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n r"]:
    """Return an orthonormal basis of the constant and the covariates; columns that add nothing are left out."""
    centred = covariates - covariates.mean(axis=0)
    scale = np.linalg.norm(centred, axis=0)
    columns = np.column_stack([np.ones(len(covariates)), centred / np.where(scale > 0, scale, 1)]) * root[:, None]
    left, values, _ = np.linalg.svd(columns, full_matrices=False)
    return left[:, values > 1e-10 * values.max()]
