"""Norms follow amplitudes exactly, remember the right channels, and are finite where nothing moves."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.layers.sequence import ScaleInvariantNorm, denormalise, normalise
from tests.cases import start
from tests.cases.inputs import series

X, ROWS = jnp.asarray(series(12, 3)), series(12, 3)
fit = jax.jit(normalise, static_argnames="kind")


def test_statistics_are_those_of_numpy():
    (_, window), (_, prefix) = (fit(X, kind=kind) for kind in ("window", "prefix"))
    for stats, ends in ((window, [12]), (prefix, range(1, 13))):
        np.testing.assert_allclose(stats.mean, [ROWS[:end].mean(axis=0) for end in ends], atol=1e-12)
        np.testing.assert_allclose(stats.deviation, [ROWS[:end].std(axis=0) for end in ends], atol=1e-12)


@pytest.mark.parametrize("kind", ["window", "prefix"])
def test_round_trips_and_a_constant_one_exactly(kind):
    z, stats = fit(X, kind=kind)
    np.testing.assert_allclose(denormalise(z, stats), X, atol=1e-12)
    constant = jnp.full((12, 3), 0.1)
    z, stats = fit(constant, kind=kind)
    assert (z == 0).all()
    assert (denormalise(z, stats) == constant).all()


def test_each_series_goes_back_by_its_own_statistics():
    (first, ours), (_, others) = (fit(x, kind="window") for x in (X, 3 * X + 1))
    np.testing.assert_allclose(denormalise(first, ours), X, atol=1e-12)
    np.testing.assert_allclose(denormalise(first, others), 3 * X + 1, atol=1e-12)


@pytest.mark.parametrize("kind", ["window", "prefix"])
@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_units_and_zeros_mean_nothing(kind, scale):
    np.testing.assert_allclose(fit(scale * X + 7, kind=kind)[0], fit(X, kind=kind)[0], atol=1e-9)
    with_epsilon = scale * (ROWS - ROWS.mean(axis=0)) / (scale * ROWS.std(axis=0) + 1e-5)
    gap = np.abs(with_epsilon - fit(X, kind="window")[0]).max()
    assert bool(gap > 1e-2) == (scale == 1e-4)  # what an absolute epsilon does


def test_a_large_offset_leaves_digits_of_a_prefix():
    x = series(200, 1).astype(np.float32) + np.float32(1e4)
    wanted = np.stack([x[: t + 1].astype(float).std(axis=0) for t in range(200)])
    _, stats = fit(jnp.asarray(x), kind="prefix")
    np.testing.assert_allclose(stats.deviation, wanted, rtol=1e-3)
    mean, square = (np.cumsum(p, axis=0) / np.arange(1, 201, dtype=x.dtype)[:, None] for p in (x, x**2))
    assert not np.allclose(np.sqrt(np.maximum(square - mean**2, 0)), wanted, rtol=1e-1)  # cumsums of squares


@pytest.mark.parametrize("x", [X, jnp.zeros((12, 3)), jnp.ones((1, 2))], ids=["series", "zeros", "one instant"])
@pytest.mark.parametrize("kind", ["window", "prefix"])
def test_gradients_are_finite_where_nothing_moves(kind, x):
    through = jax.jit(jax.grad(lambda x: jnp.sum(jnp.sin(fit(x, kind=kind)[0] + 1))))
    assert jnp.isfinite(through(x)).all()


def test_the_deviation_of_one_instant_plus_epsilon_has_no_derivative():
    def naive(x):
        count = jnp.arange(1.0, 13)[:, None]
        mean, square = jnp.cumsum(x, axis=0) / count, jnp.cumsum(x**2, axis=0) / count
        return jnp.sum((x - mean) / (jnp.sqrt(square - mean**2) + 1e-5))

    assert jnp.isnan(jax.jit(jax.grad(naive))(X)).any()


def test_a_forecast_takes_the_statistics_of_its_own_channels():
    _, stats = fit(X, kind="window")
    y = jnp.ones((2, 2))
    np.testing.assert_allclose(denormalise(y, stats, columns=(2, 0))[0], (ROWS.mean(0) + ROWS.std(0))[[2, 0]])
    with pytest.raises(ValueError, match=r"expected 3 channels, those of the columns \(0, 1, 2\), got 1"):
        denormalise(y[:, :1], stats)  # would have become three channels
    with pytest.raises(ValueError, match=r"columns from 0 to 2, those of the series, got \(3,\)"):
        denormalise(y[:, :1], stats, columns=(3,))
    with pytest.raises(ValueError, match="expected 12 rows"):
        denormalise(y, fit(X, kind="prefix")[1], columns=(0, 1))


@pytest.mark.parametrize("scale", [1e-4, 1e4])
def test_hidden_features_lose_their_scale(scale):
    params, apply = start(ScaleInvariantNorm(), X)
    np.testing.assert_allclose(apply(params, scale * X), apply(params, X), atol=1e-12)
    np.testing.assert_allclose(np.asarray(apply(params, X)).std(axis=1), 1, rtol=1e-3)


def test_features_without_variance_have_finite_gradients():
    params, apply = start(ScaleInvariantNorm(), X)
    slope = jax.jit(jax.grad(lambda x: jnp.sum(jnp.sin(apply(params, x) + 1))))
    assert all(jnp.isfinite(slope(jnp.full((12, 3), value))).all() for value in (0.0, 2.0))
