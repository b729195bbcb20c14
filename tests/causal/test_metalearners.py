"""Learners of effects that differ between units: where they are exact, and what they err by on random tables."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.causal.estimate import (
    calibration,
    dr_score,
    linear_dml,
    ortho_iv,
    qini_curve,
    r_learner,
    r_score,
    standard_error,
    t_learner,
    toc_curve,
    uplift_curve,
)

N = 400


@pytest.fixture(scope="module")
def table() -> tuple[jax.Array, ...]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N, 3))
    arm = rng.binomial(1, 1 / (1 + np.exp(-x[:, 0])))
    tau = 1 + x[:, 1]
    return (
        jnp.asarray(x),
        jnp.asarray(arm),
        jnp.asarray(2 * x[:, 0] + tau * arm + 0.3 * rng.normal(size=N)),
        jnp.asarray(tau),
    )


@pytest.mark.parametrize("learner", [t_learner, r_learner])
def test_effects_of_units(table: tuple[jax.Array, ...], learner) -> None:
    x, arm, y, tau = table
    found = jax.jit(learner)(jax.random.key(0), y, arm, x)
    assert np.sqrt(np.mean((found - tau) ** 2)) < 0.2  # a constant errs by 1


def test_linear_dml_is_exact_without_noise_and_orthogonal_to_residuals(table: tuple[jax.Array, ...]) -> None:
    x, arm, y, _ = table
    t = arm.astype(float) - 0.5
    exact = linear_dml(t * (1 + 2 * x[:, 1]), t, x)
    np.testing.assert_allclose(exact.coefficients, [1, 0, 2, 0], atol=1e-10)
    np.testing.assert_allclose(exact.covariance, 0, atol=1e-18)
    found = linear_dml(y, t, x)
    np.testing.assert_allclose(t * (y - t * found.predict(x)[0]) @ x, 0, atol=1e-9)


def test_an_instrument_removes_what_confounds(table: tuple[jax.Array, ...]) -> None:
    x, arm, _, _ = table
    rng = np.random.default_rng(1)
    hidden = jnp.asarray(rng.normal(size=N))
    z = arm.astype(float) - 0.5
    t = z + 0.5 * hidden
    y = t * (1 + x[:, 1]) + hidden
    truth = np.array([1.0, 0, 1, 0])
    found, biased = ortho_iv(y, t, z, x), linear_dml(y, t, x)
    errors = np.sqrt(np.diag(found.covariance))
    assert np.all(np.abs(found.coefficients - truth) < 3 * errors)
    assert abs(biased.coefficients[0] - 1) > 0.5


def test_scores_tell_good_predictions_from_bad_ones(table: tuple[jax.Array, ...]) -> None:
    _, arm, _, tau = table
    scores = tau + jnp.asarray(np.random.default_rng(2).normal(size=N))
    good, bad = dr_score(tau, scores), dr_score(-tau, scores)
    assert good.value > 2 * standard_error(good)
    assert bad.value < 0
    slope = calibration(tau, scores)
    assert abs(slope.coefficients[1] - 1) < 3 * np.sqrt(slope.covariance[1, 1])
    residual = arm.astype(float) - 0.5
    assert r_score(tau, tau * residual, residual).value == pytest.approx(1)


def test_curves_of_uplift_end_where_all_are_treated(table: tuple[jax.Array, ...]) -> None:
    tau = table[3]
    assert uplift_curve(tau, tau).value[-1] == pytest.approx(float(tau.mean()))
    assert qini_curve(tau, tau).value[-1] == pytest.approx(0, abs=1e-12)
    toc = toc_curve(tau, tau).value
    assert toc[0] == pytest.approx(float(tau.max() - tau.mean()))
    assert np.all(np.diff(toc) <= 1e-12)
