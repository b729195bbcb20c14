"""Sums of products of columns for many weightings at once: a regression needs no more of the rows."""

import functools

import numpy as np
from jaxtyping import Float

MOST_SQUARES = 2**25  # numbers; more are not kept


class Columns:
    """Columns of n units [n, q], and what weights of many samples make of them."""

    def __init__(self, values: Float[np.ndarray, "n q"]):
        self.values = values

    def squares(self, weights: Float[np.ndarray, "s n"]) -> Float[np.ndarray, "s q q"]:
        """Return sum_i w_i x_i x_i' of each sample: one product of weights and pairs of columns."""
        n, q = self.values.shape
        if n * q**2 > MOST_SQUARES:
            return np.stack([(self.values * w[:, None]).T @ self.values for w in weights])
        (first, second), found = np.triu_indices(q), np.empty((len(weights), q, q))
        found[:, first, second] = found[:, second, first] = weights @ self._pairs
        return found

    @functools.cached_property
    def _pairs(self) -> Float[np.ndarray, "n k"]:
        first, second = np.triu_indices(self.values.shape[1])
        return self.values[:, first] * self.values[:, second]


class Design:
    """Columns that all samples share and, where there is one, a further one of each sample's own."""

    def __init__(self, shared: Columns, extra: Float[np.ndarray, "s n"] | None = None):
        self.shared, self.extra = shared, extra
        self.width = shared.values.shape[1] + (extra is not None)

    def squares(self, weights: Float[np.ndarray, "r n"]) -> Float[np.ndarray, "s q q"]:
        """Return sum_i w_i x_i x_i' of each sample; one row of weights is that of all."""
        found = self.shared.squares(weights)
        if self.extra is None:
            return found
        weighted = weights * self.extra
        side = weighted @ self.shared.values
        whole = np.empty((len(side), self.width, self.width))
        whole[:, :-1, :-1], whole[:, -1, :-1], whole[:, :-1, -1] = found, side, side
        whole[:, -1, -1] = np.einsum("sn,sn->s", weighted, self.extra)
        return whole

    def products(self, values: Float[np.ndarray, "r n"]) -> Float[np.ndarray, "s q"]:
        """Return sum_i v_i x_i of each sample."""
        found = values @ self.shared.values
        if self.extra is None:
            return found
        own = dot(values, self.extra)[:, None]
        return np.concatenate([np.broadcast_to(found, (len(own), found.shape[1])), own], axis=1)

    def predict(self, coefficients: Float[np.ndarray, "r q"]) -> Float[np.ndarray, "s n"]:
        """Return x_i b for all units of each sample."""
        if self.extra is None:
            return coefficients @ self.shared.values.T
        return coefficients[:, :-1] @ self.shared.values.T + coefficients[:, -1:] * self.extra


def dot(first: Float[np.ndarray, "r n"], second: Float[np.ndarray, "s n"]) -> Float[np.ndarray, " t"]:
    """Return sum_i a_i b_i of each sample; one row of either is that of all."""
    return np.einsum("sn,sn->s", *np.broadcast_arrays(first, second))
