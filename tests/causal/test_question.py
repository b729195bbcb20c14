"""Questions put to tables: what is identified how, and a sentence for what cannot be asked."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from symjax import causal

RNG = np.random.default_rng(2)
N = 400


@pytest.fixture(scope="module")
def frame():
    u, z, w = RNG.standard_normal((3, N))
    t = (0.8 * w + RNG.standard_normal(N) > 0).astype(int)
    dose = z + u + RNG.standard_normal(N)
    return pd.DataFrame(
        {"w": w, "z": z, "t": t, "dose": dose, "y": 1.5 * t + w + RNG.standard_normal(N), "v": 2 * dose - 3 * u}
    )


def test_a_graph_chooses_the_set_and_the_truth_is_inside(frame):
    answer = causal.effect(frame, treatment="t", outcome="y", graph="w -> t; w -> y; t -> y", modifiers=["z"], draws=20)
    assert answer.plan.way == "adjustment"
    assert answer.study.names == ("w",)
    assert answer.main.low < 1.5 < answer.main.high
    assert {row.method for row in answer.estimates} >= {"g-formula", "TMLE", "doubly robust (AIPW)"}
    assert all(found.passed for found in answer.refutations)
    assert answer.units.effect.shape == (N,)
    assert "This holds if the graph is right." in answer.conclusion
    apart = dataclasses.replace(answer, overlap=answer.overlap._replace(clipped=99))
    assert "99 rows have no like in another arm: rather trust the overlap population." in apart.conclusion
    page = answer.page()
    assert all(title in page for title in ("Question", "Identification", "Overlap", "Refuters", "Conclusion"))
    assert answer.report()["estimates"][0]["note"] == "unadjusted"


def test_the_seed_alone_fixes_the_answer(frame):
    pages = {causal.effect(frame, treatment="t", outcome="y", adjust=["w"], draws=10, seed=4).page() for _ in range(2)}
    assert len(pages) == 1


def test_hidden_causes_leave_bounds(frame):
    answer = causal.effect(frame, treatment="t", outcome="y", graph="U -> t; U -> y; t -> y", hidden=["U"])
    assert not answer.is_identified
    assert answer.bounds.low < 1.5 < answer.bounds.high
    assert "Measuring U would identify it." in answer.page()


def test_an_instrument_is_found_and_named_local(frame):
    answer = causal.effect(frame, treatment="dose", outcome="v", graph="z -> dose; dose -> v; dose <-> v", draws=10)
    assert answer.plan.way == "instrument"
    assert answer.main.low < 2 < answer.main.high
    assert answer.estimates[0].value < 1.5  # least squares
    assert "whom the instrument moves" in answer.conclusion
    assert "weak" not in answer.conclusion
    weak = dataclasses.replace(answer, facts={"first_stage_f": 3.0})
    assert "The instrument is weak (F = 3.0): do not rely on the interval." in weak.conclusion


def test_a_long_formula_is_plugged_in():
    rng = np.random.default_rng(0)
    n = 20_000
    u1, u2 = rng.binomial(1, 0.5, (2, n))
    w = rng.binomial(1, 0.2 + 0.3 * u1 + 0.3 * u2)
    r = rng.binomial(1, 0.2 + 0.6 * w)
    x = rng.binomial(1, 0.2 + 0.4 * r + 0.2 * u1)
    y = rng.binomial(1, 0.1 + 0.3 * x + 0.5 * u2)
    frame = pd.DataFrame({"w": w, "r": r, "x": x, "y": y})
    answer = causal.effect(frame, treatment="x", outcome="y", graph="w -> r -> x -> y; w <-> x; w <-> y", draws=20)
    assert answer.plan.way == "formula"
    assert answer.main.low < 0.3 < answer.main.high


def test_a_front_door(frame):
    rng = np.random.default_rng(0)
    u = rng.standard_normal(4000)
    t = u + rng.standard_normal(4000)
    m = t + rng.standard_normal(4000)
    table = pd.DataFrame({"t": t, "m": m, "y": 0.5 * m + u + rng.standard_normal(4000)})
    answer = causal.effect(table, treatment="t", outcome="y", graph="t -> m -> y; t <-> y")
    assert answer.plan.mediators == ("m",)
    assert answer.main.low < 0.5 < answer.main.high


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"treatment": "t", "outcome": "y"}, "expected what is assumed"),
        ({"treatment": "t", "outcome": "y", "graph": "t -> y; y -> w; w -> t"}, "t -> y -> w -> t|y -> w -> t -> y"),
        ({"treatment": "t", "outcome": "y", "graph": "t -- y"}, "t.*--.*y"),
        ({"treatment": "t", "outcome": "y", "graph": "t -> y; ww -> y"}, "'ww' .*did you mean 'w'"),
        ({"treatment": "t", "outcome": "y", "graph": "y -> t"}, "no path of arrows leads from t to y"),
        ({"treatment": "t", "outcome": "y", "graph": "t -> w -> y", "adjust": ["w"]}, "on a causal path"),
        (
            {"treatment": "t", "outcome": "y", "graph": "t -> y; t -> w", "instrument": "w"},
            "no instrument by",
        ),
        ({"treatment": "t", "outcome": "y", "adjust": ["t"]}, "'t' is the treatment"),
        ({"graph": "t -> y", "outcome": "y"}, "expected one treatment"),
        ({"treatment": "t", "outcome": "y", "adjust": ["w"], "hidden": ["U"]}, r"hidden nodes \(U\) belong to a graph"),
        ({"treatment": "t", "outcome": "y", "graph": "t -> y", "hidden": ["U"]}, "'U' is no node of the graph"),
        ({"treatment": "t", "outcome": "y", "graph": "t -> y; t -> t"}, "remove it"),
    ],
)
def test_a_sentence_for_what_cannot_be_asked(frame, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        causal.effect(frame, **options)


def test_separated_arms_are_refused_by_name(frame):
    apart = frame.assign(told=np.where(frame.t == 1, 5.0, -5.0) + 0.1 * frame.z)
    with pytest.raises(ValueError, match="told alone tells who has t"):
        causal.effect(apart, treatment="t", outcome="y", adjust=["w", "told"])


def test_a_formula_compares_with_the_control_and_takes_text():
    rng = np.random.default_rng(0)
    n = 20_000
    w = rng.binomial(1, 0.5, n)
    r = rng.binomial(1, 0.2 + 0.6 * w)
    x = rng.binomial(1, 0.2 + 0.5 * r)
    frame = pd.DataFrame(
        {"w": np.where(w, "b", "a"), "r": r, "x": np.where(x, "drug", "none"), "y": rng.binomial(1, 0.1 + 0.3 * x)}
    )
    question = {"treatment": "x", "outcome": "y", "graph": "w -> r -> x -> y; w <-> x; w <-> y"}
    answer = causal.effect(frame, **question, control="none", draws=20)
    assert (answer.plan.way, answer.main.contrast) == ("formula", "drug - none")
    assert answer.main.low < 0.3 < answer.main.high
    gaps = frame.assign(r=frame.r.where(frame.index > 5))
    with pytest.raises(ValueError, match="missing in r 6 of"):
        causal.effect(gaps, **question)


@pytest.mark.parametrize("graph", ["z -> t3; t3 -> y; t3 <-> y", "t3 -> z -> y; t3 <-> y"])
def test_several_arms_are_no_dose(frame, graph):
    arms = frame.assign(t3=np.array(["a", "b", "c"])[np.arange(N) % 3])
    with pytest.raises(ValueError, match=r"3 arms, and .* tells one contrast"):
        causal.effect(arms, treatment="t3", outcome="y", graph=graph)


def test_simulated_hidden_causes_stand_beside_the_sensitivity(frame):
    answer = causal.effect(frame, treatment="t", outcome="y", adjust=["w"], draws=20)
    assert answer.hidden.simulated.shape == (5, 5)
    assert answer.hidden.verdict.split()[0] in answer.page()


def test_a_dose_has_a_curve_unless_few_doses_differ(frame):
    bent = frame.assign(y=frame.dose**2 + frame.w)
    answer = causal.effect(bent, treatment="dose", outcome="y", adjust=["w"], draws=0)
    assert "The curve bends" in answer.page()
    assert len(answer.report()["doses"]) == len(answer.doses.value)
    few = causal.effect(
        bent.assign(dose=bent.dose.round().clip(-1, 1)), treatment="dose", outcome="y", adjust=[], draws=0
    )
    assert few.doses is None
