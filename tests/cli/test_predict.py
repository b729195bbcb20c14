"""What `symjax predict` writes: all that it read, and what the model says of it."""

import ase
import ase.io
import numpy as np
import pytest
from ase.build import molecule
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms

from symjax.data import read_structures
from symjax.tasks import load

from .command import symjax, water, written


def slab():
    """Water in a sheet, with everything that a file may say of it."""
    atoms = molecule("H2O", cell=np.diag([4.0, 4.5, 12.0]), pbc=(True, True, False))
    atoms.set_constraint(FixAtoms([0]))
    atoms.arrays["momenta"] = np.arange(9.0).reshape(3, 3)
    atoms.arrays["layer"] = np.array([0, 1, 1])
    atoms.info |= {"REF_energy": -3.5, "name": "a sheet", "config_type": "slab"}
    results = {"free_energy": 8.0, "dipole": np.arange(3.0), "magmoms": np.ones(3), "stress": np.ones(6)}
    atoms.calc = SinglePointCalculator(atoms, energy=7.0, forces=np.full((3, 3), 9.0), **results)
    return atoms


@pytest.mark.parametrize("end", ["xyz", "traj"])
def test_columns_notes_constraints_and_momenta_are_kept_and_labels_replaced(trained, tmp_path, capsys, end):
    data, output = written(tmp_path / "in.xyz", slab(), water(), molecule("CH3OH")), tmp_path / f"out.{end}"
    assert symjax("predict", trained, "--input", data, "--output", output) == 0
    first, second, third = ase.io.read(output, ":")
    assert symjax("predict", trained, "--input", data, "--output", output) == 2  # as it is there already
    said = capsys.readouterr().err
    assert ("out.traj lacks" in said and "layer" in said) == (end == "traj")
    assert f"{output} is there already; name another" in said
    assert first.info["REF_energy"] == -3.5
    assert (first.info["name"], first.info["config_type"]) == ("a sheet", "slab")
    assert first.constraints[0].index.tolist() == [0]
    assert first.pbc.tolist() == [True, True, False]
    np.testing.assert_allclose(first.arrays["momenta"], np.arange(9.0).reshape(3, 3))
    if end == "xyz":
        assert first.arrays["layer"].tolist() == [0, 1, 1]
        np.testing.assert_allclose(first.get_dipole_moment(), np.arange(3.0))
    potential, atoms = load(trained), read_structures(data, energy_key=None, forces_key=None)
    expected = potential.predict(atoms, stress=True)
    np.testing.assert_allclose(first.calc.results["energy"], expected.energy[0], atol=1e-4)
    np.testing.assert_allclose(first.calc.results["forces"], expected.forces[0], atol=1e-5)
    order = [(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)]
    np.testing.assert_allclose(first.get_stress(), [expected.stress[0][i] for i in order], atol=1e-6)
    assert np.abs(first.get_stress()).max() > 1e-5
    assert "free_energy" not in first.calc.results
    assert [set(atoms.calc.results) for atoms in (second, third)] == [{"energy", "forces"}] * 2


def test_any_format_of_ase_by_name(run, tmp_path, capsys):
    data = written(tmp_path / "in.xyz", water(), water())
    command = ["predict", run, "--input", data, "--output"]
    assert symjax(*command, tmp_path / "out", "--format", "traj") == 0
    assert [len(atoms) for atoms in ase.io.read(tmp_path / "out", ":", format="traj")] == [3, 3]
    assert not capsys.readouterr().err
    assert symjax(*command, tmp_path / "out.cif") == 0
    assert "out.cif lacks energy, forces: files of the format cif have no place for that" in capsys.readouterr().err
    assert len(ase.io.read(tmp_path / "out.cif", ":")) == 2


def test_npz_input_keeps_its_other_arrays(run, tmp_path):
    places = molecule("H2O").positions + np.zeros((2, 1, 1))
    arrays = {"old_indices": [4, 7], "E": [1.0, 2.0], "charges": np.arange(6.0).reshape(2, 3)}
    np.savez(tmp_path / "in.npz", z=[8, 1, 1], R=places, **arrays)
    assert symjax("predict", run, "--input", tmp_path / "in.npz", "--output", tmp_path / "out.xyz") == 0
    last = ase.io.read(tmp_path / "out.xyz")
    assert (last.info["old_indices"], last.info["E"]) == (7, 2.0)
    np.testing.assert_allclose(last.get_charges(), [3, 4, 5])
    assert last.get_potential_energy() != 2.0


@pytest.mark.parametrize("link", [None, "symlink_to", "hardlink_to"])
def test_the_input_is_never_overwritten(run, tmp_path, refuses, link):
    data = written(tmp_path / "in.xyz", water())
    before, output = data.read_bytes(), data if link is None else tmp_path / "out.xyz"
    if link is not None:
        getattr(output, link)(data)
    refuses(["predict", run, "--input", data, "--output", output], "is the file that is read", "name another one")
    assert data.read_bytes() == before
