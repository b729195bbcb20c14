"""An honest causal forest for residuals of outcomes on residuals of treatments.

The method is that of Wager and Athey (2018) and Athey, Tibshirani and Wager (2019). Features are binned by quantiles,
so that the best cut of every node of a level is read off a histogram. A tree is a few arrays, levels by nodes; trees
are grown one after another in one compiled loop, which bounds the memory.
"""

from statistics import NormalDist
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.stats import norm
from jaxtyping import Array, Bool, Float, Int, Key

from symjax.causal.estimate.inference import Effect

LEAST_SHARE = 0.05  # of a node's units that each child must have
NARROW = 16  # nodes of the first levels


class Forest(NamedTuple):
    """Trees in little bags: those of a bag share one half of the units.

    Attributes:
        edges: of the bins of each feature.
        feature: at which a node is cut; -1 for a leaf, and where there is no node.
        cut: the last bin that goes to the left.
        child: the place of the left child on the next level; the right one follows it.
        moments: means of (T Y, T T, T, Y, 1) over the estimating units of each node.
        used: which units a tree was grown on.
    """

    edges: Float[Array, "p e"]
    feature: Int[Array, "bags trees levels width"]
    cut: Int[Array, "bags trees levels width"]
    child: Int[Array, "bags trees levels width"]
    moments: Float[Array, "bags trees levels width 5"]
    used: Bool[Array, "bags trees n"]


class Heterogeneous(NamedTuple):
    """Effects of units, and the variance of each by the variation between little bags."""

    value: Float[Array, " m"]
    variance: Float[Array, " m"]

    def interval(self, level: float = 0.95) -> tuple[Float[Array, " m"], Float[Array, " m"]]:
        """Return the ends of the interval of each unit's effect; their means are no interval of the average.

        It counts the sampling of the forest and not the bias of its leaves: at 95 %, .76 to .87 were measured to hold
        the effect of units, .84 in the mean of six tables of 2000 rows, true residuals and 400 trees; of EconML's
        `grf.CausalForest` on the same tables .74 to .87, .83 in the mean.
        """
        reach = NormalDist().inv_cdf(0.5 + level / 2) * jnp.sqrt(self.variance)
        return self.value - reach, self.value + reach


def grow_forest(
    key: Key[Array, ""],
    outcome: Float[Array | np.ndarray, " n"],
    treatment: Float[Array | np.ndarray, " n"],
    features: Float[Array | np.ndarray, "n p"],
    *,
    n_estimators: int = 1000,
    subforest_size: int = 4,
    max_samples: float = 0.45,
    min_samples_leaf: int = 5,
    max_depth: int = 10,
    honest: bool = True,
    bins: int = 32,
) -> Forest:
    """Return trees whose leaves differ in the slope of the outcome on the treatment.

    A node is cut where sum_c (sum_{i in c} rho_i)^2 / n_c is largest over its two children c, with the slope tau of the
    node and rho_i = (T_i - T) (Y_i - Y - (T_i - T) tau) / sum (T_j - T)^2.

    Args:
        key: of the subsamples.
        outcome: residuals Y - E[Y | X], cross-fitted.
        treatment: residuals T - E[T | X], cross-fitted.
        features: what the effect may depend on.
        n_estimators: trees, a multiple of `subforest_size`.
        subforest_size: trees of a little bag, at least 2.
        max_samples: share of the units that a tree is grown on, at most 1/2.
        min_samples_leaf: units of each kind, splitting and estimating, that a leaf must have.
        max_depth: levels of cuts.
        honest: whether one half of a tree's units cuts and the other estimates.
        bins: of each feature.

    Raises:
        ValueError: trees do not fill the bags, or a share is above 1/2.
    """
    if n_estimators % subforest_size or subforest_size < 2:
        raise ValueError(
            f"n_estimators must be a multiple of subforest_size >= 2, got {n_estimators} and {subforest_size}"
        )
    if not 0 < max_samples <= 0.5:
        raise ValueError(
            f"max_samples must be a share in (0, 1/2], for bags are halves of the units; got {max_samples}"
        )
    outcome, treatment, features = (jnp.asarray(a) for a in (outcome, treatment, features))
    n = len(outcome)
    sample = int(max_samples * n)
    splitting = sample // 2 if honest else sample
    width = max(2, 2 * (splitting // (2 * min_samples_leaf)))
    edges = jnp.quantile(features, jnp.linspace(0, 1, bins + 1)[1:-1].astype(features.dtype), axis=0).T
    binned = _bin(edges, features)

    def tree(pool: Array, key: Array) -> tuple[Array, ...]:
        chosen = pool[_shuffled(key, len(pool))[:sample]]
        data = outcome[chosen], treatment[chosen], binned[chosen]
        grown = _grow(*data, splitting, splitting if honest else 0, bins, min_samples_leaf, max_depth, width)
        return *grown, jnp.zeros(n, bool).at[chosen].set(True)

    def bag(key: Array) -> tuple[Array, ...]:
        half, key = jax.random.split(key)
        pool = _shuffled(half, n)[: n // 2]
        return jax.lax.map(lambda key: tree(pool, key), jax.random.split(key, subforest_size))

    return Forest(edges, *jax.lax.map(bag, jax.random.split(key, n_estimators // subforest_size)))


def forest_effects(
    forest: Forest, features: Float[Array | np.ndarray, "m p"], *, out_of_bag: bool = False
) -> Heterogeneous:
    """Return the effects of units, tau = cov(T, Y) / var(T) in the mean over trees of their leaves' moments.

    The variance is that between bags less what the few trees of a bag add to it, kept positive by a flat prior, as in
    the authors' package grf.

    Args:
        forest: grown.
        features: of the units.
        out_of_bag: whether the units are those the forest was grown on, each served by trees that did not see it.
    """
    binned = _bin(forest.edges, features)
    trees = forest.feature.shape[1]

    def add(total: tuple[Array, ...], bag: tuple[Array, ...]) -> tuple[tuple[Array, ...], None]:
        found = jax.lax.map(lambda tree: _leaf_moments(binned, *tree), bag[:4])
        keep = ~bag[4] if out_of_bag else jnp.ones((trees, len(features)), bool)
        found = jnp.where(keep[:, :, None], found, 0)
        whole = jnp.all(keep, axis=0).astype(found.dtype)[:, None, None]
        mean = jnp.mean(found, axis=0)
        news = (
            jnp.sum(found, axis=0),
            whole * mean[:, :, None] * mean[:, None],
            whole * jnp.einsum("tmi,tmj->mij", found, found) / trees,
            whole[:, 0, 0],
        )
        return jax.tree.map(jnp.add, total, news), None

    m, dtype = len(features), forest.moments.dtype
    zero = jnp.zeros((m, 5), dtype), jnp.zeros((m, 5, 5), dtype), jnp.zeros((m, 5, 5), dtype), jnp.zeros(m, dtype)
    (first, between, all_trees, count), _ = jax.lax.scan(add, zero, tuple(forest)[1:])
    ty, tt, t, y, _ = jnp.moveaxis(first / first[:, 4:], 1, 0)
    spread = tt - t**2
    tau = (ty - t * y) / spread
    ones = jnp.ones_like(t)
    residual = y - t * tau  # the influence of a tree is (T - t) (Y - residual - T tau) / spread, in its leaf's means
    c = jnp.stack([ones, -tau, t * tau - residual, -t, t * residual], axis=1) / spread[:, None]
    squares = [jnp.einsum("mi,mij,mj->m", c, each, c) / jnp.maximum(count, 1) for each in (between, all_trees)]
    noise = (squares[1] - squares[0]) / (trees - 1)
    return Heterogeneous(tau, _positive(squares[0], noise, jnp.maximum(count, 1)))


def forest_average(
    forest: Forest,
    outcome: Float[Array | np.ndarray, " n"],
    treatment: Float[Array | np.ndarray, " n"],
    features: Float[Array | np.ndarray, "n p"],
    variance: Float[Array | np.ndarray, " n"],
) -> Effect:
    """Return the average effect, doubly robust: the mean of tau(X) + T (Y - T tau(X)) / v(X), tau out of bag.

    Args:
        forest: grown on these units.
        outcome: residuals, as the forest saw them.
        treatment: residuals, as the forest saw them.
        features: of the units.
        variance: v(X) of the treatment; e (1 - e) for two arms of propensity e.
    """
    tau = forest_effects(forest, features, out_of_bag=True).value
    scores = tau + treatment * (outcome - treatment * tau) / variance
    return Effect(jnp.mean(scores), scores - jnp.mean(scores))


def _bin(edges: Array, features: Array | np.ndarray) -> Int[Array, "m p"]:
    return jax.vmap(lambda edge, x: jnp.searchsorted(edge, x, side="left"), (0, 1), 1)(
        edges, jnp.asarray(features)
    ).astype(int)


def _shuffled(key: Array, n: int) -> Int[Array, " n"]:
    """Return a random order: numbers sorted by random bits above them, one sort of single words."""
    low = max(n - 1, 1).bit_length()
    above = jax.random.bits(key, (n,), "uint32") >> low << low
    return (jnp.sort(above | jnp.arange(n, dtype="uint32")) & (2**low - 1)).astype(int)


def _grow(
    y: Array, t: Array, binned: Array, splitting: int, first: int, bins: int, least: int, depth: int, width: int
) -> tuple[Array, ...]:
    """Return one tree: feature, cut, child and moments, level by level; the first levels are narrow.

    The first `splitting` units cut, those from `first` on estimate; of the latter, cuts know the features alone.
    """
    rows = jnp.stack([t * y, t * t, t, y, jnp.ones_like(y)], axis=1)

    def grow(place: Array, level: Array, size: int) -> tuple[Array, tuple[Array, ...]]:
        moments = jax.ops.segment_sum(rows[first:], place[first:], size + 1)[:size]
        feature, cut = _best_cut(rows, place, binned, splitting, first, bins, least, size)
        feature = jnp.where(level < depth, feature, -1)
        own = jnp.append(feature, -1)[place]
        right = jnp.take_along_axis(binned, jnp.maximum(own, 0)[:, None], 1)[:, 0] > jnp.append(cut, 0)[place]
        child = 2 * (jnp.cumsum(feature >= 0) - 1)
        after = jnp.where(own >= 0, jnp.append(child, 0)[place] + right.astype(int), -1)
        return after, (feature, cut, child, moments / jnp.maximum(moments[:, 4:], 1))

    def levels(place: Array, numbers: Array, size: int) -> tuple[Array, tuple[Array, ...]]:
        def step(place: Array, level: Array) -> tuple[Array, tuple[Array, ...]]:
            return grow(jnp.where(place < 0, size, place), level, size)

        place, grown = jax.lax.scan(step, place, numbers)
        more = width - size
        feature, *others = grown
        others = [jnp.pad(a, [(0, 0), (0, more), *[(0, 0)] * (a.ndim - 2)]) for a in others]
        return place, (jnp.pad(feature, [(0, 0), (0, more)], constant_values=-1), *others)

    narrow = min(NARROW, width)
    early = min(narrow.bit_length(), depth + 1)
    place, head = levels(jnp.zeros(len(y), int), jnp.arange(early), narrow)
    _, tail = levels(place, jnp.arange(early, depth + 1), width)
    return tuple(jnp.concatenate(parts) for parts in zip(head, tail, strict=True))


def _best_cut(
    rows: Array, place: Array, binned: Array, splitting: int, first: int, bins: int, least: int, size: int
) -> tuple[Int[Array, " size"], Int[Array, " size"]]:
    """Return the feature and last left bin of the best cut of each node, -1 where none leaves enough of either kind."""
    rho = _influence(rows[:splitting], place[:splitting], size)
    p = binned.shape[1]
    keys = (place[:, None] * p + jnp.arange(p)[None]) * bins + binned
    upto = jnp.triu(jnp.ones((bins, bins), rows.dtype))

    def left(values: Array, keys: Array) -> Array:
        each = jnp.broadcast_to(values[:, None], keys.shape).ravel()
        table = jax.ops.segment_sum(each, keys.ravel(), (size + 1) * p * bins)[: size * p * bins]
        return (table.reshape(-1, bins) @ upto).reshape(size, p, bins)

    score, own = left(rho, keys[:splitting]), left(rows[:splitting, 4], keys[:splitting])
    others = left(rows[first:, 4], keys[first:])
    needed = [jnp.maximum(1.0 * least, LEAST_SHARE * a[:, :, -1:]) for a in (own, others)]
    gain, enough = 0.0, True
    for s, *counts in ((score, own, others), tuple(a[:, :, -1:] - a for a in (score, own, others))):
        gain += s**2 / jnp.maximum(counts[0], 1)
        enough &= (counts[0] >= needed[0]) & (counts[1] >= needed[1])
    gain = jnp.where(enough, gain, -1).reshape(size, -1)
    most = jnp.max(gain, axis=1, keepdims=True)
    best = jnp.min(jnp.where(gain == most, jnp.arange(p * bins)[None], p * bins), axis=1)  # faster than argmax
    return jnp.where(most[:, 0] > 0, best // bins, -1), best % bins


def _influence(rows: Array, place: Array, size: int) -> Float[Array, " n"]:
    """Return how much each unit moves the slope of its node, times the number of the node's units."""
    sums = jax.ops.segment_sum(rows, place, size + 1)
    ty, tt, t, y, _ = jnp.moveaxis(sums / jnp.maximum(sums[:, 4:], 1), 1, 0)
    spread = jnp.maximum(tt - t**2, 1e-12)
    tau = (ty - t * y) / spread
    off = rows[:, 2] - t[place]
    return off * (rows[:, 3] - y[place] - off * tau[place]) / spread[place]


def _leaf_moments(binned: Array, feature: Array, cut: Array, child: Array, moments: Array) -> Float[Array, "m 5"]:
    """Return the moments of the leaf of each unit in one tree."""
    width = feature.shape[1]

    def step(state: tuple[Array, Array], level: tuple[Array, ...]) -> tuple[tuple[Array, Array], None]:
        place, leaf = state
        f, c, first, number = level
        own = f[place]
        inner = (own >= 0) & (leaf < 0)
        leaf = jnp.where(inner | (leaf >= 0), leaf, number * width + place)
        right = jnp.take_along_axis(binned, jnp.maximum(own, 0)[:, None], 1)[:, 0] > c[place]
        return (jnp.where(inner, first[place] + right.astype(int), 0), leaf), None

    start = jnp.zeros(len(binned), int), jnp.full(len(binned), -1)
    (_, leaf), _ = jax.lax.scan(step, start, (feature, cut, child, jnp.arange(len(feature))))
    return moments.reshape(-1, 5)[leaf]


def _positive(between: Array, noise: Array, bags: Array) -> Array:
    """Return the mean of the posterior of between - noise, a number that cannot be negative, under a flat prior."""
    estimate = between - noise
    error = jnp.maximum(jnp.maximum(between, noise) * jnp.sqrt(2 / bags), 1e-30)
    ratio = jnp.maximum(estimate / error, -10)
    return estimate + error * jnp.exp(norm.logpdf(ratio) - norm.logcdf(ratio))
