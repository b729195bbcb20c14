"""Small labelled files, and one trained run that most tests look at."""

import pathlib
import shutil

import ase
import ase.io
import jax
import numpy as np
import optax
import pytest
from ase.build import bulk, molecule
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator

from symjax.cli.verbs import train
from symjax.potentials import Blueprint, References, identity_of, write_blueprint
from symjax.training import CheckpointStore, Progress, enter_run, init_state, write_run
from symjax.training.checkpoints.state import save_state

from .command import OPTIONS, symjax


@pytest.fixture(autouse=True)
def single_precision():
    """The command as it runs for a user."""
    with jax.enable_x64(False):
        yield


def labelled(atoms):
    """Label a structure by effective medium theory."""
    atoms.calc = EMT()
    results = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces()}
    if atoms.pbc.all():
        results["stress"] = atoms.get_stress()
    atoms.calc = SinglePointCalculator(atoms, **results)
    return atoms


def shaken(atoms, rng):
    atoms.positions += rng.normal(0, 0.05, atoms.positions.shape)
    return atoms


def molecules(count=16):
    rng = np.random.default_rng(0)
    return [labelled(shaken(molecule(("CH3OH", "H2O")[i % 3 == 0]), rng)) for i in range(count)]


def crystals(count=12):
    rng = np.random.default_rng(1)
    made = []
    for _ in range(count):
        atoms = bulk("Cu", a=3.6) * (2, 1, 1)
        atoms.set_cell(atoms.cell.array @ (np.eye(3) + rng.normal(0, 0.03, (3, 3))), scale_atoms=True)
        made.append(labelled(shaken(atoms, rng)))
    return made


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """A folder of data: molecules, molecules with isolated atoms, crystals with stress."""
    folder = tmp_path_factory.mktemp("files")
    isolated = [labelled(ase.Atoms(symbol)) for symbol in "HCO"]
    ase.io.write(folder / "molecules.xyz", molecules(), format="extxyz")
    ase.io.write(folder / "isolated.xyz", [*isolated, *molecules()], format="extxyz")
    ase.io.write(folder / "crystals.xyz", crystals(), format="extxyz")
    return folder


@pytest.fixture(scope="session")
def trained(files):
    """The folder of a finished run on the molecules."""
    folder = files / "run"
    with jax.enable_x64(False):
        assert symjax("train", *OPTIONS, "--data", files / "molecules.xyz", "--out", folder) == 0
    return folder


@pytest.fixture(scope="session")
def run(tmp_path_factory, files):
    """A run directory of a network for H, C and O whose parameters are zeros."""
    folder = tmp_path_factory.mktemp("runs") / "zeros"
    command = train.parse(["--preset", "tiny", "--data", str(files / "molecules.xyz")])
    sizes = {"species": 3, "average_neighbours": 4.0}
    references = References({1: -1.0, 6: -2.0, 8: -3.0})
    statistics = {"structures": 0, "devices": jax.device_count()}
    with enter_run(folder, command.task, command.options, command.recipe, resumed=False) as identity:
        write_run(folder, command.task, command.options, command.recipe, identity)
    blueprint = Blueprint("nequip", command.options.net | sizes, (1, 6, 8), references, statistics, run=identity)
    write_blueprint(folder, blueprint, molecule("H2O"))
    with jax.enable_x64(False), CheckpointStore(folder / "checkpoints", identity=identity_of(folder)) as store:
        state = init_state(blueprint.shapes(), optax.sgd(0.1), key=jax.random.key(0), ema=True)
        save_state(store, state, Progress(epoch=1, step=1))
    return folder


@pytest.fixture
def copy(run, tmp_path):
    """A copy of the run to spoil."""
    return pathlib.Path(shutil.copytree(run, tmp_path / "copy"))


@pytest.fixture
def refuses(capsys):
    """Assert that a command ends with exit code 2 and one sentence, which holds the given words."""

    def check(command, *words):
        capsys.readouterr()
        assert symjax(*command) == 2
        said = capsys.readouterr().err
        assert said.startswith("symjax: ")
        assert said.count("\n") == 1
        assert "Traceback" not in said
        for word in words:
            assert str(word) in said, said

    return check
