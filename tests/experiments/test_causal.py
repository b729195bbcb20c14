import pytest

from experiments import causal_card, causal_lalonde, causal_nhefs

pytest.importorskip("causaldata")


def values(found):
    return {name: float(effect.value) for name, effect in found.items()}


def test_lalonde_has_the_experiment_and_what_a_survey_makes_of_it(capsys):
    found = causal_lalonde.main()
    experiment, survey = values(found["experiment"]), values(found["CPS"])
    assert experiment["difference in means"] == pytest.approx(1794.34, abs=0.01)
    assert experiment["least squares"] == pytest.approx(1676.34, abs=0.01)
    assert experiment["doubly robust"] == pytest.approx(1794, abs=300)
    assert survey["difference in means"] == pytest.approx(-8498, abs=1)
    assert all(abs(survey[name] - 1794) < 1500 for name in survey if name != "difference in means")
    assert "-8498" in capsys.readouterr().out


def test_card_has_the_published_returns(capsys):
    found = values(causal_card.main())
    assert found["least squares"] == pytest.approx(0.0712, abs=1e-4)
    assert found["two-stage least squares"] == pytest.approx(0.1242, abs=1e-4)
    assert "first-stage F" in capsys.readouterr().out


def test_nhefs_has_the_published_kilograms():
    found = values(causal_nhefs.main())
    expected = {"difference in means": 2.541, "weighting": 3.441, "g-formula, one product": 3.517}
    for name, value in {**expected, "doubly robust": 3.373}.items():
        assert found[name] == pytest.approx(value, abs=2e-3), name
