"""`symjax relax`: structures of a file, what it prints and writes, and what it refuses."""

import csv
import sys

import ase
import ase.build
import ase.io
import jax
import numpy as np
import pytest
from ase.constraints import FixAtoms

from symjax.potentials import Potential, References

from ..potentials.pair_model import SPECIES, PairModel, params
from .command import symjax, written


@pytest.fixture
def pairs(monkeypatch):
    """A pair potential in the place of a trained one."""
    with jax.enable_x64(True):
        potential = Potential(PairModel(), params(np.float32), SPECIES, References({1: -1.0, 8: -2.0}))
    monkeypatch.setattr("symjax.cli.verbs.relax.energies_in", lambda folder: potential)
    return potential


def sheet():
    atoms = ase.Atoms("O", cell=np.diag([2.9, 2.9, 20.0]), pbc=(True, True, False))
    atoms.info |= {"name": "a sheet", "REF_energy": -3.0, "energy_weight": 2.0}
    return atoms


def held():
    atoms = ase.build.molecule("H2O")
    atoms.set_constraint(FixAtoms([0]))
    return atoms


def test_structures_come_to_rest_one_after_another_with_their_frequencies(run, pairs, tmp_path, capsys):
    data, out = written(tmp_path / "in.xyz", ase.Atoms("OH", [[0, 0, 0], [1.1, 0, 0]]), held(), sheet()), tmp_path
    command = ["relax", "--fmax", "1e-5", "--frequencies", run, "--structure", data, "--out", out / "rest.xyz"]
    assert symjax(*command) == 0
    said = capsys.readouterr()
    assert "3 structures" in " ".join(said.out.split())
    assert "structure 0 (OH): 1 vibrations at" in said.out
    assert said.err.splitlines() == ["symjax: left out REF_energy, which held before the atoms moved"]
    dimer, water, last = ase.io.read(out / "rest.xyz", ":")
    np.testing.assert_allclose(dimer.get_distance(0, 1), 1.0, atol=1e-5)
    np.testing.assert_allclose(dimer.get_potential_energy(), -3.4, atol=1e-6)
    np.testing.assert_allclose(water.positions[0], held().positions[0])
    assert np.abs(water.get_forces(apply_constraint=False)).max() < 1e-5
    assert (last.info["name"], last.pbc.tolist()) == ("a sheet", [True, True, False])
    assert ("REF_energy" in last.info, last.info["energy_weight"]) == (False, 2.0)
    assert last.get_stress().shape == (6,)
    with open(out / "rest_frequencies.csv", newline="") as file:
        rows = list(csv.reader(file))[1:]
    assert [sum(row[0] == str(i) for row in rows) for i in range(3)] == [6, 6, 3]
    assert [row[-1] for row in rows[:6]].count("rotation") == 2


def test_what_has_not_come_to_rest_is_told_and_written_and_ends_with_1(run, pairs, tmp_path, capsys):
    data = written(tmp_path / "in.xyz", ase.Atoms("OH", [[0, 0, 0], [1.0, 0, 0]]), ase.build.molecule("H2O"))
    command = ["relax", run, "--structure", data, "--steps", "1", "--out", tmp_path / "rest.traj"]
    assert symjax(*command) == 1
    said = capsys.readouterr().err
    assert "structure 1 (OH2) is not at rest: the largest force is above 0.05 eV/Å after 1 steps" in said
    assert "structure 0" not in said
    assert len(ase.io.read(tmp_path / "rest.traj", ":")) == 2


def test_what_cannot_be_relaxed_is_named_before_anything_is_computed(
    run, pairs, tmp_path, refuses, monkeypatch, capsys
):
    good = ase.build.molecule("H2O")

    def refused(atoms, *words, options=()):
        data = written(tmp_path / "in.xyz", good, atoms)
        refuses(["relax", run, "--structure", data, "--out", tmp_path / "out.xyz", *options], *words)
        assert not (tmp_path / "out.xyz").exists()

    refused(ase.Atoms("Au"), "structure 1 (Au)", "only knows the elements")
    refused(ase.Atoms("H2"), "structure 1", "atoms 0 and 1 of H2 are at one point")
    refused(sheet(), "structure 0", "leave out --cell", options=["--cell", "FrechetCellFilter"])
    (tmp_path / "out_phonons_1.csv").touch()
    refused(good, "out_phonons_1.csv is there already; name another", options=["--phonons"])
    (tmp_path / "out_phonons_1.csv").unlink()
    refused(good, "ASE writes no files", options=["--format", "nothing"])
    monkeypatch.setitem(sys.modules, "dftd3.ase", None)
    refused(good, "pip install 'symjax[dispersion]'", options=["--dispersion", "pbe"])
    monkeypatch.setitem(sys.modules, "phonopy", None)
    refused(good, "structure 0", "pip install 'symjax[phonons]'", options=["--phonons"])
    data = written(tmp_path / "in.xyz", good)
    refuses(["relax", run, "--structure", data, "--out", data], "is the file that is read")
