"""Reference energies: exact removal and return, every source, and plain JSON."""

import dataclasses
import json

import ase
import ase.build
import numpy as np
import pytest

from symjax.data import Structures
from symjax.potentials import References, fit_references, make_references
from symjax.potentials.references import parse_table

NAMES = ("H2O", "CH4", "OH", "CO2", "CH3CH2OH", "H2")
MOLECULES = tuple(ase.build.molecule(name) for name in NAMES)
TABLE = {1: -13.6, 6: -1029.5, 8: -2042.0}


def structures(molecules=MOLECULES, extra_per_atom=0.0):
    energy = np.array([sum(TABLE[z] + extra_per_atom for z in atoms.numbers.tolist()) for atoms in molecules])
    forces = tuple(np.full((len(atoms), 3), (-1.0) ** i * 1.5) for i, atoms in enumerate(molecules))
    return Structures(molecules, {"energy": energy, "forces": forces})


@pytest.mark.parametrize("choice", ["isolated", "H=-13.6,C=-1029.5,O=-2042,Au=-5"])
def test_a_table_is_of_lone_atoms_and_nothing_is_shifted(choice):
    data = dataclasses.replace(structures(extra_per_atom=-4.5), isolated=TABLE | {79: -5.0})
    references = make_references(data, choice)
    assert (references.energies, references.shift, references.isolated) == (TABLE, 0.0, True)
    assert references.scale == pytest.approx(1.5)
    sizes = [len(atoms) for atoms in MOLECULES]
    np.testing.assert_allclose(references.remove(data).energy, -4.5 * np.array(sizes), atol=1e-9)
    assert references.bonds == pytest.approx({1: -4.5, 6: -4.5, 8: -4.5})
    np.testing.assert_allclose(references.remove(data, bonded=True).energy, 0, atol=1e-9)


def test_bonds_are_of_each_element_where_compositions_tell_and_shared_where_they_do_not():
    own = {1: -2.0, 6: -8.0, 8: -3.0}
    energy = np.array([sum(TABLE[z] + own[z] for z in atoms.numbers.tolist()) for atoms in MOLECULES])
    assert fit_references(Structures(MOLECULES, {"energy": energy}), TABLE).bonds == pytest.approx(own)
    water = fit_references(Structures(MOLECULES[:1], {"energy": energy[:1]}), TABLE).bonds
    assert water == pytest.approx({1: -7 / 3, 8: -7 / 3})


def test_fitted_references_take_the_mean_residual_off_and_say_nothing_of_lone_atoms():
    references = make_references(structures(MOLECULES[-2:-1], extra_per_atom=-4.5), "fit")
    np.testing.assert_allclose(
        references.remove(structures(MOLECULES[-2:-1], extra_per_atom=-4.5)).energy, 0, atol=1e-9
    )
    assert not references.isolated


def test_least_squares_recovers_a_table_that_the_compositions_determine():
    references = fit_references(structures())
    assert references.energies == pytest.approx(TABLE, abs=1e-8)
    assert references.shift == pytest.approx(0, abs=1e-9)


def test_least_squares_on_a_single_molecule_has_the_minimal_norm():
    data = structures(MOLECULES[-2:-1] * 3)
    data = Structures(data.atoms, {"energy": data.energy + np.array([0.1, -0.1, 0.3])})
    references = fit_references(data)
    counts = {1: 6, 6: 2, 8: 1}
    ratios = [energy / counts[z] for z, energy in references.energies.items()]
    np.testing.assert_allclose(ratios, ratios[0])
    assert references.remove(data).energy.sum() == pytest.approx(0, abs=1e-9)
    assert references.remove(data).energy.std() == pytest.approx(data.energy.std())


def test_removal_and_return_are_exact_in_double_precision():
    data, references = structures(extra_per_atom=-1e-3), fit_references(structures(), TABLE)
    left = references.remove(data)
    np.testing.assert_allclose(references.restore(data.numbers, left.energy), data.energy, rtol=1e-15)
    single = references.restore(data.numbers, left.energy.astype(np.float32))
    assert single.dtype == np.float64
    np.testing.assert_allclose(single, data.energy, rtol=0, atol=1e-7)
    assert left.forces is data.forces


def test_plain_json_there_and_back():
    references = fit_references(structures(extra_per_atom=1 / 3), TABLE)
    assert references.bonds
    again = References.from_dict(json.loads(json.dumps(references.to_dict())))
    assert again == references
    assert set(references.to_dict()["energies"]) == {"H", "C", "O"}


def test_a_scale_without_forces_is_one():
    energy = {"energy": structures().energy}
    for labels in (energy, energy | {"forces": tuple(np.zeros((len(atoms), 3)) for atoms in MOLECULES)}):
        assert fit_references(Structures(MOLECULES, labels)).scale == 1.0


def test_structures_without_energies_pass_through():
    data = Structures(MOLECULES)
    assert fit_references(structures()).remove(data) is data
    with pytest.raises(ValueError, match="need a data set with energies"):
        fit_references(data)


def test_an_element_without_a_reference_is_named():
    with pytest.raises(ValueError, match="no reference energy for C, O, only for H"):
        fit_references(structures(), {1: -13.6})
    with pytest.raises(ValueError, match="no reference energy for Au, only for H, C, O"):
        fit_references(structures()).of([np.array([79])])


def test_tables_by_symbol():
    assert parse_table({"H": -13.6, "Au": 1}) == {1: -13.6, 79: 1.0}
    for table in ({"Foo": 1.0}, {"H": float("nan")}):
        with pytest.raises(ValueError, match="expected a finite energy in eV for a chemical element"):
            parse_table(table)
