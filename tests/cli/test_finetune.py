"""`symjax train --init RUN`: what a run has learnt goes on learning, from the same or from other data."""

import contextlib
import io
import json
import pathlib
import shutil

import jax
import numpy as np
import pytest
from ase.build import molecule

from symjax.cli.verbs import train
from symjax.potentials import identity_of, read_blueprint
from symjax.tasks import load, task_of

from .command import symjax, water, written
from .conftest import labelled

BRIEF = ["--preset", "tiny", "--test", "4"]


def report_of(run):
    return json.loads((run / "report.json").read_text())


def losses(run):
    return [json.loads(line)["valid_loss"] for line in (run / "metrics.jsonl").read_text().splitlines()]


def prepared(folder, *words, resumed=False):
    """What `symjax train` would learn, before it does."""
    command = train.parse([*map(str, words)])
    return task_of(command.task).prepare(command.options, command.recipe, folder, resumed=resumed)


@pytest.fixture(scope="module")
def tuned(files, trained, tmp_path_factory):
    """A run that goes on from a copy of the trained one with the same data, its embedding frozen; what it printed."""
    folder, printed, told = tmp_path_factory.mktemp("tuned"), io.StringIO(), io.StringIO()
    origin = shutil.copytree(trained, folder / "origin")
    words = ["--optimizer", "adam", "--epochs", "3", "--learning-rate", "4e-3"]
    words += ["--references", "keep", "--freeze", "embedding"]
    data = ["--data", files / "molecules.xyz", "--out", folder / "run"]
    with jax.enable_x64(False), contextlib.redirect_stdout(printed), contextlib.redirect_stderr(told):
        assert symjax("train", "--init", origin, *BRIEF, *words, *data) == 0
    return folder / "run", printed.getvalue(), told.getvalue()


@pytest.fixture
def moved(tuned, tmp_path):
    """A copy of that run, and the run it comes from out of its way."""
    origin = tuned[0].parent / "origin"
    origin.rename(tmp_path / "hidden")
    yield pathlib.Path(shutil.copytree(tuned[0], tmp_path / "run"))
    (tmp_path / "hidden").rename(origin)


def test_it_begins_with_what_was_learnt(tuned, trained):
    """Without a step predictions are those of the run: its errors on the same test set are those before."""
    origin, own = read_blueprint(trained), read_blueprint(tuned[0])
    assert report_of(tuned[0])["before fine-tuning"] == report_of(trained)["errors"]
    assert own.origin["run"] == str(tuned[0].parent / "origin")
    assert own.origin["identity"] == identity_of(trained)
    assert (own.name, own.options, own.species) == (origin.name, origin.options, origin.species)
    assert own.references == origin.references


def test_the_first_evaluation_is_printed_beside_the_last(tuned):
    _, printed, told = tuned
    epochs = [line.partition(",")[0] for line in told.splitlines() if line.startswith("epoch")]
    assert epochs == ["epoch 0", "epoch 1", "epoch 2", "epoch 3"]
    assert "references as they were" in told
    assert "MAE before" in printed


def test_frozen_parameters_have_the_bits_of_the_run(tuned, trained):
    before, after = (load(run).params["params"] for run in (trained, tuned[0]))
    same = jax.tree.map(np.array_equal, before, after)
    assert same.pop("embedding")
    assert not any(jax.tree.leaves(same))


def test_it_gets_further_than_from_scratch(tuned, trained):
    assert losses(tuned[0])[-1] < min(losses(trained))


def test_it_goes_on_without_the_run_it_comes_from(moved, tuned):
    task = prepared(moved, "--resume", moved, resumed=True)
    assert task.before == report_of(tuned[0])["before fine-tuning"]
    shutil.rmtree(moved / "checkpoints")
    with pytest.raises(ValueError, match="origin is not a run directory of symjax"):
        prepared(moved, "--resume", moved, resumed=True)


def test_a_run_killed_before_its_first_checkpoint_begins_again_with_the_same_bits(tuned, trained, tmp_path):
    run = pathlib.Path(shutil.copytree(tuned[0], tmp_path / "run"))
    shutil.rmtree(run / "checkpoints")
    again = prepared(run, "--resume", run, resumed=True).task.init(None, None)
    assert jax.tree.all(jax.tree.map(np.array_equal, again, load(trained).params))


def test_new_elements_and_labels_of_another_code(trained, tmp_path):
    """The table grows by nitrogen, and the references follow; what else there is stays as it is."""
    rng, data = np.random.default_rng(2), []
    for i in range(16):
        atoms = molecule(("NH3", "H2O", "CH4")[i % 3])
        atoms.positions += rng.normal(0, 0.05, atoms.positions.shape)
        data.append(labelled(atoms))
        data[-1].calc.results["energy"] -= 20 * len(atoms)
    words = [*BRIEF, "--data", written(tmp_path / "data.xyz", *data)]
    found, had = prepared(tmp_path / "run", "--init", trained, *words), read_blueprint(trained)
    own, params = (json.loads((tmp_path / "run" / "model.json").read_text()), found.task.init(None, None)["params"])
    assert own["species"] == [1, 6, 8, 7]
    assert own["options"] == had.options | {"species": 4}
    assert own["references"]["scale"] == had.references.scale
    np.testing.assert_array_equal(params["embedding"][:3], load(trained).params["params"]["embedding"])
    assert params["embedding"].shape == (4, 2)
    assert "references (eV) H -" in found.summary
    assert " (new)" in found.summary
    assert found.before["energy, meV/atom"]["mae"] < 2000
    with pytest.raises(ValueError, match="--references keep has no energy for N"):
        prepared(tmp_path / "kept", "--init", trained, *words, "--references", "keep")


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


def test_runs_of_something_else_are_no_beginning(tmp_path, refuses):
    refuses(["train", "--init", tmp_path], "is not a run directory of symjax")
    (tmp_path / "run.json").write_text(json.dumps({"task": "forecast", "options": {}, "recipe": {}}))
    refuses(["train", "--init", tmp_path], "is a run of the task forecast; begin with one of symjax train or symjax")


def test_there_is_nothing_to_freeze_without_a_run(files, tmp_path, refuses):
    words = ["--preset", "tiny", "--test", "4", "--data", files / "molecules.xyz", "--out", tmp_path / "run"]
    refuses(["train", *words, "--freeze", "embedding"], "name the run with --init")
    refuses(["train", *words, "--references", "residual"], "--references is fit, isolated or a table")
