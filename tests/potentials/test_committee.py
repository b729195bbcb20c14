"""The mean of a committee, how much its members differ, and the factor that makes deviations foretell errors."""

import dataclasses

import ase.build
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ase.stress import full_3x3_to_voigt_6_stress
from pair_model import SPECIES, PairModel, structures

from symjax.data import LABELS, Structures
from symjax.potentials import (
    Calculator,
    Potential,
    References,
    fit_calibration,
    foretold,
    measure_calibration,
    plot_calibration,
)

REFERENCES = References({1: -13.6, 8: -2041.8}, shift=-0.1, scale=2.0)
MEMBERS, NAMES = 3, ("energy", "forces", "stress")


def members(scale=2.0, **changes):
    rng = np.random.default_rng(0)
    params = {"a": jnp.array(rng.normal(size=(MEMBERS, 2))), "k": jnp.array(rng.uniform(1, 2, MEMBERS))}
    references = dataclasses.replace(REFERENCES, scale=scale)
    return Potential(PairModel(), params, SPECIES, references, **{"members": MEMBERS} | changes)


@pytest.fixture(scope="module")
def data():
    return structures(5)


@pytest.fixture(scope="module")
def predicted(data):
    return members().predict(data, stress=True)


def test_labels_are_means_and_deviations_those_of_the_members_alone(data, predicted):
    committee = members()
    alone = [
        dataclasses.replace(committee, params=jax.tree.map(lambda leaf, i=i: leaf[i], committee.params), members=None)
        for i in range(MEMBERS)
    ]
    each = [potential.predict(data, stress=True) for potential in alone]
    assert predicted.labels.keys() == {f"{name}{end}" for name in NAMES for end in ("", "_deviation")}
    for name in NAMES:
        values = np.stack([one.rows(name) for one in each])
        np.testing.assert_allclose(predicted.rows(name), values.mean(axis=0), atol=1e-10)
        deviation = np.sqrt(values.var(axis=0, ddof=1).reshape(*values.shape[1:2], -1).sum(axis=1))
        np.testing.assert_allclose(predicted.rows(f"{name}_deviation"), deviation, rtol=1e-7, atol=1e-10)
        assert LABELS[f"{name}_deviation"].shape == ()


def test_a_unit_factor_scales_deviations_by_itself_and_variances_by_its_square(data, predicted):
    other = members(scale=2.0 * 23.06).predict(data, stress=True)
    for name in ("energy_deviation", "forces_deviation", "stress_deviation"):
        ratio = other.rows(name)[predicted.rows(name) > 1e-8] / predicted.rows(name)[predicted.rows(name) > 1e-8]
        np.testing.assert_allclose(ratio, 23.06, rtol=1e-7)
        np.testing.assert_allclose(ratio**2, 23.06**2, rtol=1e-7)


def test_factors_multiply_deviations_and_leave_means(data, predicted):
    calibrated = members(calibration={"forces": 3.0}).predict(data, stress=True)
    np.testing.assert_allclose(
        calibrated.rows("forces_deviation"), 3.0 * predicted.rows("forces_deviation"), rtol=1e-12
    )
    for name in ("energy", "forces", "energy_deviation", "stress_deviation"):
        np.testing.assert_array_equal(calibrated.rows(name), predicted.rows(name))


def test_a_calculator_has_deviations(data, predicted):
    atoms = data.atoms[3].copy()
    calculator = atoms.calc = Calculator(members())
    assert atoms.get_potential_energy() == pytest.approx(predicted.energy[3], rel=1e-12)
    results = calculator.results
    assert results["energy_deviation"] == pytest.approx(predicted.labels["energy_deviation"][3])
    np.testing.assert_allclose(results["forces_deviation"], predicted.labels["forces_deviation"][3], atol=1e-12)
    assert calculator.get_property("stress_deviation", atoms) == pytest.approx(predicted.labels["stress_deviation"][3])
    np.testing.assert_allclose(results["stress"], full_3x3_to_voigt_6_stress(predicted.stress[3]), atol=1e-12)
    sums = calculator.get_property("energies", atoms).sum()
    assert sums == pytest.approx(predicted.energy[3], rel=1e-12)
    assert {"energy_deviation", "forces_deviation"} <= {*calculator.implemented_properties}


def test_a_calculator_of_one_model_has_no_deviations():
    one = dataclasses.replace(members(), params={"a": jnp.zeros(2), "k": jnp.ones(())}, members=None)
    assert not any("deviation" in name for name in Calculator(one).implemented_properties)


@pytest.mark.parametrize("count", [0, 1])
def test_a_committee_of_one_has_no_deviations(count):
    with pytest.raises(ValueError, match=f"2 members or more, for one alone has no deviation; got {count}"):
        members(members=count)


def gaussian(factor, count=4000, seed=0):
    """Structures with errors that are `factor` times as large as their deviations say."""
    rng = np.random.default_rng(seed)
    atoms = tuple(ase.build.molecule(("H2O", "H2")[i % 2]) for i in range(count))
    sizes = np.array([len(a) for a in atoms])
    energy_deviation = sizes * rng.uniform(0.5, 5, count)
    forces_deviation = tuple(rng.uniform(0.1, 2, n) for n in sizes)
    zero = {"energy": np.zeros(count), "forces": tuple(np.zeros((n, 3)) for n in sizes)}
    labels = {
        "energy": factor * energy_deviation * rng.normal(size=count),
        "forces": tuple(factor * d[:, None] / np.sqrt(3) * rng.normal(size=(len(d), 3)) for d in forces_deviation),
        "energy_deviation": energy_deviation,
        "forces_deviation": forces_deviation,
    }
    return Structures(atoms, zero), Structures(atoms, labels)


@pytest.mark.parametrize("factor", [0.4, 2.5])
def test_the_calibration_of_gaussian_errors_is_their_factor(factor):
    truth, given = gaussian(factor)
    factors = fit_calibration(truth, given)
    assert factors == {"energy": pytest.approx(factor, rel=0.03), "forces": pytest.approx(factor, rel=0.02)}
    deviations = {
        "energy_deviation": factors["energy"] * given.labels["energy_deviation"],
        "forces_deviation": tuple(factors["forces"] * d for d in given.labels["forces_deviation"]),
    }
    fitted = dataclasses.replace(given, labels=given.labels | deviations)
    for row in measure_calibration(truth, fitted, factors).values():
        assert row["nll after"] < row["nll before"] - 0.1
        assert row["within 1"] == pytest.approx(0.683, abs=0.02)
        assert row["within 2"] == pytest.approx(0.954, abs=0.02)
        assert row["rms error"] == pytest.approx(row["rms deviation"], rel=0.03)


def test_the_factor_has_the_highest_likelihood():
    told = foretold(*gaussian(2.5, 200))["energy"]
    best = told.times(told.factor).surprise
    assert all(told.times(other * told.factor).surprise > best + 1e-4 for other in (0.95, 1.05))


def test_what_is_not_known_or_not_foretold_calibrates_nothing():
    truth, given = gaussian(2.0, 200)
    known = fit_calibration(truth[:100], given[:100])
    truth.labels["energy"][100:] = np.nan
    for forces in truth.labels["forces"][100:]:
        forces[:] = np.nan
    assert fit_calibration(truth, given) == pytest.approx(known)
    given.labels["energy_deviation"][:3] = 0
    assert np.isfinite(fit_calibration(truth, given)["energy"])
    assert fit_calibration(truth, dataclasses.replace(given, labels={"energy": given.labels["energy"]})) == {}


def test_the_picture_shows_something(tmp_path):
    import matplotlib.image

    plot_calibration(tmp_path / "calibration.png", *gaussian(1.0, 200))
    pixels = matplotlib.image.imread(tmp_path / "calibration.png")[..., :3]
    assert 0.005 < np.mean(pixels < 0.9) < 0.5
