"""What a task prepares, in each process of a pod."""

import json

import ase
import ase.io
import jax
import numpy as np
import pytest

from symjax.cli.verbs import train
from symjax.potentials import Blueprint, References, identity_of
from symjax.tasks import task_of
from symjax.training import decode


def prepared(folder, *words, **more):
    command = train.parse(["--preset", "tiny", "--channels", "2", "--valid", "290", "--test", "290", *words])
    return task_of(command.task).prepare(command.options, command.recipe, folder, **more)


def test_a_process_that_writes_nothing_knows_the_identity_of_what_another_writes(tmp_path, monkeypatch):
    monkeypatch.setattr(jax, "process_index", lambda: 1)
    other = prepared(tmp_path / "run").identity
    assert not (tmp_path / "run").exists()
    monkeypatch.setattr(jax, "process_index", lambda: 0)
    assert prepared(tmp_path / "run").identity == other == identity_of(tmp_path / "run")


def test_errors_are_compared_in_the_spread_of_the_labels_which_a_run_keeps(tmp_path, monkeypatch):
    weights = ["--energy-weight", "2", "--forces-weight", "0:3,10:5"]
    before = prepared(tmp_path / "run", *weights).task.weights
    model = json.loads((tmp_path / "run" / "model.json").read_text())
    assert 0.5 < model["spreads"]["forces"] == model["spreads"]["energy"] < 2, "eV/Å, of ethanol at 500 K"
    assert [before[name](10) * spread**2 for name, spread in model["spreads"].items()] == pytest.approx([2, 5])
    species, references = tuple(model["species"]), References.from_dict(model["references"])
    kept = Blueprint(model["name"], model["options"], species, references, model["statistics"], spreads={"energy": 0.5})
    monkeypatch.setattr("symjax.tasks.preparing.read_blueprint", lambda folder: kept)
    after = prepared(tmp_path / "run", *weights, resumed=True).task.weights
    assert [after["energy"](0), after["forces"](0)] == pytest.approx([8, 3])


def test_dipoles_of_what_repeats_are_refused(tmp_path):
    atoms = ase.Atoms("OH", [[0, 0, 0], [0, 0, 1]], cell=np.eye(3) * 5, pbc=True)
    atoms.info["dipole"] = np.zeros(3)
    ase.io.write(tmp_path / "crystal.xyz", atoms, format="extxyz")
    with pytest.raises(ValueError, match=r"crystal.xyz, frame 0 \(OH\) is periodic, where a dipole has no meaning"):
        prepared(tmp_path / "run", "--property", "dipole", "--data", str(tmp_path / "crystal.xyz"))


def test_options_of_a_property_from_before_it_had_units_of_its_own_are_read():
    """As run.json of such a run has them, so that it can be resumed and evaluated."""
    old = {"data": ["dipoles.xyz"], "property": "dipole", "property_key": "mu", "units": "eV", "length": "bohr"}
    options = decode(task_of("property").Options, old, "options")
    assert (options.units, options.length, options.property_units) == ("eV", "bohr", None)
