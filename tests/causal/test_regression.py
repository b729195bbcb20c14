"""Regressions that have no single answer: separated classes, and columns that are combinations of others."""

import jax
import jax.numpy as jnp
import numpy as np
import statsmodels.api as sm

from symjax.causal import estimate

RNG = np.random.default_rng(0)
N = 200
LOGISTIC = jax.jit(estimate.logistic)


def test_separated_classes_are_reported_and_stay_finite():
    x = np.sort(RNG.standard_normal(N))
    design, ones = estimate.with_constant(jnp.asarray(x[:, None])), jnp.ones(N)
    separated = LOGISTIC(design, jnp.asarray((x > 0).astype(float)), ones)
    assert not separated.converged
    assert np.isfinite(separated.coefficients).all()
    y = RNG.binomial(1, 1 / (1 + np.exp(-3 * x))).astype(float)
    mixed = LOGISTIC(design, jnp.asarray(y), ones)
    assert mixed.converged
    np.testing.assert_allclose(mixed.coefficients, sm.Logit(y, np.asarray(design)).fit(disp=0).params, rtol=1e-7)


def test_one_class_alone_in_a_part_of_the_units_is_no_convergence_either():
    cell, y = np.repeat([0.0, 0, 1, 1], 50), np.repeat([0.0, 1, 1, 1], 50)
    fit = LOGISTIC(estimate.with_constant(jnp.asarray(cell[:, None])), jnp.asarray(y), jnp.ones(N))
    assert not fit.converged
    assert np.isfinite(fit.coefficients).all()


def test_combinations_of_columns_change_no_prediction_and_show_in_the_rank():
    x = RNG.standard_normal((N, 3)) * [1, 1e3, 1e-3]
    y = jnp.asarray(x @ [1.0, 1e-3, 1e3] + RNG.standard_normal(N))
    twice = jnp.asarray(np.column_stack([x, x[:, 0], 2 * x[:, 1] - 5]))
    plain, doubled = estimate.with_constant(jnp.asarray(x)), estimate.with_constant(twice)
    fits = [estimate.least_squares(design, y, jnp.ones(N)) for design in (plain, doubled)]
    assert [int(fit.rank) for fit in fits] == [4, 4]
    np.testing.assert_allclose(plain @ fits[0].coefficients, doubled @ fits[1].coefficients, atol=1e-8)
    arm = jnp.asarray(RNG.integers(0, 2, (N, 1)).astype(float))
    effects = [estimate.regression_effect(y, arm, columns[:, 1:]) for columns in (plain, doubled)]
    np.testing.assert_allclose(effects[0].value, effects[1].value, rtol=1e-8)
    errors = [estimate.standard_error(effect) for effect in effects]
    np.testing.assert_allclose(errors[0], errors[1], rtol=1e-6)


def test_random_features_are_a_kernel():
    x = jnp.asarray(RNG.standard_normal((20, 3)))
    features = estimate.random_features(jax.random.key(0), x, 40_000, width=1.5)
    distance = np.sum((x[:, None] - x[None]) ** 2, axis=-1)
    np.testing.assert_allclose(features @ features.T, np.exp(-distance / (2 * 1.5**2 * 3)), atol=0.03)


def test_resamples_and_folds_never_lose_an_arm():
    arm = jnp.asarray(np.r_[np.zeros(190, int), np.ones(5, int), np.full(5, 2)])
    weights = estimate.bootstrap_weights(jax.random.key(0), arm, 70)
    assert weights.shape == (70, N)
    for one in range(3):
        np.testing.assert_array_equal(weights[:, arm == one].sum(1), np.sum(arm == one))
    assert np.ptp(weights[:, arm == 2].std(1)) > 0
    folds = np.asarray(estimate.folds_by_arm(jax.random.key(1), arm, 5))
    table = np.stack([np.bincount(folds[arm == one], minlength=5) for one in range(3)])
    np.testing.assert_array_equal(table, [[38] * 5, [1] * 5, [1] * 5])
