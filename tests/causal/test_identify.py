"""Identification: published cases, and random graphs whose effects are computed by intervention."""

import json
import time

import numpy as np
import pytest
from hypothesis import given, settings, strategies

from symjax.causal.graphs import ADMG
from symjax.causal.identify import (
    Joint,
    P,
    Product,
    Sum,
    explain,
    identify,
    instrument_bounds,
    instruments,
    manski_bounds,
    mediation,
    minimal_adjustment,
    minimal_adjustments,
    minimal_frontdoors,
    optimal_adjustment,
    why_no_adjustment,
)
from tests.causal.identification_cases import check_case, is_hedge
from tests.causal.models import Model, random_admg

NAPKIN = ADMG.of([("W", "Z"), ("Z", "X"), ("X", "Y")], [("W", "X"), ("W", "Y")])
SEEDS = strategies.integers(0, 2**32 - 1)


def test_all_published_cases_hold(shared):
    cases = json.loads((shared / "causal" / "identification.json").read_text())["cases"]
    start = time.process_time()
    verdicts = {case["id"]: check_case(case) for case in cases}
    assert {name: words for name, (right, _, words) in verdicts.items() if not right} == {}
    assert time.process_time() - start < 30


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_effects_match_interventions_and_refusals_have_hedges(seed):
    rng = np.random.default_rng(seed)
    graph = random_admg(rng, rng.integers(2, 6))
    names = [frozenset(part.tolist()) for part in np.split(rng.permutation(graph.nodes), [1, 2, 2 + rng.integers(2)])]
    x, y, z = names[:3]
    found = identify(graph, x, y, z)
    if found.hedge is not None:
        assert is_hedge(graph, x, y | z, found) or z
        return
    model = Model(graph, rng)
    value, effect = found.estimand.evaluate(model.joint()), model.effect(x, y, z)
    axes = tuple(dict.fromkeys([*effect.axes, *value.axes]))
    np.testing.assert_allclose(*np.broadcast_arrays(value.along(axes), effect.along(axes)), rtol=0, atol=1e-10)


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_adjustment_sets_give_the_effect_and_none_can_spare_a_member(seed):
    rng = np.random.default_rng(seed)
    graph = random_admg(rng, rng.integers(3, 7))
    x, y = sorted(graph.nodes)[:2]
    model = Model(graph, rng)
    joint, effect = model.joint(), model.effect(frozenset([x]), frozenset([y]))
    sets = list(minimal_adjustments(graph, x, y))
    assert len(set(sets)) == len(sets)
    assert (minimal_adjustment(graph, x, y) in sets) if sets else (minimal_adjustment(graph, x, y) is None)
    for chosen in sets:
        assert why_no_adjustment(graph, x, y, chosen) is None
        assert all(why_no_adjustment(graph, x, y, chosen - {name}) for name in chosen)
        conditional = P(frozenset([y]), chosen | {x}).evaluate(joint)
        axes = (*effect.axes, *sorted(chosen))
        adjusted = (conditional.along(axes) * joint.marginal(chosen).along(axes)).sum(axis=tuple(range(2, len(axes))))
        np.testing.assert_allclose(adjusted, effect.values, rtol=0, atol=1e-10)
    if (best := optimal_adjustment(graph, x, y)) is not None:
        assert why_no_adjustment(graph, x, y, best) is None


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_all_adjustment_sets_are_found(seed):
    """Against every subset of small graphs."""
    rng = np.random.default_rng(seed)
    graph = random_admg(rng, 5)
    x, y, *others = sorted(graph.nodes)
    subsets = [frozenset(o for k, o in enumerate(others) if bits >> k & 1) for bits in range(2 ** len(others))]
    valid = {chosen for chosen in subsets if why_no_adjustment(graph, x, y, chosen) is None}
    assert set(minimal_adjustments(graph, x, y)) == {s for s in valid if not any(other < s for other in valid)}


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_frontdoor_sets_give_the_effect(seed):
    rng = np.random.default_rng(seed)
    graph = random_admg(rng, 5)
    x, y = sorted(graph.nodes)[:2]
    model = Model(graph, rng)
    joint, effect = model.joint(), model.effect(frozenset([x]), frozenset([y]))
    for chosen in minimal_frontdoors(graph, x, y):
        second = Sum(frozenset([x]), _times(P(frozenset([y]), chosen | {x}), P(frozenset([x])))).evaluate(joint)
        axes = (*effect.axes, *sorted(chosen))
        first = P(chosen, frozenset([x])).evaluate(joint).along(axes)
        np.testing.assert_allclose(
            (first * second.along(axes)).sum(axis=tuple(range(2, len(axes)))), effect.values, rtol=0, atol=1e-10
        )


def _times(*factors):
    return Product(factors)


def test_the_napkin_prints_and_evaluates():
    found = identify(NAPKIN, "X", "Y")
    assert str(found.estimand) == "[sum over W of P(W) P(X | W, Z) P(Y | W, X, Z)] / [sum over W of P(W) P(X | W, Z)]"
    assert found.estimand.latex().startswith(r"\frac{\sum_{W} P(W) \, P(X \mid W, Z)")


def test_a_summed_namesake_has_a_prime():
    front = identify(ADMG.of([("X", "M"), ("M", "Y")], [("X", "Y")]), "X", "Y")
    assert str(front.estimand) == "sum over M of P(M | X) [sum over X' of P(X') P(Y | M, X')]"


def test_two_hundred_nodes_are_no_matter():
    rng = np.random.default_rng(0)
    names = [f"N{k}" for k in range(200)]
    edges = [(names[j], names[i]) for i in range(1, 200) for j in rng.choice(i, min(i, 2), replace=False)]
    graph = ADMG.of(edges, [(names[k], names[k + 50]) for k in range(0, 150, 10)], names)
    start = time.process_time()
    chosen = minimal_adjustment(graph, "N60", "N199")
    assert why_no_adjustment(graph, "N60", "N199", chosen) is None
    assert time.process_time() - start < 20


def test_reasons_name_the_path():
    butterfly = ADMG.of([("A", "M"), ("B", "M"), ("A", "X"), ("B", "Y"), ("M", "X"), ("M", "Y"), ("X", "Y")])
    assert "X <- A -> M <- B -> Y" in why_no_adjustment(butterfly, "X", "Y", ["M"])
    assert "adjusting for M opened it" in why_no_adjustment(butterfly, "X", "Y", ["M"])
    chain = ADMG.of([("X", "M"), ("M", "Y"), ("M", "D")])
    assert "on a causal path" in why_no_adjustment(chain, "X", "Y", ["M"])
    assert "an effect of M" in why_no_adjustment(chain, "X", "Y", ["D"])


def test_hidden_nodes_are_no_instruments():
    graph = ADMG.of([("U", "X"), ("U2", "X"), ("U2", "Y"), ("X", "Y")])
    assert not list(instruments(graph.project(["U", "U2"]), "X", "Y"))
    assert explain(graph, "X", "Y", hidden=["U", "U2"]).instruments == ()


def test_a_refusal_says_what_would_mend_it():
    graph = ADMG.of([("U", "X"), ("U", "Y"), ("X", "Y")])
    told = explain(graph, "X", "Y", hidden=["U"])
    assert not told.is_identified
    assert "Measuring U would identify it." in told.sentences
    assert explain(graph, "Y", "X").sentences[0].startswith("No path of arrows leads from Y to X")


def test_an_experiment_on_another_node_is_found():
    graph = ADMG.of([("Z", "X"), ("X", "Y")], [("Z", "X"), ("Z", "Y")])
    told = explain(graph, "X", "Y")
    assert not told.is_identified
    assert "An experiment that sets Z at random would identify it too." in told.sentences


def test_mediation_divides_the_effect():
    graph = ADMG.of([("W", "X"), ("W", "Y"), ("X", "M"), ("M", "Y"), ("X", "Y")])
    model = Model(graph, np.random.default_rng(3))
    found, joint = mediation(graph, "X", "Y", ["M"]), model.joint()
    total = model.effect(frozenset("X"), frozenset("Y"))
    total = total.values if total.axes == ("X", "Y") else total.values.T
    direct, reverse = found.natural_direct(joint, 0, 1), found.natural_indirect(joint, 1, 0)
    np.testing.assert_allclose(direct - reverse, total[1] - total[0], atol=1e-12)
    set_by_hand = model.effect(frozenset("XM"), frozenset("Y")).along(("X", "M", "Y"))
    np.testing.assert_allclose(
        found.controlled_direct(joint, 0, 1, (1,)), set_by_hand[1, 1] - set_by_hand[0, 1], atol=1e-12
    )
    with pytest.raises(ValueError, match="not identified: the path M <-> Y"):
        mediation(ADMG.of(graph.directed, [("M", "Y")]), "X", "Y", ["M"]).natural_direct(joint, 0, 1)


def test_bounds_hold_the_effect_and_are_the_published_ones():
    """Balke and Pearl 1997, sec. 4: the cholestyramine trial, .392 to .780."""
    trial = np.array([[[0.919, 0.081], [0, 0]], [[0.315, 0.073], [0.139, 0.473]]])
    np.testing.assert_allclose(instrument_bounds(trial), (0.392, 0.780), atol=1e-9)
    assert manski_bounds((0.3, 0.6), (0.5, 0.5), (0.0, 1.0)) == pytest.approx((-0.35, 0.65))
    with pytest.raises(ValueError, match="by something else"):
        instrument_bounds(np.array([[[0, 0], [1, 0]], [[0, 0], [0, 1]]], float))


def test_questions_that_are_none_are_refused():
    with pytest.raises(ValueError, match="two of treatment, outcome and given"):
        identify(NAPKIN, "X", "Y", ["X"])
    with pytest.raises(ValueError, match="'x'"):
        identify(NAPKIN, "x", "Y")
    with pytest.raises(ValueError, match="hidden; a treatment and an outcome must be observed"):
        explain(NAPKIN, "X", "Y", hidden=["X"])


def test_a_joint_table_sums_and_lines_up():
    joint = Joint(("A", "B"), np.array([[0.1, 0.2], [0.3, 0.4]]))
    np.testing.assert_allclose(joint.marginal(["B"]).values, [0.4, 0.6])
    np.testing.assert_allclose(joint.along(("B", "C", "A"))[:, 0], joint.values.T)
