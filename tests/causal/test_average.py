"""Average effects: the numbers of statsmodels, intervals that hold what they promise, and facts that warn."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import statsmodels.api as sm
from statsmodels.sandbox.regression.gmm import IV2SLS

from symjax.causal import estimate
from symjax.causal.estimate import Nuisances

RNG = np.random.default_rng(1)
N, TABLES = 300, 400


def confounded(rng, n, *, truth=1.5):
    """A table with effects that differ between units and average to `truth` exactly."""
    x = rng.standard_normal((n, 3))
    arm = rng.binomial(1, 1 / (1 + np.exp(-(0.6 * x[:, 0] - 0.4 * x[:, 2]))))
    y = x @ [1.0, -0.5, 0.5] + (truth + 0.5 * x[:, 1]) * arm + rng.standard_normal(n)
    return x, arm, y


@pytest.fixture(scope="module")
def table():
    x, arm, y = confounded(RNG, 500)
    return jnp.asarray(x), jnp.asarray(arm), jnp.asarray(y)


@jax.jit
def all_of(x, arm, y, folds, weights):
    own = arm[:, None].astype(y.dtype)
    found = {
        "regression": estimate.regression_effect(y, own, x, weights),
        "gformula": estimate.gformula(y, arm, x, weights),
        "ipw": estimate.ipw(y, arm, x, weights),
        "aipw": estimate.aipw(y, arm, x, weights, folds=folds),
        "tmle": estimate.tmle(y, arm, x, weights, folds=folds),
        "att": estimate.aipw(y, arm, x, weights, folds=folds, population="att"),
        "overlap": estimate.partially_linear(y, own[:, 0], x, weights, folds=folds),
    }
    return {name: (effect.value, *estimate.interval(effect, weights)) for name, effect in found.items()}


def test_intervals_hold_the_truth_as_often_as_they_say():
    tables = [confounded(np.random.default_rng(seed), N) for seed in range(TABLES)]
    x, arm, y = (jnp.asarray(np.stack(part)) for part in zip(*tables, strict=True))
    folds = jax.vmap(lambda arm: estimate.folds_by_arm(jax.random.key(0), arm, 5))(arm)
    found = jax.jit(lambda data: jax.lax.map(lambda one: all_of(*one, None), data, batch_size=50))((x, arm, y, folds))
    for name in ("gformula", "ipw", "aipw", "tmle"):
        value, low, high = found[name]
        assert 0.93 <= np.mean((low <= 1.5) & (high >= 1.5)) <= 0.97, name
        assert abs(value.mean() - 1.5) < 0.03
    assert found["att"][0].mean() > 0  # its truth differs from table to table


def test_weights_are_repetitions(table):
    x, arm, y = table
    times = jnp.asarray(RNG.integers(0, 3, len(y)).astype(float))
    rows = np.repeat(np.arange(len(y)), np.asarray(times, int))
    folds = estimate.folds_by_arm(jax.random.key(0), arm, 5)
    weighted, repeated = all_of(x, arm, y, folds, times), all_of(x[rows], arm[rows], y[rows], folds[rows], None)
    for name in weighted:
        np.testing.assert_allclose(weighted[name][0], repeated[name][0], rtol=1e-8, err_msg=name)


def test_regressions_are_those_of_statsmodels(table):
    x, arm, y = table
    w, clusters = RNG.uniform(0.5, 2, len(y)), RNG.integers(0, 40, len(y))
    design = estimate.with_constant(jnp.concatenate([x, arm[:, None].astype(float)], axis=1))
    fit = estimate.least_squares(design, y, jnp.asarray(w))
    theirs = sm.WLS(np.asarray(y), np.asarray(design), w)
    np.testing.assert_allclose(fit.coefficients, theirs.fit().params, rtol=1e-8)
    residuals = y - design @ fit.coefficients
    for kind, options, ours in (("HC1", {}, None), ("cluster", {"groups": clusters}, jnp.asarray(clusters))):
        expected = theirs.fit(cov_type=kind, cov_kwds=options).cov_params()
        got = estimate.covariance(design, residuals, jnp.asarray(w), clusters=ours)
        np.testing.assert_allclose(got, expected, rtol=1e-7, atol=1e-12)
    logit = estimate.logistic(design[:, :4], arm.astype(float), jnp.ones(len(y)))
    assert logit.converged
    expected = sm.Logit(np.asarray(arm), np.asarray(design[:, :4])).fit(disp=0, tol=1e-12).params
    np.testing.assert_allclose(logit.coefficients, expected, rtol=1e-7)


def test_instruments_are_those_of_statsmodels_and_say_when_they_are_weak():
    n = 2000
    z, hidden, x = RNG.standard_normal((3, n))
    t = 0.5 * z + hidden + x + RNG.standard_normal(n)
    y = 2.0 * t - 3.0 * hidden + x + RNG.standard_normal(n)
    columns = [jnp.asarray(v) for v in (y, t, z[:, None], x[:, None])]
    found = estimate.two_stage_least_squares(*columns)
    exog, instruments = sm.add_constant(np.column_stack([x, t])), sm.add_constant(np.column_stack([x, z]))
    np.testing.assert_allclose(found.value, IV2SLS(y, exog, instruments).fit().params[-1], rtol=1e-8)
    low, high = estimate.interval(found)
    assert low < 2 < high
    first = sm.OLS(t, instruments).fit(cov_type="HC1")
    np.testing.assert_allclose(found.facts["first_stage_f"], first.tvalues[-1] ** 2, rtol=1e-7)
    noise = estimate.two_stage_least_squares(*columns[:2], jnp.asarray(RNG.standard_normal((n, 1))), columns[3])
    assert noise.facts["weak"]
    assert not found.facts["weak"]


def test_a_local_effect_is_that_of_those_whom_the_instrument_moves():
    n = 40_000
    z, kind = RNG.binomial(1, 0.5, n), RNG.choice(3, n, p=[0.3, 0.3, 0.4])  # never, always, compliers
    t = np.where(kind == 2, z, kind == 1)
    y = t * np.array([0.0, 1.0, 3.0])[kind] + RNG.standard_normal(n)
    found = estimate.wald(jnp.asarray(y), jnp.asarray(t, float), jnp.asarray(z, float))
    low, high = estimate.interval(found)
    assert low < 3 < high
    assert high < 3.3


def test_a_front_door_gives_what_hidden_causes_hide():
    n = 20_000
    hidden = RNG.standard_normal(n)
    t = hidden + RNG.standard_normal(n)
    m = 0.8 * t + RNG.standard_normal(n)
    y = 0.5 * m + 2 * hidden + RNG.standard_normal(n)
    columns = [jnp.asarray(v) for v in (y, t, m[:, None], np.zeros((n, 0)))]
    low, high = estimate.interval(estimate.frontdoor_effect(*columns))
    assert low < 0.4 < high < 0.5
    assert estimate.regression_effect(columns[0], columns[1][:, None], columns[3]).value > 1


def test_several_arms_are_compared_with_the_first():
    n = 3000
    x = RNG.standard_normal((n, 2))
    arm = np.argmax(x[:, :1] * [0, 0.5, -0.5] + RNG.gumbel(size=(n, 3)), axis=1)
    y = x @ [1.0, 1.0] + np.array([0.0, 1.0, -2.0])[arm] + RNG.standard_normal(n)
    found = estimate.aipw(jnp.asarray(y), jnp.asarray(arm), jnp.asarray(x), arms=3)
    low, high = estimate.interval(found)
    assert (low < jnp.array([1.0, -2.0])).all()
    assert (high > jnp.array([1.0, -2.0])).all()


def test_separated_arms_and_clipped_rows_are_told(table):
    x, _, y = table
    apart = (x[:, 0] > 0).astype(int)
    assert not estimate.ipw(y, apart, x).facts["converged"]
    assert estimate.aipw(y, apart, x).facts["clipped"] > 100


def test_columns_that_say_the_same_twice_change_nothing(table):
    x, arm, y = table
    once, twice = (estimate.aipw(y, arm, columns).value for columns in (x, jnp.concatenate([x, x[:, :1]], axis=1)))
    np.testing.assert_allclose(once, twice, rtol=1e-5)


def test_folds_and_resamples_hold_every_arm():
    arm = jnp.asarray(np.repeat([0, 1, 2], [50, 7, 5]))
    folds = estimate.folds_by_arm(jax.random.key(0), arm, 5)
    assert all(len(set(np.asarray(arm)[np.asarray(folds) == fold].tolist())) == 3 for fold in range(5))
    drawn = estimate.bootstrap_weights(jax.random.key(1), arm, 20)
    sizes = np.stack([np.asarray(drawn)[:, np.asarray(arm) == k].sum(axis=1) for k in range(3)])
    np.testing.assert_array_equal(sizes, np.array([[50], [7], [5]]) * np.ones((1, 20)))
    assert len(np.unique(np.asarray(drawn), axis=0)) == 20


class Mean:
    def fit(self, x, y):
        self.value = y.mean()
        return self

    def predict(self, x):
        return np.full(len(x), self.value)


def test_nuisances_may_be_anybodys(table):
    x, arm, y = (np.asarray(part) for part in table)
    folds = np.asarray(estimate.folds_by_arm(jax.random.key(0), table[1], 5))
    found = estimate.fitted_nuisances(Mean(), Mean(), y, arm, x, folds)
    assert isinstance(found, Nuisances)
    raw, robust = (
        estimate.difference_in_means(table[2], table[1]),
        estimate.aipw(table[2], table[1], table[0], nuisances=found),
    )
    np.testing.assert_allclose(raw.value, robust.value, rtol=0.05)
    with pytest.raises(ValueError, match="folds_by_arm"):
        estimate.fitted_nuisances(Mean(), Mean(), y, arm, x, arm)


def test_modifiers_tell_where_the_effect_is_larger():
    x, arm, y = map(jnp.asarray, confounded(np.random.default_rng(5), 4000))
    folds = estimate.folds_by_arm(jax.random.key(0), arm, 5)
    nuisances = estimate.linear_nuisances(y, arm, x, jnp.ones(len(y)), folds=folds)
    fit = estimate.linear_dr_learner(y, arm, x[:, 1:2], nuisances)
    errors = jnp.sqrt(jnp.diagonal(fit.covariance))
    assert (jnp.abs(fit.coefficients - jnp.array([1.5, 0.5])) < 4 * errors).all()
    value, low, high = fit.predict(jnp.array([[0.0], [2.0]]))
    assert (low < value).all()
    assert low[1] > value[0]
    assert (high > value).all()


def test_a_dose_curve_is_a_regression_on_a_spline_and_finds_a_parabola():
    rng = np.random.default_rng(5)
    x = rng.standard_normal((400, 2))
    dose = 3 + x[:, 0] + rng.standard_normal(400)
    y = 0.4 * (dose - 3) ** 2 + x @ [1.0, 2.0] + 0.01 * rng.standard_normal(400)
    at, data = jnp.array([2.0, 4.5]), (jnp.asarray(y), jnp.asarray(dose), jnp.asarray(x))
    curve = estimate.dose_curve(*data, at, 3.0, penalty=0.0)
    np.testing.assert_allclose(curve.effect.value, [0.4, 0.9], atol=0.01)

    k = np.quantile(dose, [0.1, 0.3, 0.5, 0.7, 0.9])
    columns = np.column_stack([dose**p for p in range(4)] + [np.maximum(dose - place, 0) ** 3 for place in k] + [x])
    fit = sm.OLS(y, columns).fit(cov_type="HC0")
    moved = np.column_stack([at**p - 3.0**p for p in range(4)] + [np.maximum(at - q, 0) ** 3 for q in k] + [0 * at] * 2)
    moved[:, 4:9] -= np.maximum(3 - k, 0) ** 3
    told = fit.t_test(moved)
    np.testing.assert_allclose(curve.effect.value, told.effect, atol=1e-8)
    error = estimate.standard_error(curve.effect) * np.sqrt(399 / 400)
    np.testing.assert_allclose(error, told.sd, rtol=1e-6)
