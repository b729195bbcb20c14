"""An experiment is trained once, goes on where it was stopped, and is not mistaken for another."""

import dataclasses
import json
import os
import pathlib
import signal

import jax.numpy as jnp
import numpy as np
import pytest

from symjax.data import Rows
from symjax.training import Recipe, Task, command_line, read_report, run_experiment

RECIPE = Recipe(epochs=4, optimizer="adam", learning_rate=0.1, warmup=0, ema=0.0, clip=None, evaluate_every=1)


@dataclasses.dataclass(frozen=True)
class Options:
    rows: int = 12


@dataclasses.dataclass(frozen=True)
class Stopped(Rows):
    """Rows whose fifth batch comes with a signal; the first that is loaded is for the parameters."""

    def load(self, shards):
        self.loads.append(shards)
        if len(self.loads) == 6:
            os.kill(os.getpid(), signal.SIGTERM)
        return super().load(shards)

    loads: list = dataclasses.field(default_factory=list)


def prepare(options, recipe, kind=Rows):
    """Learn the mean of some numbers."""
    numbers = np.random.default_rng(0).normal(size=options.rows)

    def loss(params, batch, key):
        return {"mse": batch.total((batch.rows - params["mean"]) ** 2)}

    rows = kind(numbers, 4, recipe.seed)
    task = Task(lambda key, batch: {"mean": jnp.zeros(())}, loss, {"mse": 1.0}, rows, Rows(numbers, 12))
    return task, lambda result: {"bias": float(result.best_params["mean"]) - numbers.mean(), "epochs": [1, 2]}


def forbidden(options, recipe):
    raise AssertionError("it was trained already")


def test_it_trains_once_and_then_reads(tmp_path, capsys):
    folder = tmp_path / "a" / "b"
    errors = run_experiment("toy", Options(), RECIPE, folder, prepare)
    assert abs(errors["bias"]) < 0.5
    assert read_report(folder)["errors"] == errors
    assert json.loads((folder / "run.json").read_text())["options"] == {"rows": 12}
    assert len((folder / "metrics.jsonl").read_text().splitlines()) == 4
    assert (folder / "learning_curve.png").exists()
    assert run_experiment("toy", Options(), RECIPE, folder, forbidden) == errors
    assert f"{folder} is trained already\n" in capsys.readouterr().err
    with pytest.raises(ValueError, match="was started with rows = 12, not 13"):
        run_experiment("toy", Options(13), RECIPE, folder, forbidden)


def test_stopped_by_a_signal_it_goes_on_to_the_same_bits(tmp_path, capsys):
    whole = run_experiment("toy", Options(), RECIPE, tmp_path / "whole", prepare)
    stopped = lambda options, recipe: prepare(options, recipe, Stopped)  # noqa: E731
    with pytest.raises(SystemExit, match="stopped by a signal after step 5; the same command goes on") as stop:
        run_experiment("toy", Options(), RECIPE, tmp_path / "cut", stopped)
    assert stop.value.code == 143
    assert read_report(tmp_path / "cut") is None
    with pytest.raises(ValueError, match="was started with seed = 0, not 1"):
        run_experiment("toy", Options(), dataclasses.replace(RECIPE, seed=1), tmp_path / "cut", forbidden)
    assert run_experiment("toy", Options(), RECIPE, tmp_path / "cut", prepare) == whole
    assert "going on after epoch 1, step 5\n" in capsys.readouterr().err


def test_what_cannot_begin_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="at least one"):
        run_experiment("toy", Options(0), RECIPE, tmp_path, prepare)
    with pytest.raises(ValueError, match="--epochs must be at least 1"):
        run_experiment("toy", Options(), dataclasses.replace(RECIPE, epochs=0), tmp_path, forbidden)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "checkpoints" / "3").mkdir(parents=True)
    with pytest.raises(ValueError, match=r"holds checkpoints but no run\.json"):
        run_experiment("toy", Options(), RECIPE, tmp_path, forbidden)


@dataclasses.dataclass(frozen=True)
class Config:
    options: Options = dataclasses.field(default_factory=Options)
    recipe: Recipe = RECIPE
    preset: str = "small"
    out: pathlib.Path = pathlib.Path("runs/toy")


PRESETS = {"tiny": Config(Options(2), preset="tiny"), "small": Config()}


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        ([], Config()),
        (["--preset", "tiny"], PRESETS["tiny"]),
        (["--rows", "5", "--preset", "tiny", "--out", "x"], Config(Options(5), preset="tiny", out=pathlib.Path("x"))),
        (["--epochs", "9", "--clip", "2"], Config(recipe=dataclasses.replace(RECIPE, epochs=9, clip=2.0))),
    ],
)
def test_the_command_line_is_a_preset_and_what_is_named(arguments, asked, monkeypatch):
    monkeypatch.setattr("sys.argv", ["toy", *arguments])
    assert command_line(PRESETS, "A toy.") == asked


def test_the_command_line_refuses_what_it_does_not_know(monkeypatch, capsys):
    for arguments in (["--preset", "huge"], ["--rows", "few"], ["--nonsense", "1"]):
        monkeypatch.setattr("sys.argv", ["toy", *arguments])
        with pytest.raises(SystemExit) as stop:
            command_line(PRESETS, "A toy.")
        assert stop.value.code == 2
