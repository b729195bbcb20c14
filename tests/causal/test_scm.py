"""Structural models: exact cases, interventions and counterfactuals, the laws they obey and what breaks them."""

import json
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.causal.graphs import ADMG
from symjax.causal.scm import (
    SCM,
    Additive,
    Categorical,
    FiniteModel,
    Flow,
    Functions,
    Linear,
    LocationScale,
    abduct,
    causation,
    causation_bounds,
    check_residuals,
    counterfactual,
    descendants,
    fit_linear,
    predict,
    sample,
)
from symjax.laws import Causality, Identity, check
from tests.causal.counterfactual_cases import check_case

GRAPH = ADMG.of([("Z", "T"), ("Z", "Y"), ("T", "M"), ("M", "Y")], nodes=["Y", "M", "T", "Z"])
KEY = jax.random.key(0)


def linear():
    weights = np.zeros((4, 4))
    for cause, name, w in (("Z", "T", 0.5), ("Z", "Y", 1.0), ("T", "M", -1.0), ("M", "Y", 2.0)):
        weights[GRAPH.nodes.index(name), GRAPH.nodes.index(cause)] = w
    return SCM.of(GRAPH, Linear(jnp.asarray(weights), jnp.arange(4.0), jnp.array([1.0, 0.5, 2.0, 1.0])))


MODELS = {
    "linear": linear,
    "additive": lambda: SCM.of(GRAPH, Additive.init(KEY, 4, 5)),
    "location-scale": lambda: SCM.of(GRAPH, LocationScale.init(KEY, 4, 5)),
    "flow": lambda: SCM.of(GRAPH, Flow.init(KEY, 4, 5, bins=4)),
}


def test_all_exact_cases_hold(shared):
    cases = json.loads((shared / "causal" / "counterfactual.json").read_text())["cases"]
    verdicts = {case["name"]: check_case(case) for case in cases}
    assert {name: found for name, found in verdicts.items() if not found[0]} == {}


def test_bins_of_a_spline_never_close():
    """However far its network goes: in float32 the softmax of its bins rounds to nought and one."""
    draw = lambda leaf: 30 * jax.random.normal(KEY, leaf.shape, "float32")  # noqa: E731
    model = SCM.of(ADMG.of([], nodes=["Z"]), jax.tree.map(draw, Flow.init(KEY, 1, 5, bins=4)))
    values = model.mechanisms.predict(
        0, jnp.zeros(1, bool), jnp.zeros((9, 1), "float32"), jnp.linspace(-3, 3, 9, dtype="float32")
    )
    assert jnp.isfinite(values).all()
    assert jnp.isfinite(abduct(model, values[:, None])).all()


def test_queries_of_nested_worlds_compliers_and_means_are_read_and_others_named():
    nested = {"do": {"X": 1, "M": {"do": {"X": 0}}}, "event": {"Y": 1}}
    compliers = [{"do": {"X": x}, "event": {"M": x}} for x in (0, 1)]
    case = {
        "kind": "discrete",
        "exogenous": {"U": {"0": "1/2", "1": "1/2"}, "W": {"0": "2/3", "1": "1/3"}},
        "mechanisms": {"X": "U", "M": "X and not W", "Y": "M or (X and W)"},
        "order": ["X", "M", "Y"],
        "queries": [
            {"type": "cf", "evidence": {}, "targets": [nested], "answer": "1/3"},
            {"type": "mean", "outcome": "Y", "do": {"X": 1}, "given": compliers, "answer": "1"},
            {"type": "mean", "outcome": "M", "do": {"X": 1}, "evidence": {"X": 0}, "answer": "2/3"},
        ],
    }
    assert check_case(case) == (True, 0.0, "1/3, 1, 2/3")
    with pytest.raises(ValueError, match="cannot read a query of type 'quantile'; expected cf or mean"):
        check_case(case | {"queries": [{"type": "quantile"}]})


@pytest.mark.parametrize("name", MODELS)
def test_laws(name):
    model = MODELS[name]()
    model = jax.tree.map(lambda leaf: leaf + 0.3 * jax.random.normal(KEY, leaf.shape, leaf.dtype), model)
    factual = sample(model, KEY, 6)
    nothing = model.do()
    assert check(lambda x: predict(model, abduct(model, x)), factual, laws=[Identity()], key=KEY, atol=1e-10)
    assert np.array_equal(counterfactual(model, factual, nothing), factual)
    sees = np.stack([descendants(model, [v]) for v in model.names], axis=1)

    def moved(values):
        def one(k):
            done = nothing.__class__(jnp.arange(4) == k, values, nothing.shift)
            return counterfactual(model, factual, done)

        return jax.vmap(one)(jnp.arange(4)).sum(axis=0).T

    assert check(moved, jnp.array([0.3, -1.0, 2.0, 0.7]), laws=[Causality(sees)], key=KEY)


def test_a_mechanism_that_reads_what_is_no_cause_or_whose_inverse_is_wrong_is_caught():
    forward = (lambda x, n: x[:, 1] + n, lambda x, n: n)
    wrong = Functions(forward, (lambda x, v: v + x[:, 1], lambda x, v: v))
    model = SCM.of(ADMG.of([("X", "Y")], nodes=["Y", "X"]), wrong)
    report = check(lambda x: predict(model, abduct(model, x)), jnp.ones((5, 2)), laws=[Identity()], key=KEY)
    assert not report


def test_interventions_by_value_shift_and_policy_are_those_of_the_linear_algebra():
    model = linear()
    done = model.do({"T": 2.0}, shift={"M": 1.0}, policy={"Y": lambda x: x[:, 1] ** 2})
    x = sample(model, KEY, 50, done)
    assert (x[:, 2] == 2).all()
    np.testing.assert_allclose(x[:, 0], x[:, 1] ** 2)
    free = sample(model, KEY, 50, model.do({"T": 2.0}))
    np.testing.assert_allclose(x[:, 1] - free[:, 1], jnp.ones(50))
    slope = jax.grad(lambda t: sample(model, KEY, 50, model.do({"T": t}))[:, 0].mean())(0.7)
    np.testing.assert_allclose(slope, -2.0, rtol=1e-10)  # T -> M -> Y


def test_a_hundred_interventions_are_one_program():
    model, factual = linear(), sample(linear(), KEY, 20)
    count = 0

    @jax.jit
    def all_of(values):
        nonlocal count
        count += 1
        return jax.vmap(lambda v: counterfactual(model, factual, model.do({"T": v})))(values)

    first = all_of(jnp.linspace(-1, 1, 100))
    all_of(jnp.linspace(3, 4, 100))
    assert count == 1
    assert first.shape == (100, 20, 4)
    np.testing.assert_allclose(first[5, :, 0] - factual[:, 0], -2 * (first[5, :, 2] - factual[:, 2]), rtol=1e-9)


@pytest.mark.parametrize("coupling", ["gumbel", "monotone"])
def test_couplings_keep_the_facts_and_the_probabilities(coupling):
    graph = ADMG.of([("X", "Y")], nodes=["X", "Y"])
    weights = np.zeros((2, 2, 3, 3))
    weights[1, 0] = np.random.default_rng(0).standard_normal((3, 3))
    model = SCM.of(graph, Categorical(jnp.asarray(weights), jnp.array([[0.0, 0.5, -0.5], [0.2, 0.0, 0.3]]), coupling))
    factual = sample(model, KEY, 4000)
    again = predict(model, abduct(model, factual, KEY))
    assert np.array_equal(again, factual)
    moved = counterfactual(model, factual, model.do({"X": 2.0}), KEY)[:, 1]
    fresh = sample(model, jax.random.key(5), 4000, model.do({"X": 2.0}))[:, 1]
    shares = [np.bincount(np.asarray(v, int), minlength=3) / 4000 for v in (moved, fresh)]
    np.testing.assert_allclose(*shares, atol=0.04)
    with pytest.raises(ValueError, match=f"{coupling} coupling; give a key"):
        counterfactual(model, factual, model.do({"X": 2.0}))


def test_what_cannot_be_inverted_says_so():
    model = SCM.of(ADMG.of([], nodes=["X"]), Functions((lambda x, n: n**2,)))
    with pytest.raises(ValueError, match="cannot be inverted; give their inverse"):
        counterfactual(model, jnp.ones((3, 1)), model.do({"X": 0.0}))
    with pytest.raises(ValueError, match="'W' is no variable of the model; choose among X"):
        model.do({"W": 1.0})
    with pytest.raises(ValueError, match="got X <-> Y; make the cause a variable"):
        SCM.of(ADMG.of([], [("X", "Y")]), None)


def test_necessity_and_sufficiency_are_inside_their_bounds():
    half = {0: Fraction(1, 2), 1: Fraction(1, 2)}
    model = FiniteModel(
        {"UX": half, "U1": {0: Fraction(3, 4), 1: Fraction(1, 4)}, "U2": {0: Fraction(4, 5), 1: Fraction(1, 5)}},
        {"X": lambda v: v["UX"], "Y": lambda v: int((v["X"] and not v["U1"]) or v["U2"])},
    )
    found = causation(model, "X", "Y")
    assert (found["PN"], found["PS"], found["PNS"], found["ETT"]) == tuple(map(Fraction, ("3/4", "3/4", "3/5", "3/5")))
    joint = np.array([[float(model.probability([({}, {"X": x, "Y": y})])) for y in (0, 1)] for x in (0, 1)])
    under = tuple(float(model.mean("Y", {"X": x})) for x in (0, 1))
    for name, (low, high) in causation_bounds(joint, under).items():
        assert low - 1e-12 <= found[name] <= high + 1e-12
    direct = model.probability([({"X": 1}, {"Y": 1})])
    nested = model.probability([({"X": model.nested("X", {"X": 1})}, {"Y": 1})])
    assert direct == nested
    with pytest.raises(ValueError, match="no world"):
        model.probability([({}, {"Y": 1})], {"X": 3})


def test_least_squares_finds_the_model_and_bootstraps_are_a_map():
    model, truth = linear(), linear().mechanisms
    data = sample(model, KEY, 20_000)
    found = fit_linear(GRAPH, data).mechanisms
    np.testing.assert_allclose(found.weights, truth.weights, atol=0.05)
    np.testing.assert_allclose(found.scale, truth.scale, rtol=0.05)
    weights = jnp.asarray(np.random.default_rng(0).multinomial(500, np.full(500, 1 / 500), size=8).astype(float))
    many = jax.vmap(lambda w: fit_linear(GRAPH, data[:500], w).mechanisms.weights)(weights)
    assert many.shape == (8, 4, 4)
    assert float(many[:, 1, 2].std()) > 0


def test_an_additive_model_of_multiplicative_noise_is_caught():
    graph = ADMG.of([("X", "Y")], nodes=["X", "Y"])
    rng = np.random.default_rng(0)
    x, n = rng.standard_normal((2, 1000))
    right, wrong = (jnp.asarray(np.stack([x, y], axis=1)) for y in (2 * x + n, 2 * x + np.exp(0.7 * x) * n))
    assert check_residuals(fit_linear(graph, right), right, KEY)[0].p > 0.05
    (found,) = check_residuals(fit_linear(graph, wrong), wrong, KEY)
    assert found.p < 0.05
    assert "another mechanism is needed" in found.verdict
