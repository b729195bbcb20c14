"""Smooth regressions of unknown shape: ridge on random features, their order, width and penalty cross-validated."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

from symjax.causal.estimate.regression import with_constant

COUNT = 256  # of random features, at most
UNITS = 8  # for each of them
ALL = 1000
KERNELS = (
    (1, 0.5),
    (1, 1.0),
    (2, 1.0),
    (2, 2.0),
    (ALL, 2.0),
)  # columns that a feature may see, and standard deviations
PENALTIES = 10.0 ** np.linspace(-5, 1, 13)
FOLDS = 5


class Smooth(NamedTuple):
    """Fitted regressions.

    Attributes:
        fitted: of each unit, by what was fitted without its fold.
        predicted: of the units asked for, by what was fitted on all.
        loss: the weighted mean square of the error of `fitted`, of each target.
    """

    fitted: Float[Array, "*g n k"]
    predicted: Float[Array, "*g m k"]
    loss: Float[Array, "*g k"]


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
    Recht 2007; Hashemi et al. 2023).

    Args:
        key: of the features.
        x: standardised columns.
        y: targets.
        at: where predictions are wanted, on the scale of x.
        weights: of the units, as in the loss.
        folds: of the units, 5 of sizes that differ by one at most, larger ones first, as of `folds_by_arm`.
    """
    return Smooth(*(part[0] for part in smooth_groups(key, x, y[None], at, weights[None], folds)))


def smooth_groups(
    key: Key[Array, ""],
    x: Float[Array, "n p"],
    y: Float[Array, "g n k"],
    at: Float[Array, "m p"],
    weights: Float[Array, "g n"],
    folds: Int[Array, " n"],
) -> Smooth:
    """Return the regressions `smooth` of several groups, all on the same features.

    A target has one kernel for all groups, that of the smallest sum of their losses, so that what it cannot express is
    missing in all of them alike and cancels in their differences. Penalties are each group's own.
    """
    place, real = _by_fold(folds)
    w, targets = jnp.where(real, weights[:, place], 0), y[:, place]
    count = min(COUNT, -(-len(x) // UNITS))

    def kernel(setting: Array) -> tuple[Array, Array, Array]:
        order, width = setting
        features = _features(key, jnp.concatenate([x, at]), order, width, count)
        rows, asked = features[place], features[len(x) :]
        paths = jax.vmap(_paths, (None, 0, 0))(rows, targets, w)
        others = jnp.einsum("fsq,gfqlk->gfslk", rows, paths[:, :FOLDS])
        total = jnp.sum(w, axis=(1, 2))
        loss = jnp.einsum("gfs,gfslk->glk", w, (targets[:, :, :, None] - others) ** 2) / total[:, None, None]
        best = jnp.argmin(loss, axis=1)
        mine = jnp.take_along_axis(paths[:, FOLDS], best[:, None, None], axis=2)[:, :, 0]
        others = jnp.take_along_axis(others, best[:, None, None, None], axis=3)[:, :, :, 0]
        return jnp.min(loss, axis=1), others, jnp.einsum("mq,gqk->gmk", asked, mine)

    loss, others, predicted = jax.lax.map(kernel, jnp.array(KERNELS, x.dtype))
    best = jnp.argmin(jnp.sum(loss, axis=1), axis=0)
    loss, others, predicted = (
        jnp.take_along_axis(a, best.reshape(1, *[1] * (a.ndim - 2), -1), axis=0)[0] for a in (loss, others, predicted)
    )
    fitted = (
        jnp.zeros_like(y)
        .at[:, place.ravel()]
        .add(jnp.where(real[..., None], others, 0).reshape(len(y), -1, y.shape[2]))
    )
    return Smooth(fitted, predicted, loss)


def _by_fold(folds: Int[Array, " n"]) -> tuple[Int[Array, "f s"], np.ndarray]:
    """Return the units of each fold, and which places hold one: the last of a smaller fold is empty."""
    n = len(folds)
    sizes = n // FOLDS + (np.arange(FOLDS) < n % FOLDS)
    places = (np.cumsum(sizes) - sizes)[:, None] + np.arange(max(sizes))
    return jnp.argsort(folds)[np.minimum(places, n - 1)], np.arange(max(sizes)) < sizes[:, None]


def _features(key: Array, x: Array, order: Array, width: Array, count: int) -> Float[Array, "n q"]:
    frequencies, phases, columns = jax.random.split(key, 3)
    p = x.shape[1]
    order = jnp.minimum(order, 1.0 * p)
    ranks = jnp.argsort(jax.random.uniform(columns, (p, count)), axis=0).astype(x.dtype)
    w = jnp.where(ranks < order, jax.random.normal(frequencies, (p, count), x.dtype), 0) / (width * jnp.sqrt(order))
    b = jax.random.uniform(phases, (count,), x.dtype, maxval=2 * jnp.pi)
    return with_constant(jnp.concatenate([x, jnp.sqrt(2 * p / count) * jnp.cos(x @ w + b[None])], axis=1))


def _paths(z: Float[Array, "f s q"], y: Float[Array, "f s k"], w: Float[Array, "f s"]) -> Float[Array, "f+1 q l k"]:
    """Return the coefficients for every penalty without each fold, and last with all of them.

    Moments are added up by fold, and taken away from those of all. The constant, the first column, is not penalised.
    """
    weighted = z * w[:, :, None]
    parts = jnp.einsum("fsq,fsr->fqr", weighted, z), jnp.einsum("fsq,fsk->fqk", weighted, y)
    gram, cross = (jnp.concatenate([jnp.sum(a, axis=0)[None] - a, jnp.sum(a, axis=0)[None]]) for a in parts)
    return jax.vmap(_path)(gram, cross)


def _path(gram: Float[Array, "q q"], cross: Float[Array, "q k"]) -> Float[Array, "q l k"]:
    gram, cross = gram / gram[0, 0], cross / gram[0, 0]
    mean, level = gram[0, 1:], cross[0]
    values, vectors = jnp.linalg.eigh(gram[1:, 1:] - mean[:, None] * mean[None])
    along = vectors.T @ (cross[1:] - mean[:, None] * level[None])
    penalties = jnp.asarray(PENALTIES, gram.dtype)
    b = jnp.einsum(
        "qr,rlk->qlk", vectors, along[:, None] / (jnp.maximum(values, 0)[:, None] + penalties[None])[:, :, None]
    )
    return jnp.concatenate([level[None, None] - jnp.einsum("q,qlk->lk", mean, b)[None], b])
