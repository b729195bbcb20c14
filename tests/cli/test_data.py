"""The options that name data: several files, parts of their own, none to test on, and what is told of them once."""

import ase.io
import numpy as np
import pytest

from symjax.cli.verbs import train
from symjax.tasks import task_of
from symjax.training import absolute_data, plain, read_options

from .command import symjax, water, written


@pytest.fixture(scope="module")
def prepared(files, tmp_path_factory):
    """What `symjax train` learns from two files and a third for validation, with nothing held out."""
    folder = tmp_path_factory.mktemp("data")
    molecules = ase.io.read(files / "molecules.xyz", ":")
    molecules[0].arrays["force_mask"] = np.arange(len(molecules[0])) > 0
    for i, atoms in enumerate(molecules):
        atoms.info["config_type"] = ("alcohol", "water")[i % 3 == 0]
    written(folder / "a.xyz", *molecules[:6])
    written(folder / "b.xyz", *molecules[6:12])
    written(folder / "valid.xyz", *molecules[12:])
    names = [str(folder / name) for name in ("[ab].xyz", "valid.xyz", "run")]
    words = ["--model", "schnet", "--preset", "tiny", "--channels", "2", "--test", "0", "--data", names[0]]
    words += ["--valid-data", names[1], "--config-type-weights", "water=3"]
    command = train.parse([*words, "--optimizer", "adam"])
    return task_of("potential").prepare(command.options, command.recipe, folder / "run")


def test_parts_and_weights_reach_the_training(prepared):
    assert "structures 12 train, 4 valid, 0 test" in prepared.summary
    assert (len(prepared.test), prepared.measured) == (4, "validation")
    weights = {float(sample.weights["energy"][0]) for sample in prepared.task.train.samples}
    assert weights == {1.0, 3.0}
    assert sum(int((sample.weights["forces"] == 0).sum()) for sample in prepared.task.train.samples) == 1


def test_paths_are_kept_from_anywhere_and_come_back(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = absolute_data(train.parse(["--data", "a.xyz@:3", "runs/*/OUTCAR", "--test-data", "t.xyz"]).options)
    kept = plain(options)
    assert kept["data"] == [f"{tmp_path}/a.xyz@:3", f"{tmp_path}/runs/*/OUTCAR"]
    assert (kept["valid_data"], kept["test_data"]) == (None, [f"{tmp_path}/t.xyz"])
    assert read_options(tmp_path, type(options), kept).data == options.data
    before = kept | {"data": f"{tmp_path}/a.xyz"}
    assert read_options(tmp_path, type(options), before).data == (tmp_path / "a.xyz",)


def test_evaluate_takes_the_same_words_and_tells_once(run, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    bare = water()
    del bare.calc.results["forces"]
    written("a.xyz", water(), bare)
    written("b.xyz", water(), water())
    assert symjax("evaluate", run, "--data", "a.xyz", "b.xyz@:1") == 0
    said = capsys.readouterr()
    assert "3 structures of a.xyz, b.xyz@:1" in said.out
    assert said.err.count("forces: known for 2 of 3 structures") == 1


def test_words_that_go_together(files, tmp_path, refuses):
    data = files / "molecules.xyz"
    refuses(["train", "--valid-data", data], "--valid-data and --test-data go with --data")
    command = ["train", "--preset", "tiny", "--data", data, "--out", tmp_path / "run"]
    refuses([*command, "--config-type-weights", "ice=2"], "no structure has the config_type 'ice'", "there are none")
    refuses([*command, "--mask-key", "good"], "no column 'good'", "--mask-key")
    refuses([*command, "--virial-key", "v"], "no stress under 'v'", "--virial-key")
    refuses(["train", "--data", tmp_path], "is a folder", "OUTCAR")
    assert not (tmp_path / "run").exists()
