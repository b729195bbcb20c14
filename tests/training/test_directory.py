"""A run directory says what it was asked for and what came of it, and is not mistaken for another."""

import dataclasses
import json
import pathlib

import numpy as np
import pytest
from matplotlib.image import imread

from symjax.training import (
    FitResult,
    Recipe,
    Run,
    enter_run,
    free_folder,
    plain,
    plot_learning_curve,
    read_options,
    read_report,
    read_run,
    report_run,
    require_free,
    require_same,
    write_run,
)


@dataclasses.dataclass(frozen=True)
class Keys:
    energy_key: str | None = "energy"


@dataclasses.dataclass(frozen=True)
class Options:
    data: pathlib.Path | None = None
    sizes: tuple[int, ...] = (1, 2)
    rate: float = 0.5
    keys: Keys = dataclasses.field(default_factory=Keys)
    net: dict = dataclasses.field(default_factory=lambda: {"channels": 8})


RECIPE = Recipe(epochs=3, seed=4)
OPTIONS = Options(pathlib.Path("a.xyz"))


@pytest.fixture
def run(tmp_path):
    with enter_run(tmp_path / "run", "toy", OPTIONS, RECIPE, resumed=False) as identity:
        write_run(tmp_path / "run", "toy", OPTIONS, RECIPE, identity)
    return tmp_path / "run"


def test_a_run_says_what_it_was_asked_for(run):
    had = read_run(run)
    assert had == Run("toy", plain(OPTIONS), RECIPE, had.identity)
    assert read_options(run, Options, had.options) == OPTIONS
    with pytest.raises(ValueError, match=r"run\.json is damaged: options has 'data', which"):
        read_options(run, Keys, had.options)


def test_a_run_of_one_level_is_one_of_potentials(run):
    one = {"data": None, "out": "runs/x", "resume": None, "cutoff": 5.0} | plain(RECIPE)
    (run / "run.json").write_text(json.dumps(one))
    assert read_run(run) == Run("potential", {"data": None, "cutoff": 5.0}, RECIPE)


def test_only_the_same_run_goes_on(run):
    require_same(run, "toy", OPTIONS, RECIPE)
    for name, was, asked, changed in [
        ("task", "toy", "other", ("other", OPTIONS, RECIPE)),
        ("rate", 0.5, 0.25, ("toy", dataclasses.replace(OPTIONS, rate=0.25), RECIPE)),
        ("sizes", r"\[1, 2\]", r"\[3\]", ("toy", dataclasses.replace(OPTIONS, sizes=(3,)), RECIPE)),
        ("data", "a.xyz", "None", ("toy", dataclasses.replace(OPTIONS, data=None), RECIPE)),
        ("energy_key", "energy", "None", ("toy", dataclasses.replace(OPTIONS, keys=Keys(None)), RECIPE)),
        ("channels", 8, 16, ("toy", dataclasses.replace(OPTIONS, net={"channels": 16}), RECIPE)),
        ("seed", 4, 5, ("toy", OPTIONS, dataclasses.replace(RECIPE, seed=5))),
    ]:
        with pytest.raises(ValueError, match=f"was started with {name} = {was}, not {asked}; leave the option out"):
            require_same(run, *changed)


def test_a_folder_with_a_run_or_its_remains_is_not_free(run, tmp_path):
    require_free(tmp_path / "nothing")
    with pytest.raises(ValueError, match="run already holds a run"):
        require_free(run)
    (run / "run.json").unlink()
    require_free(run)
    (run / "checkpoints" / "12").mkdir(parents=True)
    with pytest.raises(ValueError, match=r"holds checkpoints but no run\.json"):
        require_free(run)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", r"run\.json is damaged: Expecting property name"),
        ('{"task": "toy", "options": {}}', r"run\.json is damaged: it has no 'recipe'"),
        ('{"task": "toy", "options": {}, "recipe": {"epochs": "many"}}', "epochs should be a whole number, got 'many'"),
    ],
)
def test_damage_is_named(run, text, sentence):
    (run / "run.json").write_text(text)
    with pytest.raises(ValueError, match=sentence):
        read_run(run)


def test_there_is_a_free_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert free_folder("a") == pathlib.Path("runs/a")
    for name in ("a", "a-2"):
        (tmp_path / "runs" / name).mkdir(parents=True)
    assert free_folder("a") == pathlib.Path("runs/a-3")


def test_a_report_holds_errors_and_where_they_come_from(run):
    assert read_report(run) is None
    history = [{"epoch": 1, "seconds": 1.25, "train_loss": 2.0}, {"epoch": 2, "seconds": 2.25, "train_loss": 1.0}]
    result = FitResult(None, None, None, history, "epochs", compilations={"train": 1})
    report_run(run, {"mse": np.inf, "curve": [1.0, 2.0]}, result, {})
    report = read_report(run)
    assert (report["errors"], report["seconds"]) == ({"mse": None, "curve": [1.0, 2.0]}, 3.5)
    assert report["compilations"] == {"train": 1}
    assert {"versions", "commit"} < report.keys()
    assert imread(run / "learning_curve.png").shape[:2] == (510, 630)


def test_a_learning_curve_has_a_panel_for_each_name_that_was_measured(tmp_path):
    history = [
        {"epoch": epoch, "train_loss": 4.0 / epoch, "train_mse": 2.0 / epoch, "train_mae": 1.0} for epoch in range(1, 5)
    ]
    for record in history[1::2]:
        record |= {"valid_loss": 5.0, "valid_mse": None, "valid_rmse": 2.0}
    for names, panels in [(("mse",), 1), (("mse", "rmse", "absent"), 2), (("absent",), 1), ((), 1)]:
        plot_learning_curve(tmp_path, history, dict.fromkeys(names, (1000.0, "meV")))
        height, width = imread(tmp_path / "learning_curve.png").shape[:2]
        assert (height, width) == (510, 630 * panels)
