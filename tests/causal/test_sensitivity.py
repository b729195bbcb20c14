import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import t as student

from symjax.causal import refute

RNG = np.random.default_rng(0)


def table(n=2000, hidden=0.8):
    x, cause = RNG.normal(size=(n, 3)), RNG.normal(size=n)
    treatment = x @ [0.8, 0.3, 0.0] + hidden * cause + RNG.normal(size=n)
    return treatment + x @ [1.0, 0.2, 0.5] + hidden * cause + RNG.normal(size=n), treatment, x, cause


def test_e_values_of_the_paper():
    found = refute.e_value(3.9, 1.8, 8.7)
    np.testing.assert_allclose(found[:2], [7.26, 3.0], atol=5e-3)
    np.testing.assert_allclose(refute.e_value(1 / 3.9, 1 / 8.7, 1 / 1.8)[:2], found[:2])
    assert refute.e_value(1.2, 0.9, 1.6).limit == 1
    assert "none is needed" in refute.e_value(1.2, 0.9, 1.6).verdict
    difference = refute.e_value_of_difference(-0.5, 0.1, 1.0)
    low = math.exp(0.91 * 0.5 - 0.178)
    np.testing.assert_allclose(difference.limit, low + math.sqrt(low * (low - 1)))
    with pytest.raises(ValueError, match=r"inside its interval, got 2\.0 in \[3"):
        refute.e_value(2.0, 3.0, 4.0)


def test_numbers_published_for_darfur():
    """Cinelli and Hazlett (2020): from the printed coefficient, error and bounds of `female`."""
    estimate, error, freedom = 0.09732, 0.02326, 783
    t = estimate / error
    np.testing.assert_allclose(t**2 / (t**2 + freedom), 0.02187, atol=2e-5)
    np.testing.assert_allclose(refute.robustness_value(t, freedom), 0.13878, atol=5e-5)
    np.testing.assert_allclose(refute.robustness_value(t, freedom, 0.95), 0.07626, atol=5e-5)
    left, uncertain = refute.adjusted(estimate, error, freedom, 0.00916, 0.12464)
    np.testing.assert_allclose([left, uncertain, left / uncertain], [0.0752, 0.0219, 3.44], atol=5e-3)


def test_robustness_is_where_the_adjusted_estimate_or_its_t_ends():
    for t, freedom in ((2.5, 40), (8.0, 500)):
        value = refute.robustness_value(t, freedom)
        np.testing.assert_allclose(refute.adjusted(t, 1.0, freedom, value, value)[0], 0, atol=1e-9)
        limit = refute.robustness_value(t, freedom, 0.95)
        left, uncertain = refute.adjusted(t, 1.0, freedom, limit, limit)
        np.testing.assert_allclose(left / uncertain, student.ppf(0.975, freedom - 1), rtol=5e-3)
    assert refute.robustness_value(1.0, 40, 0.95) == 0


@pytest.mark.parametrize("weighted", [False, True])
def test_the_formulas_give_what_the_regression_with_the_hidden_cause_gives(weighted):
    y, t, x, cause = table(400)
    w = RNG.uniform(0.5, 2, 400) if weighted else None
    given = {"a": x[:, 0], "bc": x[:, 1:]}
    found = refute.linear_sensitivity(y, t, given, weights=w)
    known = sm.add_constant(x)
    heavy = np.ones(400) if w is None else w
    short = sm.WLS(y, np.column_stack([known, t]), weights=heavy).fit()
    np.testing.assert_allclose(
        found[:4], [short.params[-1], short.bse[-1], short.tvalues[-1], short.df_resid], rtol=1e-9
    )
    long = sm.WLS(y, np.column_stack([known, cause, t]), weights=heavy).fit()
    gone = (sm.WLS(t, k, weights=heavy).fit().ssr for k in (np.column_stack([known, cause]), known))
    a, b = 1 - np.divide(*gone), 1 - long.ssr / short.ssr
    estimate, ratio = found.adjusted(a, b)
    np.testing.assert_allclose([estimate, ratio], [long.params[-1], long.tvalues[-1]], rtol=1e-9)


def test_benchmarks_are_partial_r2_of_covariates_and_bound_one_like_them():
    y, t, x, _ = table(hidden=0.0)
    found = refute.linear_sensitivity(y, t, dict(zip("abc", x.T, strict=True)), times=(1,))
    rest = sm.add_constant(x[:, 1:])
    gone = [sm.OLS(t, k).fit().ssr for k in (np.column_stack([rest, x[:, 0]]), rest)]
    first = found.benchmarks[0]
    np.testing.assert_allclose(first.treatment, (gone[1] - gone[0]) / gone[0], rtol=1e-9)
    assert [b.name for b in found.benchmarks] == ["a", "b", "c"]
    assert first.outcome > 0.4 > found.benchmarks[1].outcome
    np.testing.assert_allclose(found.adjusted(first.treatment, first.outcome)[0], first.estimate)
    assert "one as strong as a would" in found.verdict or "none as strong as one of a, b, c would" in found.verdict
    assert "times as strong as" in refute.linear_sensitivity(y, t, {"a": x[:, 1]}).verdict
    impossible = refute.linear_sensitivity(y, t, {"a": x[:, 0]}, times=(50,))
    assert impossible.benchmarks == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda y, t, x: (y, x[:, 0], {"a": x[:, 0]}), "a treatment of its own"),
        (lambda y, t, x: (y[:4], t[:4], {"abc": x[:4]}), "more rows than columns"),
    ],
)
def test_what_has_no_sensitivity(change, words):
    with pytest.raises(ValueError, match=words):
        refute.linear_sensitivity(*change(*table(50)[:3]))
    y, t, x, _ = table(50)
    with pytest.raises(ValueError, match="benchmark among the covariates a, got 'b'"):
        refute.linear_sensitivity(y, t, {"a": x[:, 0]}, benchmarks=["b"])


def test_debiased_and_linear_sensitivity_agree_where_both_hold():
    y, t, x, _ = table()
    q, _ = np.linalg.qr(sm.add_constant(x))
    u, v = (r - q @ (q.T @ r) for r in (y, t))
    debiased = refute.partially_linear_sensitivity(u, v)
    linear = refute.linear_sensitivity(y, t, {"x": x})
    np.testing.assert_allclose(debiased.estimate, linear.estimate)
    np.testing.assert_allclose([debiased.error, debiased.robustness], [linear.error, linear.robustness], rtol=0.05)
    low = debiased.bounds(0.1, 0.05).low
    np.testing.assert_allclose(low, linear.adjusted(0.05, 0.1)[0], rtol=1e-2)
    at = debiased.bounds(debiased.robustness, debiased.robustness)
    np.testing.assert_allclose([at.low, debiased.bounds(*[debiased.robustness_limit] * 2).low_limit], 0, atol=1e-7)
    assert debiased.robustness_limit < debiased.robustness


def discrete(n):
    """A binary hidden cause of treatment and outcome, with all that is needed in closed form."""
    x, cause = (RNG.random(n) < 0.5) * 1.0, (RNG.random(n) < 0.5) * 1.0
    long = 0.2 + 0.3 * x + 0.3 * cause
    treatment = (RNG.random(n) < long) * 1.0
    return x, cause, long, treatment, 1.0 * treatment + x + 1.5 * cause + RNG.normal(size=n)


def test_bounds_of_an_average_effect_hold_with_the_strength_of_the_true_hidden_cause():
    x, cause, long, d, y = discrete(40_000)
    e, g = np.zeros(len(x)), np.zeros((len(x), 2))
    for value in (0.0, 1.0):
        own = x == value
        e[own] = d[own].mean()
        for arm in (0, 1):
            g[own, arm] = y[own & (d == arm)].mean()
    found = refute.average_sensitivity(y, d, g, e)
    complete = 1.0 * np.stack([0 * x, 0 * x + 1], 1) + (x + 1.5 * cause)[:, None]
    full = refute.average_sensitivity(y, d, complete, long)
    left = [y - np.where(d == 1, m[:, 1], m[:, 0]) for m in (g, complete)]
    strengths = refute.gained_strength(*left, found.representer_variance, full.representer_variance)
    bounds = found.bounds(*strengths)
    assert bounds.low_limit < bounds.low < 1 < found.estimate < bounds.high < bounds.high_limit
    assert abs(full.estimate - 1) < 4 * full.error
    assert abs(found.estimate - 1) > 0.2
    factor = strengths[0] * strengths[1] / (1 - strengths[1])
    widest = 2 * np.sqrt(found.outcome_variance * found.representer_variance * factor)
    np.testing.assert_allclose(bounds.high - bounds.low, widest)
    with pytest.raises(ValueError, match=r"shares of variance, got 0\.1 and 1\.0"):
        found.bounds(0.1, 1.0)


def test_the_interval_of_a_bound_covers():
    def once(n=400):
        x, _, _, d, y = discrete(n)
        u, v = (r - np.where(x == 1, r[x == 1].mean(), r[x == 0].mean()) for r in (y, d))
        found = refute.partially_linear_sensitivity(u, v)
        return found.bounds(0.1, 0.1)

    truth = once(400_000).low
    covered = np.mean([once().low_limit <= truth for _ in range(200)])
    assert 0.91 < covered < 0.99


def test_overlap_counts_rows_and_weighting_balances():
    x, _, _, _, _ = discrete(4000)
    noise = RNG.normal(size=4000)
    e = 1 / (1 + np.exp(-(x - 0.5 + 0.5 * noise)))
    d = (RNG.random(4000) < e) * 1.0
    found = refute.measure_overlap(d, e, np.stack([x, noise], 1), names=["x", "noise"])
    assert found.passed and abs(found.after).max() < 0.1 < abs(found.before).min()  # noqa: PT018
    treated, control = (x[d == k] for k in (1, 0))
    scale = math.sqrt((treated.var() + control.var()) / 2)
    np.testing.assert_allclose(found.before[0, 0], (treated.mean() - control.mean()) / scale)
    w = 1 / e[d == 1]
    np.testing.assert_allclose(found.arms[1].effective, w.sum() ** 2 / (w**2).sum())
    assert [arm.rows for arm in found.arms] == [int((d == 0).sum()), int((d == 1).sum())]
    for population in ("att", "overlap"):
        assert abs(refute.measure_overlap(d, e, np.stack([x, noise], 1), population=population).after).max() < 0.1


def test_no_overlap_is_said_with_its_rows():
    x = np.linspace(-3, 3, 600)
    d = np.where(abs(x) < 0.2, RNG.integers(0, 2, 600), x > 0)
    e = 1 / (1 + np.exp(-8 * x))
    found = refute.measure_overlap(d, e, x[:, None])
    assert not found.passed
    assert found.outside > 500 and found.clipped == (np.minimum(e, 1 - e) < 0.01).sum()  # noqa: PT018
    assert "ask for the overlap population" in found.verdict and f"{found.outside} of 600 rows" in found.verdict  # noqa: PT018
    trimmed = refute.measure_overlap(d, e, x[:, None], trim=True)
    assert (trimmed.clipped, trimmed.trimmed) == (0, found.clipped)
    assert refute.measure_overlap(d, 0.0 + (x > 0), x[:, None], population="overlap").trimmed > 500


def test_overlap_of_three_arms_and_what_has_none():
    x = RNG.normal(size=900)
    e = np.exp(np.stack([0 * x, x, -x], 1))
    e /= e.sum(axis=1, keepdims=True)
    d = np.array([RNG.choice(3, p=row) for row in e])
    found = refute.measure_overlap(d, e, x[:, None], population="overlap")
    assert found.before.shape == (2, 1)
    assert abs(found.after).max() < 0.15 < abs(found.before).min()
    for arguments, words in (
        ((np.ones(9), np.full(9, 0.5), x[:9, None]), "1 arms"),
        ((np.arange(30), np.full(30, 0.5), x[:30, None]), "bin a treatment"),
        ((d, 2 * e, x[:, None]), "between 0 and 1"),
    ):
        with pytest.raises(ValueError, match=words):
            refute.measure_overlap(*arguments)
    with pytest.raises(ValueError, match="population of ate, att, overlap, got 'atc'"):
        refute.measure_overlap(d, e, x[:, None], population="atc")
