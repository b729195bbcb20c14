"""Honest causal forests: what a cut maximises, what a leaf holds, and effects of units and on average."""

from collections.abc import Callable, Iterator
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.causal.estimate import Forest, causal_forest, forest_average, forest_effects, grow_forest, interval
from symjax.causal.estimate.forest import LEAST_SHARE, _grow

N, LEAST, BINS = 600, 5, 8
Grow = Callable[[np.ndarray], Forest]


@pytest.fixture(scope="module")
def table() -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N, 3))
    tau = 1 + 2.0 * (x[:, 1] > 0)
    t = rng.binomial(1, 0.5, N) - 0.5
    return x, t, tau * t + 0.5 * rng.normal(size=N), tau


@pytest.fixture(scope="module")
def grow(table: tuple[np.ndarray, ...]) -> Grow:
    x, t, _, _ = table

    def grow(outcome: jax.Array) -> Forest:
        key = jax.random.key(0)
        return grow_forest(key, outcome, t, x, n_estimators=40, min_samples_leaf=LEAST, max_depth=4, bins=BINS)

    return jax.jit(grow)


@pytest.fixture(scope="module")
def forest(table: tuple[np.ndarray, ...], grow: Grow) -> Forest:
    return grow(table[2])


def test_the_column_that_matters_is_cut_first_and_bags_are_halves(forest: Forest) -> None:
    assert np.mean(np.asarray(forest.feature)[:, :, 0, 0] == 1) > 0.9
    used = np.asarray(forest.used)
    assert np.all(used.sum(axis=2) == int(0.45 * N))
    assert np.all(used.any(axis=1).sum(axis=1) <= N // 2)  # a bag is a half


def test_effects_of_units_and_on_average(table: tuple[np.ndarray, ...], forest: Forest) -> None:
    x, t, y, tau = table
    found = jax.jit(forest_effects)(forest, x)
    assert np.sqrt(np.mean((found.value - tau) ** 2)) < 0.45  # a constant errs by 1
    low, high = found.interval()
    assert np.all(found.variance > 0)
    assert np.mean((low < tau) & (tau < high)) > 0.6
    average = jax.jit(forest_average)(forest, y, t, x, np.full(N, 0.25))
    low, high = interval(average)
    assert low < tau.mean() < high
    assert high - low < 0.25  # while intervals of units are wider by far
    np.testing.assert_allclose(average.influence.mean(), 0, atol=1e-12)


def test_cuts_do_not_see_the_outcomes_that_estimate(table: tuple[np.ndarray, ...], grow: Grow, forest: Forest) -> None:
    changed = table[2].copy()
    changed[0] += 100
    other = grow(changed)
    used = np.asarray(forest.used)[:, :, 0]
    estimates = np.asarray(forest.moments != other.moments)[:, :, 0, 0, 3]  # of the mean outcome at the root
    same = np.all(np.asarray((forest.feature == other.feature) & (forest.cut == other.cut)), axis=(2, 3))
    assert np.all(same[estimates | ~used])
    assert not np.any(same[used & ~estimates])
    assert 5 < estimates.sum() < used.sum() - 5


def test_a_tree_is_that_of_a_search_one_by_one() -> None:
    rng = np.random.default_rng(1)
    n, half, depth = 160, 80, 3
    binned = rng.integers(0, BINS, (n, 3))
    t = rng.normal(size=n)
    y = (binned[:, 2] > 4) * t + 0.3 * rng.normal(size=n)
    grown = jax.jit(lambda *data: _grow(*data, half, half, BINS, LEAST, depth, 16))(y, t, binned)
    feature, cut, child, moments = map(np.asarray, grown)
    nodes = list(_search(y, t, binned, half, depth, np.arange(n), 0, 0, {}))
    assert len(nodes) > 8
    for level, place, best, rows in nodes:
        assert (feature[level, place], cut[level, place])[: len(best)] == best
        if feature[level, place] >= 0:
            right = [other for other in nodes if other[0] == level + 1][int(child[level, place]) + 1]
            np.testing.assert_array_equal(right[3], rows[binned[rows, best[0]] > best[1]])
        t_, y_ = t[rows[rows >= half]], y[rows[rows >= half]]
        np.testing.assert_allclose(moments[level, place], [(t_ * y_).mean(), (t_**2).mean(), t_.mean(), y_.mean(), 1])
    assert np.sum(feature >= 0) == sum(best != (-1,) for _, _, best, _ in nodes)


def _search(
    y: np.ndarray,
    t: np.ndarray,
    binned: np.ndarray,
    half: int,
    depth: int,
    rows: np.ndarray,
    level: int,
    place: int,
    left: dict,
) -> Iterator[tuple[int, int, tuple[int, ...], np.ndarray]]:
    """Yield level, place, cut and rows of a node and of all below it."""
    own, estimating = rows[rows < half], rows[rows >= half]
    off = t[own] - t[own].mean()
    slope = off @ y[own] / (off @ off)
    rho = off * (y[own] - y[own].mean() - off * slope)
    gains = {}
    for f in range(binned.shape[1] if level < depth else 0):
        for b in range(BINS - 1):
            sides = [binned[own, f] <= b, binned[own, f] > b]
            others = [np.sum(binned[estimating, f] <= b), np.sum(binned[estimating, f] > b)]
            if all(s.sum() >= max(LEAST, LEAST_SHARE * len(own)) for s in sides) and min(others) >= max(
                LEAST, LEAST_SHARE * len(estimating)
            ):
                gains[f, b] = sum(rho[s].sum() ** 2 / s.sum() for s in sides)
    best = max(gains, key=gains.__getitem__) if gains else (-1,)
    yield level, place, best, rows
    if gains:
        for side in (binned[rows, best[0]] <= best[1], binned[rows, best[0]] > best[1]):
            place = left.setdefault(level + 1, 0)
            left[level + 1] += 1
            yield from _search(y, t, binned, half, depth, rows[side], level + 1, place, left)


def test_effects_from_raw_columns_cover_as_often_as_the_intervals_of_others() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(400, 2)).astype(np.float32)
    arm = rng.binomial(1, 1 / (1 + np.exp(-x[:, 0])))
    tau = np.where(x[:, 1] > 0, 2, 0).astype(np.float32)
    y = x[:, 0] + tau * arm.astype(np.float32) + 0.5 * rng.normal(size=400).astype(np.float32)
    data = [jnp.asarray(a) for a in (y, arm, x)]
    forest = jax.jit(partial(causal_forest, n_estimators=40))(jax.random.key(0), *data)
    assert forest.value.dtype == forest.variance.dtype == np.float32
    assert np.sqrt(np.mean((forest.value - tau) ** 2)) < 0.6  # a constant errs by 1, confounded
    clear = np.abs(x[:, 1]) > 0.3  # where no leaf spans the jump
    low, high = forest.interval()
    assert np.mean(((low < tau) & (tau < high))[clear]) > 0.85


@pytest.mark.parametrize(
    ("options", "message"),
    [({"n_estimators": 10}, "multiple of subforest_size"), ({"max_samples": 0.8}, "in \\(0, 1/2]")],
)
def test_what_cannot_be_grown_is_said(table: tuple[np.ndarray, ...], options: dict, message: str) -> None:
    x, t, y, _ = table
    with pytest.raises(ValueError, match=message):
        grow_forest(jax.random.key(0), y, t, x, **options)
