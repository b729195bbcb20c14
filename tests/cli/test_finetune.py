"""`symjax train --init RUN`: what a run has learnt goes on learning, from the same or from other data."""

import json
import pathlib
import shutil

import jax
import numpy as np
import pytest
from ase.build import molecule

from symjax.potentials import identity_of, read_blueprint
from symjax.tasks import load

from .command import symjax, water, written
from .conftest import labelled

BRIEF = ["--optimizer", "adam", "--preset", "tiny", "--test", "4", "--epochs", "6"]


def report_of(run):
    return json.loads((run / "report.json").read_text())


def losses(run):
    return [json.loads(line)["valid_loss"] for line in (run / "metrics.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def tuned(files, trained, tmp_path_factory):
    """A run that goes on from the trained one with the same data, its first layer frozen, and what was said of it."""
    folder = tmp_path_factory.mktemp("tuned")
    origin = pathlib.Path(shutil.copytree(trained, folder / "origin"))
    words = ["--data", files / "molecules.xyz", "--references", "keep", "--freeze", "layer_0|embedding"]
    with jax.enable_x64(False):
        assert symjax("train", "--init", origin, *BRIEF, "--weight-decay", "0.1", *words, "--out", folder / "run") == 0
    return folder


def test_it_begins_with_what_was_learnt(tuned, trained):
    """Without a step predictions are those of the run: its errors on the same test set are those before."""
    origin, own = read_blueprint(trained), read_blueprint(tuned / "run")
    assert report_of(tuned / "run")["before fine-tuning"] == report_of(trained)["errors"]
    assert own.origin["run"] == str(tuned / "origin")
    assert own.origin["identity"] == identity_of(trained)
    assert (own.name, own.options, own.species) == (origin.name, origin.options, origin.species)
    assert own.references == origin.references


def test_frozen_parameters_have_the_bits_of_the_run(tuned, trained):
    before, after = (load(run).params["params"] for run in (trained, tuned / "run"))
    same = jax.tree.map(np.array_equal, before, after)
    assert all(jax.tree.leaves([same["embedding"], same["layer_0"]]))
    assert not any(jax.tree.leaves([same["hidden"], same["readout"]]))


def test_it_gets_further_than_from_scratch(tuned, trained):
    assert losses(tuned / "run")[-1] < min(losses(trained))


def test_it_goes_on_without_the_run_it_comes_from(tuned, tmp_path, capsys):
    run, hidden = pathlib.Path(shutil.copytree(tuned / "run", tmp_path / "run")), tmp_path / "hidden"
    (tuned / "origin").rename(hidden)
    try:
        assert symjax("train", "--resume", run) == 0
        told = capsys.readouterr()
        assert "epoch 0" not in told.err
        assert "MAE before" in told.out
        assert report_of(run)["errors"] == report_of(tuned / "run")["errors"]
    finally:
        hidden.rename(tuned / "origin")


def test_a_run_killed_before_its_first_checkpoint_begins_again_with_the_same_bits(tuned, tmp_path, capsys):
    run = pathlib.Path(shutil.copytree(tuned / "run", tmp_path / "run"))
    shutil.rmtree(run / "checkpoints")
    assert symjax("train", "--resume", run) == 0
    assert losses(run) == losses(tuned / "run")
    shutil.rmtree(run / "checkpoints")
    (tuned / "origin").rename(tmp_path / "hidden")
    try:
        assert symjax("train", "--resume", run) == 2
        assert "origin is not a run directory of symjax" in capsys.readouterr().err
    finally:
        (tmp_path / "hidden").rename(tuned / "origin")


def test_other_elements_and_labels_of_another_code(trained, tmp_path, capsys):
    """The table grows by nitrogen, the references follow, and the first evaluation is told before any step."""
    rng, data = np.random.default_rng(2), []
    for i in range(16):
        atoms = molecule(("NH3", "H2O", "CH4")[i % 3])
        atoms.positions += rng.normal(0, 0.05, atoms.positions.shape)
        data.append(labelled(atoms))
        data[-1].calc.results["energy"] -= 20 * len(atoms)
    path, run = written(tmp_path / "data.xyz", *data), tmp_path / "run"
    assert symjax("train", "--init", trained, *BRIEF, "--epochs", "1", "--data", path, "--out", run) == 0
    told, blueprint = capsys.readouterr(), read_blueprint(run)
    assert blueprint.species == (1, 6, 8, 7)
    assert blueprint.options["average_neighbours"] == read_blueprint(trained).options["average_neighbours"]
    assert blueprint.references.scale == read_blueprint(trained).references.scale
    assert load(run).params["params"]["embedding"].shape == (4, 2)
    assert "references (eV) H -" in told.err
    assert "(new)" in told.err
    lines = told.err.splitlines()
    assert [line.split(",")[0] for line in lines if line.startswith("epoch")] == ["epoch 0", "epoch 1"]
    assert "MAE before fine-tuning" in told.out
    assert report_of(run)["before fine-tuning"]["energy, meV/atom"]["mae"] < 2000


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--channels", "8"], "is of a model with --channels 2, not 8; leave the option out"),
        (["--charges", "True"], "is of a model with --charges False, not True; leave the option out"),
        (["--model", "nequip"], "is of --model schnet, not nequip; leave the option out"),
        (
            ["--freeze", "layer_7"],
            "--freeze layer_7 names no parameter; there are embedding, hidden/bias, hidden/kernel",
        ),
        (["--freeze", "*"], "--freeze * names all parameters"),
        (["--property", "dipole"], "predicts energy, not dipole"),
    ],
)
def test_what_contradicts_the_run_is_refused(trained, tmp_path, refuses, words, told):
    data = written(tmp_path / "data.xyz", *(water(dipole=np.zeros(3)) for _ in range(9)))
    command = ["train", "--init", trained, "--preset", "tiny", "--valid", "1", "--test", "1", "--data", data, *words]
    refuses([*command, "--out", tmp_path / "run"], told)
    assert not (tmp_path / "run" / "model.json").exists()


def test_there_is_nothing_to_freeze_without_a_run(files, tmp_path, refuses):
    words = ["--preset", "tiny", "--test", "4", "--data", files / "molecules.xyz", "--out", tmp_path / "run"]
    refuses(["train", *words, "--freeze", "embedding"], "name the run with --init")
    refuses(["train", *words, "--references", "residual"], "--references is fit, isolated or a table")
