"""Honest causal forests: what a cut maximises, what a leaf holds, and effects of units and on average."""

import jax
import numpy as np
import pytest

from symjax.causal.estimate import Forest, forest_average, forest_effects, grow_forest, interval

N, LEAST, BINS = 600, 5, 8


@pytest.fixture(scope="module")
def table() -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N, 3))
    tau = 1 + 2.0 * (x[:, 1] > 0)
    t = rng.binomial(1, 0.5, N) - 0.5
    return x, t, tau * t + 0.5 * rng.normal(size=N), tau


@pytest.fixture(scope="module")
def forest(table: tuple[np.ndarray, ...]) -> Forest:
    x, t, y, _ = table

    def grow(key: jax.Array) -> Forest:
        return grow_forest(key, y, t, x, n_estimators=40, min_samples_leaf=LEAST, max_depth=4, bins=BINS)

    return jax.jit(grow)(jax.random.key(0))


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


@pytest.mark.parametrize(
    ("options", "message"),
    [({"n_estimators": 10}, "multiple of subforest_size"), ({"max_samples": 0.8}, "in \\(0, 1/2]")],
)
def test_what_cannot_be_grown_is_said(table: tuple[np.ndarray, ...], options: dict, message: str) -> None:
    x, t, y, _ = table
    with pytest.raises(ValueError, match=message):
        grow_forest(jax.random.key(0), y, t, x, **options)
