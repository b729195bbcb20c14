import jax
import jax.numpy as jnp
import numpy as np
import pytest
import statsmodels.api as sm

from symjax.causal import refute
from symjax.causal.estimate import Effect, aipw, partially_linear

KEY = jax.random.key(3)
REFUTERS = [refute.placebo, refute.dummy_outcome, refute.random_common_cause, refute.subset, refute.bootstrap]


def sample(n=300, p=3, seed=0, effect=1.5, binary=True):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p))
    logits = x[:, 0] + 0.3
    treatment = (rng.random(n) < 1 / (1 + np.exp(-logits))) * 1.0 if binary else logits + rng.normal(size=n)
    return refute.Sample(effect * treatment + x @ np.arange(1.0, p + 1) + rng.normal(size=n), treatment, x)


def least_squares(outcome, treatment, covariates, weights, key):
    columns = jnp.concatenate([jnp.ones((len(outcome), 1)), covariates, treatment[:, None]], axis=1)
    heavy = columns * weights[:, None]
    return jnp.linalg.solve(heavy.T @ columns, heavy.T @ outcome)[-1]


def weighting(outcome, treatment, covariates, weights, key):
    """Weights by propensities, which are fitted inside: five steps of Newton."""
    columns = jnp.concatenate([jnp.ones((len(outcome), 1)), covariates], axis=1)

    def step(_, w):
        p = jax.nn.sigmoid(columns @ w)
        hessian = (columns * (weights * p * (1 - p) + 1e-6)[:, None]).T @ columns
        return w + jnp.linalg.solve(hessian, columns.T @ (weights * (treatment - p)))

    p = jax.nn.sigmoid(columns @ jax.lax.fori_loop(0, 5, step, jnp.zeros(columns.shape[1])))
    one, none = weights * treatment / p, weights * (1 - treatment) / (1 - p)
    return Effect((one @ outcome) / one.sum() - (none @ outcome) / none.sum(), jnp.zeros_like(outcome))


@pytest.fixture(scope="module")
def weighted():
    rng = np.random.default_rng(1)
    return sample()._replace(weights=rng.uniform(0.5, 2, 300))


@pytest.mark.parametrize("refuter", [*REFUTERS, refute.hidden_causes])
def test_matrix_products_give_what_fits_one_by_one_give(refuter, weighted):
    fast, slow = (refuter(f, weighted, KEY, draws=6) for f in (refute.regression, least_squares))
    np.testing.assert_allclose(fast.simulated, slow.simulated, rtol=1e-10)
    np.testing.assert_allclose(fast.estimate, slow.estimate, rtol=1e-10)
    assert fast.verdict == slow.verdict and fast.passed  # noqa: PT018


@pytest.mark.parametrize("folds", [None, np.arange(300) % 3], ids=["one fit", "cross-fitted"])
def test_nuisances_fitted_at_once_are_those_fitted_one_by_one(folds, weighted):
    dealt = None if folds is None else jnp.asarray(folds)

    def one_by_one_aipw(outcome, treatment, covariates, weights, key):
        return aipw(outcome, treatment.astype(int), covariates, weights, folds=dealt, count=3)

    def one_by_one_linear(outcome, treatment, covariates, weights, key):
        return partially_linear(outcome, treatment, covariates, weights, folds=dealt, count=3)

    doubly_robust, linear = refute.DoublyRobust(folds), refute.PartiallyLinear(folds)
    for refuter in REFUTERS:
        for pair in ((doubly_robust, one_by_one_aipw), (linear, one_by_one_linear)):
            found, expected = (refuter(estimate, weighted, KEY, draws=3) for estimate in pair)
            np.testing.assert_allclose(found.simulated, expected.simulated, atol=1e-7)
            np.testing.assert_allclose(found.estimate, expected.estimate, atol=1e-7)


def test_clusters_are_drawn_whole():
    rng = np.random.default_rng(0)
    cluster = np.arange(600) // 20
    treatment, shared = cluster % 2, rng.normal(size=30)[cluster]
    data = refute.Sample(
        shared + rng.normal(size=600), treatment, np.zeros((600, 0)), clusters=rng.permutation(30)[cluster]
    )
    columns = sm.add_constant(treatment)
    error = sm.OLS(data.outcome, columns).fit(cov_type="cluster", cov_kwds={"groups": cluster}).bse[1]
    for refuter in (refute.bootstrap, refute.subset):
        assert refuter(refute.regression, data, KEY, draws=100, error=error).passed
        alone = refuter(refute.regression, data._replace(clusters=None), KEY, draws=100, error=error)
        assert not alone.passed  # as if rows were independent


def test_an_estimate_whose_propensities_do_not_exist_tells_nothing():
    data = sample()
    apart = data._replace(treatment=(np.asarray(data.covariates)[:, 0] > 0) * 1)
    result = refute.subset(refute.doubly_robust, apart, KEY, draws=3)
    assert result.passed is None
    assert "nothing to refute" in result.verdict


def test_a_regression_is_that_of_statsmodels_and_says_where_there_is_none(weighted):
    columns = np.column_stack([np.ones(300), weighted.covariates, weighted.treatment])
    fit = sm.WLS(weighted.outcome, columns, weights=weighted.weights).fit()
    np.testing.assert_allclose(refute.regression(*weighted[:4]), fit.params[-1], rtol=1e-10)
    doubled = np.column_stack([weighted.covariates, weighted.covariates[:, :1], np.ones(300)])
    np.testing.assert_allclose(refute.regression(*weighted[:2], doubled, weighted.weights), fit.params[-1], rtol=1e-10)
    determined = weighted._replace(covariates=np.asarray(weighted.treatment)[:, None])
    result = refute.subset(refute.regression, determined, KEY, draws=3)
    assert result.passed is None
    assert "nothing to refute" in result.verdict


@pytest.mark.parametrize("refuter", REFUTERS)
def test_the_key_alone_fixes_the_result(refuter, monkeypatch):
    data = sample()
    first = refuter(refute.regression, data, KEY, draws=20).simulated
    np.testing.assert_array_equal(first, refuter(refute.regression, data, KEY, draws=20).simulated)
    assert abs(first - refuter(refute.regression, data, jax.random.key(4), draws=20).simulated).min() > 0
    monkeypatch.setattr("symjax.causal.refute.evaluate.HOST_CELLS", 3 * 300)
    monkeypatch.setattr("symjax.causal.refute.moments.MOST_SQUARES", 0)
    np.testing.assert_allclose(refuter(refute.regression, data, KEY, draws=20).simulated, first, rtol=1e-12)


@pytest.mark.parametrize("binary", [True, False])
def test_a_placebo_has_variance_and_destroys_the_effect(binary):
    data, seen = sample(binary=binary), []

    class Watching(refute.Regression):
        def prepare(self, sample):
            many = super().prepare(sample)
            return lambda change: (seen.append(change.treatment), many(change))[1]

    result = refute.placebo(Watching(), data, KEY, draws=200, value=1.5)
    treatments = np.concatenate(seen)
    np.testing.assert_allclose(treatments.var(axis=1), np.var(data.treatment))
    np.testing.assert_array_equal(np.sort(treatments), np.broadcast_to(np.sort(data.treatment), treatments.shape))
    assert abs(result.simulated.mean()) < 0.05 < result.simulated.std() < 0.3
    assert result.passed and result.facts["as_large"] == 0  # noqa: PT018
    assert result.came.endswith("over 200 simulations")


def test_propensities_are_fitted_again_under_the_placebo():
    data = sample(n=800)
    honest = refute.placebo(weighting, data, KEY, draws=40)
    assert honest.passed
    columns = np.column_stack([np.ones(800), data.covariates])
    stale = sm.Logit(data.treatment, columns).fit(disp=0).predict(columns)

    def reused(outcome, treatment, covariates, weights, key):
        one, none = treatment / stale, (1 - treatment) / (1 - stale)
        return (one @ outcome) / one.sum() - (none @ outcome) / none.sum()

    np.testing.assert_allclose(honest.estimate, reused(*data[:3], None, None), rtol=1e-3)
    caught = refute.placebo(reused, data, KEY, draws=40)
    assert caught.passed is False
    assert "effects where there are none" in caught.verdict


def test_a_placebo_moves_the_instrument_with_the_treatment():
    rng = np.random.default_rng(0)
    z, hidden, noise = rng.normal(size=(3, 400))
    treatment = z + hidden + 0.3 * noise
    data = refute.Sample(treatment + hidden, treatment, np.zeros((400, 0)), instrument=z)

    def wald(outcome, treatment, covariates, weights, key, instrument):
        centred = instrument - instrument.mean()
        return (centred @ outcome) / (centred @ treatment)

    def first_stage(outcome, treatment, covariates, weights, key, instrument):
        return (instrument - instrument.mean()) @ treatment / len(treatment)

    assert refute.placebo(wald, data, KEY, draws=50).passed
    strengths = refute.placebo(first_stage, data, KEY, draws=10)
    np.testing.assert_allclose(strengths.simulated, strengths.estimate)
    with pytest.raises(ValueError, match="no instrument"):
        refute.placebo(refute.regression, data, KEY)


def test_no_arm_is_missing_from_a_subset_or_a_resample():
    data = sample()
    rare = data._replace(treatment=np.r_[np.ones(2), np.zeros(298)])

    def smallest(outcome, treatment, covariates, weights, key):
        return jnp.minimum(weights @ treatment, weights @ (1 - treatment)) + 1e-3 * jnp.sum(weights * outcome)

    def treated(outcome, treatment, covariates, weights, key):
        return weights @ treatment + 1e-9 * (weights @ outcome)

    assert (refute.subset(smallest, rare, KEY, draws=50, share=0.6).simulated >= 0.5).all()
    np.testing.assert_allclose(refute.bootstrap(treated, rare, KEY, draws=50).simulated, 2, atol=1e-4)


def test_resampling_finds_the_standard_error():
    data = sample(n=600)
    fit = sm.OLS(data.outcome, np.column_stack([np.ones(600), data.covariates, data.treatment])).fit(cov_type="HC0")
    for refuter in (refute.subset, refute.bootstrap):
        result = refuter(refute.regression, data, KEY, draws=400, error=fit.bse[-1])
        np.testing.assert_allclose(result.facts["standard_error"], fit.bse[-1], rtol=0.12)
        assert result.passed
        wrong = refuter(refute.regression, data, KEY, draws=400, error=fit.bse[-1] / 3)
        assert wrong.passed is False
        assert "not to be trusted" in wrong.verdict


def test_hidden_causes_move_a_regression_as_its_formula_says():
    data = sample(n=4000, effect=0.5)
    result = refute.hidden_causes(refute.regression, data, KEY, draws=40)
    columns = np.column_stack([np.ones(4000), data.covariates, data.treatment])
    fit = sm.OLS(data.outcome, columns).fit()
    a, b = result.facts["treatment"][:, None], result.facts["outcome"]
    bias = fit.bse[-1] * np.sqrt(fit.df_resid * a * b / (1 - a))
    np.testing.assert_allclose(result.simulated, fit.params[-1] - bias, atol=0.02)
    weak = refute.hidden_causes(refute.regression, sample(n=4000, effect=0.1), KEY)
    assert result.passed is False or result.simulated.min() > 0
    assert weak.passed is False
    assert "to zero or beyond" in weak.verdict


def test_an_estimate_that_is_a_constant_cannot_be_refuted():
    data = sample()
    for refuter in (*REFUTERS, refute.hidden_causes):
        result = refuter(lambda *_: jnp.asarray(1.5), data, KEY, draws=4)
        assert result.passed is None
        assert "cannot refute: the estimate is 1.5 whatever" in result.verdict
    undefined = refute.placebo(lambda y, t, *_: jnp.where(t[0] > 0.5, jnp.nan, y @ t), data, KEY, draws=20, value=1.0)
    assert undefined.passed is None
    assert "gave no finite estimate" in undefined.verdict


def test_an_estimate_that_rests_on_noise_is_caught():
    def last(outcome, treatment, covariates, weights, key):
        return jnp.mean(outcome) + covariates[0, -1]

    result = refute.random_common_cause(last, sample(), KEY, draws=20)
    assert result.passed is False


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda d: refute.placebo(refute.regression, d._replace(treatment=np.ones(300)), KEY), "treatment that varies"),
        (
            lambda d: refute.dummy_outcome(refute.regression, d._replace(outcome=np.ones(300)), KEY),
            "outcome that varies",
        ),
        (lambda d: refute.subset(refute.regression, d, KEY, share=1.0), "share of the rows between 0 and 1, got 1.0"),
        (lambda d: refute.hidden_causes(refute.regression, d, KEY, outcome=[1.0]), "strengths as shares"),
        (lambda d: refute.placebo(lambda y, *_: y[:2], d, KEY, draws=2), "one number, got shape [2]"),
    ],
)
def test_what_cannot_be_refuted_is_said_in_a_sentence(call, words):
    with pytest.raises(ValueError, match="expected") as caught:
        call(sample())
    assert words in str(caught.value)
