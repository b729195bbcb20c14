"""Treatments in time: the table that no regression gets right, and a process of three instants."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.causal import estimate

# Hernan and Robins, Causal Inference: What If, table 20.1: units, A_0, L_1, A_1, mean outcome. Nothing has an effect.
TABLE = np.array(
    [
        [2400, 0, 0, 0, 84],
        [1600, 0, 0, 1, 84],
        [2400, 0, 1, 0, 52],
        [9600, 0, 1, 1, 52],
        [4800, 1, 0, 0, 76],
        [3200, 1, 0, 1, 76],
        [1600, 1, 1, 0, 44],
        [6400, 1, 1, 1, 44],
    ],
    float,
)
ESTIMATORS = (jax.jit(estimate.longitudinal_gformula), jax.jit(estimate.marginal_structural))


def test_weights_and_g_formula_find_no_effect_where_every_regression_finds_one():
    count, first, seen, second, y = (jnp.asarray(column) for column in TABLE.T)
    treatments = jnp.stack([first, second], axis=1)
    covariates = jnp.stack([jnp.zeros_like(seen), seen], axis=1)[:, :, None]
    doses = {"regime": jnp.ones(2), "reference": jnp.zeros(2)}
    for estimator in ESTIMATORS:
        np.testing.assert_allclose(estimator(y, treatments, covariates, count, **doses).value, 0, atol=1e-6)
    for columns in (seen[:, None], seen[:, None] * 0):
        wrong = estimate.regression_effect(y, treatments, columns, count).value
        assert abs(wrong.sum()) > 7  # -8 beside L_1, which A_0 moves; without it A_1 is confounded


def process(rng, n, doses=None):
    """Three instants at which a symptom eased by the last treatment calls for the next; the effect of all is known."""
    hidden, treatments, symptoms, last = rng.standard_normal(n), [], [], np.zeros(n)
    for t in range(3):
        symptom = 0.5 * hidden - 0.6 * last + rng.standard_normal(n)
        given = rng.random(n) < 1 / (1 + np.exp(-0.5 * symptom))
        last = given.astype(float) if doses is None else np.full(n, doses[t])
        treatments.append(last)
        symptoms.append(symptom)
    y = 0.5 * sum(treatments) - sum(symptoms) + hidden + rng.standard_normal(n)
    return y, np.stack(treatments, 1), np.stack(symptoms, 1)[:, :, None]


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_intervals_hold_the_truth(estimator):
    truth = 3 * 0.5 + 2 * 0.6
    tables = [process(np.random.default_rng(seed), 400) for seed in range(200)]
    y, treatments, covariates = (jnp.asarray(np.stack(part)) for part in zip(*tables, strict=True))

    def one(y, treatments, covariates):
        found = estimator(y, treatments, covariates, regime=jnp.ones(3), reference=jnp.zeros(3))
        return found.value, *estimate.interval(found)

    value, low, high = jax.jit(jax.vmap(one))(y, treatments, covariates)
    assert abs(value.mean() - truth) < 0.08
    assert np.mean((low <= truth) & (high >= truth)) > 0.92
    assert 0.8 < np.mean(high - low) / 2 / 1.96 / np.std(value) < 1.3


def test_weights_say_when_a_history_leaves_no_choice():
    y, treatments, covariates = (jnp.asarray(part) for part in process(np.random.default_rng(0), 200))
    stuck = covariates.at[:, 0, 0].set(2 * treatments[:, 0] - 1)
    doses = {"regime": jnp.ones(3), "reference": jnp.zeros(3)}
    assert ESTIMATORS[1](y, treatments, covariates, **doses).facts["converged"]
    assert not ESTIMATORS[1](y, treatments, stuck, **doses).facts["converged"]
