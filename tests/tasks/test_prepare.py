"""What a task prepares, in each process of a pod."""

import ase
import ase.io
import jax
import numpy as np
import pytest

from symjax.cli import train
from symjax.potentials import identity_of
from symjax.tasks import task_of


def prepared(folder, *words):
    command = train.parse(["--preset", "tiny", "--channels", "2", "--valid", "290", "--test", "290", *words])
    return task_of(command.task).prepare(command.options, command.recipe, folder)


def test_a_process_that_writes_nothing_knows_the_identity_of_what_another_writes(tmp_path, monkeypatch):
    monkeypatch.setattr(jax, "process_index", lambda: 1)
    other = prepared(tmp_path / "run").identity
    assert not (tmp_path / "run").exists()
    monkeypatch.setattr(jax, "process_index", lambda: 0)
    assert prepared(tmp_path / "run").identity == other == identity_of(tmp_path / "run")


def test_dipoles_of_what_repeats_are_refused(tmp_path):
    atoms = ase.Atoms("OH", [[0, 0, 0], [0, 0, 1]], cell=np.eye(3) * 5, pbc=True)
    atoms.info["dipole"] = np.zeros(3)
    ase.io.write(tmp_path / "crystal.xyz", atoms, format="extxyz")
    with pytest.raises(ValueError, match=r"crystal.xyz, structure 0 \(OH\) is periodic, where a dipole has no meaning"):
        prepared(tmp_path / "run", "--property", "dipole", "--data", str(tmp_path / "crystal.xyz"))
