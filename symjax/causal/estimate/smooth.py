"""Smooth regressions of unknown shape: ridge on random features, their order, width and penalty cross-validated."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

from symjax.causal.estimate.regression import with_constant

COUNT = 128  # of random features
ORDERS = (1, 2, 1000)  # columns that one feature may see: additive, pairs, all
WIDTHS = (0.5, 1.0, 2.0)  # of the kernel, in standard deviations
PENALTIES = 10.0 ** np.linspace(-5, 1, 13)
FOLDS = 5


class Smooth(NamedTuple):
    """A fitted regression.

    Attributes:
        fitted: of each unit, by what was fitted without its fold.
        predicted: of the units asked for, by what was fitted on all.
        loss: the weighted mean square of the error of `fitted`, of each target.
    """

    fitted: Float[Array, "n k"]
    predicted: Float[Array, "m k"]
    loss: Float[Array, " k"]


def smooth(
    key: Key[Array, ""],
    x: Float[Array, "n p"],
    y: Float[Array, "n k"],
    at: Float[Array, "m p"],
    weights: Float[Array, " n"],
    folds: Int[Array, " n"],
) -> Smooth:
    """Return the ridges of y on (1, x, random features), for each target those that predict other folds best.

    A random feature is cos(w x + b) with w on a few columns only, so that additive functions cost few units (Rahimi and
    Recht 2007; Hashemi et al. 2023). All folds and penalties of one kernel are one call.

    Args:
        key: of the features.
        x: standardised columns.
        y: targets.
        at: where predictions are wanted, on the scale of x.
        weights: of the units, as in the loss.
        folds: of the units, below 5.
    """
    outside = jnp.concatenate([folds[None] != jnp.arange(FOLDS)[:, None], jnp.ones((1, len(x)), bool)])
    kept = jnp.where(outside, weights[None], 0)
    grid = jnp.array([(order, width) for order in ORDERS for width in WIDTHS], x.dtype)

    def kernel(setting: Array) -> tuple[Array, Array, Array]:
        both = _features(key, jnp.concatenate([x, at]), *setting)
        rows, asked = both[: len(x)], both[len(x) :]
        paths = jax.vmap(_path, (None, None, 0))(rows, y, kept)
        others = jnp.take_along_axis(jnp.einsum("np,fplk->fnlk", rows, paths[:-1]), folds[None, :, None, None], axis=0)[
            0
        ]
        loss = jnp.einsum("n,nlk->lk", weights, (y[:, None] - others) ** 2) / jnp.sum(weights)
        best = jnp.argmin(loss, axis=0)[None]
        predicted = jnp.einsum("mp,plk->mlk", asked, paths[-1])
        fitted, predicted = (jnp.take_along_axis(a, best[None], axis=1)[:, 0] for a in (others, predicted))
        return jnp.take_along_axis(loss, best, axis=0)[0], fitted, predicted

    loss, fitted, predicted = jax.lax.map(kernel, grid)
    best = jnp.argmin(loss, axis=0)[None]
    fitted, predicted = (jnp.take_along_axis(a, best[None], axis=0)[0] for a in (fitted, predicted))
    return Smooth(fitted, predicted, jnp.min(loss, axis=0))


def _features(key: Array, x: Array, order: Array, width: Array) -> Float[Array, "n q"]:
    frequencies, phases, columns = jax.random.split(key, 3)
    p = x.shape[1]
    order = jnp.minimum(order, 1.0 * p)
    ranks = jnp.argsort(jax.random.uniform(columns, (p, COUNT)), axis=0).astype(x.dtype)
    w = jnp.where(ranks < order, jax.random.normal(frequencies, (p, COUNT), x.dtype), 0) / (width * jnp.sqrt(order))
    b = jax.random.uniform(phases, (COUNT,), x.dtype, maxval=2 * jnp.pi)
    return with_constant(jnp.concatenate([x, jnp.sqrt(2 * p / COUNT) * jnp.cos(x @ w + b[None])], axis=1))


def _path(z: Array, y: Array, weights: Array) -> Float[Array, "q l k"]:
    """Return the coefficients for every penalty; the constant, the first column, is not penalised."""
    share = weights / jnp.sum(weights)
    mean, level = share @ z, share @ y
    off = (z - mean[None])[:, 1:]
    values, vectors = jnp.linalg.eigh((off * share[:, None]).T @ off)
    along = vectors.T @ (off.T @ (share[:, None] * (y - level[None])))
    penalties = jnp.asarray(PENALTIES, z.dtype)
    shrunk = along[:, None] / (jnp.maximum(values, 0)[:, None] + penalties[None])[:, :, None]
    b = jnp.einsum("qr,rlk->qlk", vectors, shrunk)
    return jnp.concatenate([level[None, None] - jnp.einsum("q,qlk->lk", mean[1:], b)[None], b])
