"""Run directories that are absent, damaged, of another model, or half there."""

import dataclasses
import re
import shutil

import ase.io
import pytest
from ase.build import molecule

from symjax.data import read_structures, split_data
from symjax.potentials import read_blueprint, write_blueprint
from symjax.tasks import task_of
from symjax.training import enter_run, read_options, read_run, write_run

from .command import edit, symjax, written


@pytest.mark.parametrize("verb", ["evaluate", "predict", "check", "train"])
def test_a_folder_that_is_not_a_run(files, tmp_path, refuses, verb):
    more = {
        "evaluate": ["--data", files / "molecules.xyz"],
        "predict": ["--input", files / "molecules.xyz", "--output", tmp_path / "out.xyz"],
    }.get(verb, [])
    command = ["train", "--resume", tmp_path] if verb == "train" else [verb, tmp_path, *more]
    refuses(command, f"{tmp_path} is not a run directory")


def test_a_run_of_another_model(files, copy, refuses):
    def check(change, *words):
        before = (copy / "model.json").read_text()
        edit(copy / "model.json", change)
        refuses(["evaluate", copy, "--data", files / "molecules.xyz"], *words)
        (copy / "model.json").write_text(before)

    same_shapes = ("checkpoint 1 in", "of another model of the same shapes")
    check(lambda data: data.update(species=[1, 8, 6]), *same_shapes)
    check(lambda data: data["references"]["energies"].update(H=-1.1), *same_shapes)
    check(lambda data: data["statistics"].update(structures=1), *same_shapes)
    check(lambda data: data.update(name="other"), "'other'", "nequip, painn, schnet")
    check(lambda data: data["options"].update(channels=8), "of another model", "[3, 4] there and float32[3, 8]")
    check(lambda data: data["options"].update(layers=3), "of another model", "ema/params/layer_1")
    check(lambda data: data["options"].update(width=3), "model.json", "width")
    check(lambda data: data.pop("species"), "model.json", "species")
    check(lambda data: data["references"].pop("scale"), "model.json", "scale")


def test_every_verb_says_that_it_serves_something_older(files, copy, tmp_path, capsys):
    shutil.copytree(copy / "checkpoints" / "1", copy / "checkpoints" / "2")
    metadata = copy / "checkpoints" / "2" / "meta" / "metadata"
    metadata.write_text(metadata.read_text().replace('"averaged"', '"avoided"'))
    data, output = files / "molecules.xyz", tmp_path / "out.xyz"
    for verb in (["evaluate", "--data", data], ["predict", "--input", data, "--output", output], ["check"]):
        capsys.readouterr()
        symjax(verb[0], copy, *verb[1:])
        said = capsys.readouterr().err.splitlines()
        assert re.match("passed over checkpoint 2 in .*; step 1 is served, the best that step 1 knew of$", said[0]), (
            verb
        )


def test_a_damaged_run(files, copy, refuses):
    evaluate = ["evaluate", copy, "--data", files / "molecules.xyz"]
    for path in (copy / "checkpoints" / "1").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:-1])
    refuses(evaluate, "no checkpoint", "damaged")
    shutil.rmtree(copy / "checkpoints" / "1")
    refuses(evaluate, "no checkpoints yet")
    shutil.rmtree(copy / "checkpoints")
    (copy / "checkpoints").write_text("")
    refuses(evaluate, "checkpoints is no folder")
    (copy / "model.json").write_bytes(b"\xff{}")
    refuses(evaluate, "model.json is damaged", "restore the file, or train anew")
    (copy / "run.json").write_text((copy / "run.json").read_text()[:-20])
    refuses(["train", "--resume", copy], "run.json is damaged")
    (copy / "run.json").write_text("[]")
    refuses(evaluate, "run.json is damaged: expected a JSON object")


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("run.json", {"recipe": {"epochs": "many"}}, "epochs should be a whole number, got 'many'"),
        ("run.json", {"recipe": {"epochs": True}}, "epochs should be a whole number, got True"),
        ("run.json", {"options": {"labels": [1]}}, "labels should be an object, got [1]"),
        (
            "run.json",
            {"options": {"labels": {"unit": "eV"}}},
            "labels has 'unit', which this version of symjax does not know",
        ),
        ("run.json", {"options": {"net": {"radial_widths": [4, "x"]}}}, "radial_widths should be a whole number"),
        ("run.json", {"options": {"data": 3}}, "data should be a list, got 3"),
        ("model.json", {"name": [1]}, "name should be a string, got [1]"),
        ("model.json", {"species": []}, "the options count 3 species, not 0"),
        ("model.json", {"species": "HCO"}, "species should be a list, got 'HCO'"),
        ("model.json", {"options": [1]}, "options should be an object"),
        ("model.json", {"options": {"species": 3}}, "options has no 'average_neighbours'"),
        ("model.json", {"references": None}, "references should be an object, got None"),
        ("model.json", {"references": {"energies": [1], "shift": 0, "scale": 1}}, "energies should be an object"),
        (
            "model.json",
            {"references": {"energies": {"H": "x"}, "shift": 0, "scale": 1}},
            "H should be a number, got 'x'",
        ),
        ("model.json", {"statistics": [1]}, "statistics should be an object"),
    ],
    ids=str,
)
def test_values_of_another_type(files, copy, refuses, name, change, words):
    edit(copy / name, lambda data: data.update(change))
    evaluate = ["evaluate", copy, "--data", files / "molecules.xyz"]
    refuses(["train", "--resume", copy] if name == "run.json" else evaluate, f"{name} is damaged: ", words)


def test_a_run_of_another_version(copy, refuses):
    edit(copy / "run.json", lambda data: data["options"].update(model="oracle"))
    refuses(["train", "--resume", copy], "there is no model 'oracle'", "nequip")
    edit(copy / "run.json", lambda data: data.update(task="fortune"))
    refuses(["train", "--resume", copy], "there is no task 'fortune'", "potential")
    refuses(["check", copy], "there is no task 'fortune'")


def test_a_run_is_enough_for_its_laws(copy, refuses):
    edit(copy / "run.json", lambda data: data["options"].update(data="/gone.xyz"))
    assert symjax("check", copy) == 1, "the energy of a network of zeros is vacuous"
    (copy / "structure.xyz").unlink()
    refuses(["check", copy], "no file", "structure.xyz")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda run: run["recipe"].update(learning_rate=1.0), ("model.json is of this run with other options",)),
        (lambda run: run["options"].update(batch_size=9), ("model.json is of this run with other options",)),
        (lambda run: run.update(identity="0123456789abcdef"), ("model.json is of another run",)),
        (lambda run: run.pop("identity"), ("model.json is of another run",)),
        (lambda run: run.update(identity=3), ("run.json is damaged: identity should be a string",)),
    ],
    ids=["rate", "batch", "other", "none", "number"],
)
def test_a_run_with_edited_options_is_refused_by_name(files, copy, refuses, change, words):
    edit(copy / "run.json", change)
    refuses(["evaluate", copy, "--data", files / "molecules.xyz"], *words)
    refuses(["train", "--resume", copy], *words)


def test_parts_of_two_runs_are_not_mixed(files, copy, tmp_path, refuses):
    """Of two runs with the same options, whose names differ."""
    had, other = read_run(copy), tmp_path / "other"
    options = read_options(copy, task_of(had.task).Options, had.options)
    with enter_run(other, had.task, options, had.recipe, resumed=False) as identity:
        write_run(other, had.task, options, had.recipe, identity)
    evaluate = ["evaluate", copy, "--data", files / "molecules.xyz"]
    blueprint = read_blueprint(copy)
    shutil.copy(other / "run.json", copy / "run.json")
    refuses(evaluate, "model.json is of another run")
    write_blueprint(copy, dataclasses.replace(blueprint, run=identity), molecule("H2O"))
    refuses(evaluate, "checkpoint 1 in", "is of another run")


def test_checkpoints_without_a_run_are_left_alone(files, copy, refuses):
    (copy / "run.json").unlink()
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("*")}
    options = ["--preset", "tiny", "--test", "4", "--data", files / "molecules.xyz"]
    refuses(["train", *options, "--out", copy], "checkpoints but no run.json", "another --out")
    assert {path: path.stat().st_mtime_ns for path in copy.rglob("*")} == before


def test_a_resumed_run_is_the_same_run(files, copy, refuses):
    refuses(["train", "--resume", copy, "--epochs", "300"], "epochs = 2, not 300")
    refuses(["train", "--resume", copy, "--channels", "5"], "channels = 4, not 5")
    refuses(["train", "--resume", copy, "--preset", "base"], "preset = tiny, not base")
    refuses(["train", "--resume", copy, "--out", "elsewhere"], "out = ", "not elsewhere")
    refuses(["train", "--resume", copy, "--preset", "tiny"], "the data are not those")
    edit(copy / "model.json", lambda model: model["statistics"].update(devices=3))
    refuses(["train", "--resume", copy], "was started on 3 devices, not 4")


def test_a_resumed_run_wants_its_test_data_too(files, trained, tmp_path, refuses):
    run = shutil.copytree(trained, tmp_path / "run")
    had = read_run(run)
    [data], parts = had.options["data"], {part: had.options[part] for part in ("valid", "test")}
    energy = split_data(read_structures(data), **parts, seed=had.recipe.seed).test.energy[0]
    structures = ase.io.read(data, ":")
    [tested] = [atoms for atoms in structures if atoms.get_potential_energy() == energy]
    tested.calc.results["energy"] += 1
    changed = str(written(tmp_path / "molecules.xyz", *structures))
    edit(run / "run.json", lambda data: data["options"].update(data=[changed]))
    refuses(["train", "--resume", run], "the data are not those")
