"""Least squares over all windows: a linear forecaster has an exact best, and no training finds a better one."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from symjax.models import View

STRENGTHS = 10.0 ** np.arange(-9, 2)  # of the ridge, relative to the largest eigenvalue


class Products(NamedTuple):
    """Sums over windows of what a square error is made of: |kernel rows + bias - y|^2 as a form of kernel and bias."""

    gram: Float[np.ndarray, "p p"]
    cross: Float[np.ndarray, "p h"]
    square: float

    def plus(self, other: "Products") -> "Products":
        """Return the products of both sets of windows."""
        return Products(self.gram + other.gram, self.cross + other.cross, self.square + other.square)

    def error(self, weights: Float[np.ndarray, "p h"]) -> float:
        """Return the sum of the squared errors."""
        return float(np.sum(weights * (self.gram @ weights - 2 * self.cross)) + self.square)


def sum_products(parts: Iterable[tuple[View, Float[np.ndarray, "n h c"]]]) -> Products:
    """Return the products of the views of some windows, stacked, with what came next; in double precision.

    A forecast is base + scale (kernel rows + bias), so that rows and a one are multiplied by the scale, and the base is
    taken off.
    """
    total = None
    for view, y in parts:
        rows, base, scale = (np.asarray(part, float) for part in view)
        rows = np.concatenate([rows, np.ones_like(rows[:, :1])], axis=1) * scale[:, None]
        inputs, outputs = (_by_channel(part) for part in (rows, y - base[:, None]))
        sums = Products(inputs.T @ inputs, inputs.T @ outputs, float(np.sum(outputs**2)))
        total = sums if total is None else total.plus(sums)
    if total is None:
        raise ValueError("expected at least one window to fit a linear forecaster to, got none")
    return total


def _by_channel(array: Float[np.ndarray, "n k c"]) -> Float[np.ndarray, "_ k"]:
    return np.moveaxis(array, 1, 2).reshape(-1, array.shape[1])


def fit_ridge(train: Products, valid: Products) -> dict[str, Float[np.ndarray, "..."]]:
    """Return kernel [h, k] and bias [h] of the least squares on `train`, with the ridge that is best on `valid`."""
    values, vectors = np.linalg.eigh(train.gram)
    values, turned = np.maximum(values, 0), vectors.T @ train.cross
    ridges = STRENGTHS * max(values[-1], np.finfo(float).tiny)
    weights = min((vectors @ (turned / (values + ridge)[:, None]) for ridge in ridges), key=valid.error)
    return {"kernel": weights[:-1].T, "bias": weights[-1]}
