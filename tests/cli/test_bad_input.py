"""Bad input ends with exit code 2 and one sentence; a bug does not hide behind one."""

import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import sys

import ase
import ase.io
import jax
import numpy as np
import optax
import pytest
from ase.build import molecule
from ase.calculators.singlepoint import SinglePointCalculator

from symjax.cli.config import PRESETS
from symjax.cli.dataset import load_data
from symjax.cli.main import main
from symjax.cli.run import Blueprint, write_run
from symjax.potentials.references import References
from symjax.training import CheckpointStore, Progress, init_state
from symjax.training.state import save_state

from .command import symjax

TRAIN = ["train", "--preset", "tiny", "--test", "4"]


@pytest.fixture(scope="module")
def run(tmp_path_factory, files):
    """A run directory of a network for H, C and O whose parameters are zeros."""
    folder = tmp_path_factory.mktemp("runs") / "zeros"
    config = dataclasses.replace(PRESETS["tiny"], data=files / "molecules.xyz", out=folder)
    options = dataclasses.asdict(config.net) | {"species": 3, "average_neighbours": 4.0}
    references = References({1: -1.0, 6: -2.0, 8: -3.0})
    blueprint = Blueprint("nequip", options, (1, 6, 8), references, {"structures": 0, "devices": jax.device_count()})
    write_run(folder, config, blueprint)
    with jax.enable_x64(False), CheckpointStore(folder / "checkpoints") as store:
        state = init_state(blueprint.shapes(), optax.sgd(0.1), key=jax.random.key(0), ema=True)
        save_state(store, state, Progress(epoch=1, step=1))
    return folder


@pytest.fixture
def copy(run, tmp_path):
    """A copy of the run to spoil."""
    return pathlib.Path(shutil.copytree(run, tmp_path / "copy"))


def edit(path, change):
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def written(path, *structures):
    ase.io.write(path, list(structures), format="extxyz")
    return path


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--energy-key", "E"], ["energy under 'E'", "forces", "energy_key"]),
        (["--forces-key", "F"], ["forces under 'F'"]),
        (["--units", "kcal"], ["unknown energy unit 'kcal'", "kcal/mol"]),
        (["--length", "mile"], ["unknown length unit 'mile'"]),
        (["--references", "isolated"], ["isolated atoms", "fit or a table"]),
        (["--references", "H:-13"], ["--references", "H=-13.6", "'H:-13'"]),
        (["--references", "H=-13,Q=2"], ["--references", "'Q'"]),
        (["--references", "H=-13,C=-5"], ["no reference energy for O"]),
        (["--energy-weight", "heavy"], ["--energy-weight", "'heavy'"]),
        (["--forces-weight", "0:1,x:2"], ["--forces-weight", "0:1,5000:10"]),
        (["--energy-weight", "nan"], ["--energy-weight", "'nan'"]),
        (["--valid", "12"], ["16 structures", "12 for validation", "--valid"]),
        (["--valid", "0"], ["--valid", "not 0"]),
        (["--valid", "1.5"], ["--valid", "not 1.5"]),
        (["--epochs", "0"], ["--epochs", "at least 1"]),
        (["--evaluate-every", "0"], ["--evaluate-every"]),
        (["--patience", "0"], ["--patience"]),
        (["--batch-size", "0"], ["--batch-size"]),
        (["--learning-rate", "-1"], ["--learning-rate", "positive"]),
        (["--ema", "1"], ["--ema"]),
        (["--seed", "-1"], ["--seed"]),
        (["--cutoff", "0.1"], ["0.1 Å", "--cutoff"]),
        (["--cutoff", "-1"], ["cutoff", "-1"]),
        (["--channels", "0"], ["channels", "at least 1"]),
        (["--stress-key", "stress"], ["stress under 'stress'"]),
    ],
    ids=lambda value: " ".join(value) if value[0].startswith("--") else "",
)
def test_options_that_cannot_be(files, tmp_path, refuses, options, words):
    refuses([*TRAIN, "--data", files / "molecules.xyz", "--out", tmp_path / "run", *options], *words)
    assert not (tmp_path / "run").exists()


def test_files_that_cannot_be(tmp_path, refuses):
    good = ase.io.read(written(tmp_path / "one.xyz", water()))
    bad = {
        "absent.xyz": (None, "there is no file"),
        "empty.xyz": ("", "is empty"),
        "words.xyz": ("three little words", "cannot read"),
        "nobody.xyz": ('0\nProperties=species:S:1:pos:R:3:forces:R:3 energy=0.0 pbc="F F F"\n', ""),
        "nan.xyz": ((tmp_path / "one.xyz").read_text().replace("energy=1.0", "energy=nan"), "'energy' is not finite"),
        "flat.xyz": ((tmp_path / "one.xyz").read_text().replace('pbc="F F F"', 'pbc="T T T"'), "lattice vectors"),
    }
    assert good.get_potential_energy() == 1.0
    for name, (text, words) in bad.items():
        if text is not None:
            (tmp_path / name).write_text(text * (12 if name == "flat.xyz" else 1))
        refuses([*TRAIN, "--data", tmp_path / name, "--out", tmp_path / "run"], name * (name != "flat.xyz"), words)


def water(**labels):
    atoms = molecule("H2O")
    atoms.calc = SinglePointCalculator(atoms, **{"energy": 1.0, "forces": np.ones((3, 3))} | labels)
    return atoms


def test_an_element_that_training_does_not_see(files, tmp_path, refuses):
    gold = water()
    gold.numbers[0] = 79
    frames = [*ase.io.read(files / "molecules.xyz", ":"), gold]
    data = written(tmp_path / "gold.xyz", *frames)
    place = np.flatnonzero(np.random.default_rng(0).permutation(17) == 16)[0]
    assert place < 9, "gold is in the training part with seed 0"
    seed = next(s for s in range(99) if np.flatnonzero(np.random.default_rng(s).permutation(17) == 16)[0] >= 9)
    refuses([*TRAIN, "--data", data, "--out", tmp_path / "run", "--seed", str(seed)], "AuH2", "--seed")


def test_stress_of_something_without_volume(files, tmp_path, refuses):
    mixed = [*ase.io.read(files / "crystals.xyz", ":"), water(stress=np.zeros(6))]
    data = written(tmp_path / "mixed.xyz", *mixed)
    refuses([*TRAIN, "--data", data, "--stress-key", "stress", "--out", tmp_path / "run"], "structure 12", "periodic")


def test_periodic_and_open_structures_in_one_file(files, tmp_path, refuses):
    """Isolated atoms are open too, but no structures."""
    atom = ase.Atoms("Cu")
    atom.calc = SinglePointCalculator(atom, energy=0.0, forces=np.zeros((1, 3)))
    crystals = [atom, *ase.io.read(files / "crystals.xyz", ":")]
    pure, mixed = written(tmp_path / "pure.xyz", *crystals), written(tmp_path / "mixed.xyz", *crystals, water())
    words = ("mixed.xyz mixes", "first structure 0, Cu2", "first structure 12, OH2", "periodic box")
    refuses([*TRAIN, "--data", mixed, "--out", tmp_path / "run"], *words)
    assert len(load_data(dataclasses.replace(PRESETS["tiny"], data=pure))) == 12


@pytest.mark.parametrize(
    ("energy", "options", "words"),
    [
        (-100.0, (), None),
        (-104.0 / 0.0433641042, (), "they would fit in kcal/mol: try --units kcal/mol"),
        (-104.0 / 0.0433641042, ("--units", "kcal/mol"), None),
        (-104.0, ("--units", "kcal/mol"), "they would fit in ev"),
        (-404.0, (), "read in eV, are 100 eV per atom from the predicted ones; check --units"),
    ],
)
def test_energies_in_another_unit(run, tmp_path, capsys, energy, options, words):
    """The network of zeros predicts the references, -5 eV for water, and here -104."""
    folder = pathlib.Path(shutil.copytree(run, tmp_path / "far"))
    edit(folder / "model.json", lambda data: data["references"].update(shift=-33.0))
    data = written(tmp_path / "water.xyz", water(energy=energy))
    assert symjax("evaluate", folder, "--data", data, *options) == 0
    said = capsys.readouterr().err
    assert words in said if words else "per atom" not in said


def test_folders_that_cannot_be_written(files, run, tmp_path, refuses):
    data = ["--data", files / "molecules.xyz"]
    refuses([*TRAIN, *data, "--out", run], "already holds a run", "--resume")
    refuses([*TRAIN, *data, "--out", files / "molecules.xyz" / "run"], "Not a directory")
    refuses([*TRAIN, *data, "--distributed", "True"], "--distributed needs --out")
    refuses([*TRAIN, *data, "--distributed", "True", "--out", tmp_path / "run"], "no other processes")


@pytest.mark.skipif(not pathlib.Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk(files, run, tmp_path, refuses):
    (tmp_path / "run").mkdir()
    for name in ("run/model.partial", "out.xyz"):
        (tmp_path / name).symlink_to("/dev/full")
    refuses([*TRAIN, "--data", files / "molecules.xyz", "--out", tmp_path / "run"], "model.json", "No space left")
    refuses(["predict", run, "--input", files / "molecules.xyz", "--output", tmp_path / "out.xyz"], "No space left")


def test_structures_the_model_does_not_know(files, run, tmp_path, refuses):
    copper = files / "crystals.xyz"
    refuses(["evaluate", run, "--data", copper], "structure 0 (Cu2)", "29", "only knows the elements")
    refuses(["predict", run, "--input", copper, "--output", tmp_path / "out.xyz"], "structure 0 (Cu2)", "29")
    refuses(["check", run, "--data", copper], "29")
    refuses(["check", run, "--data", written(tmp_path / "atom.xyz", ase.Atoms("H"))], "no two atoms of H", "--data")
    assert not (tmp_path / "out.xyz").exists()


def test_outputs_of_another_kind_or_nowhere(files, run, tmp_path, refuses):
    predict = ["predict", run, "--input", files / "molecules.xyz", "--output"]
    refuses([*predict, tmp_path / "out.cif"], "FILE.xyz", "out.cif")
    refuses([*predict, tmp_path / "nowhere" / "out.xyz"], "there is no folder", "nowhere")


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

    check(lambda data: data.update(name="mace"), "'mace'", "nequip")
    check(lambda data: data["options"].update(channels=8), "of another model", "[3, 4] there and float32[3, 8]")
    check(lambda data: data["options"].update(layers=3), "of another model", "ema/params/layer_1")
    check(lambda data: data["options"].update(width=3), "model.json", "width")
    check(lambda data: data.pop("species"), "model.json", "species")
    check(lambda data: data["references"].pop("scale"), "model.json", "scale")


def test_a_damaged_run(files, copy, refuses):
    evaluate = ["evaluate", copy, "--data", files / "molecules.xyz"]
    for path in (copy / "checkpoints" / "1").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:-1])
    refuses(evaluate, "no checkpoint", "damaged")
    shutil.rmtree(copy / "checkpoints" / "1")
    refuses(evaluate, "no checkpoints yet")
    (copy / "run.json").write_text((copy / "run.json").read_text()[:-20])
    refuses(["train", "--resume", copy], "run.json is damaged")
    (copy / "run.json").write_text("[]")
    refuses(["train", "--resume", copy], "run.json is damaged: expected a JSON object")
    (copy / "model.json").write_bytes(b"\xff{}")
    refuses(evaluate, "model.json is damaged")


def test_a_resumed_run_is_the_same_run(files, copy, refuses):
    refuses(["train", "--resume", copy, "--epochs", "300"], "epochs = 2, not 300")
    refuses(["train", "--resume", copy, "--channels", "5"], "channels = 4, not 5")
    refuses(["train", "--resume", copy, "--preset", "base"], "preset = tiny, not base")
    refuses(["train", "--resume", copy, "--out", "elsewhere"], "out = ", "not elsewhere")
    refuses(["train", "--resume", copy, "--preset", "tiny"], "the training data are not those")
    edit(copy / "model.json", lambda model: model["statistics"].update(devices=3))
    refuses(["train", "--resume", copy], "was started on 3 devices, not 4")


@pytest.mark.parametrize(
    ("mistake", "error"),
    [
        (lambda *_: np.zeros(2) + np.zeros(3), ValueError),
        (lambda *_: jax.numpy.zeros(2).reshape(3), TypeError),
        (lambda *_: {}["absent"], KeyError),
    ],
)
def test_a_bug_keeps_its_traceback(files, run, monkeypatch, mistake, error):
    monkeypatch.setattr("symjax.cli.evaluate.load_potential", mistake)
    with pytest.raises(error):
        main(["evaluate", str(run), "--data", str(files / "molecules.xyz")])


@pytest.mark.parametrize("words", [["fly"], [], ["train", "--epochs", "many"], ["train", "--preset", "huge"]])
def test_words_that_do_not_parse(words, capsys):
    assert symjax(*words) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_help_imports_nothing_heavy():
    script = """
import sys
from symjax.cli.main import main
for words in (["--help"], ["train", "--help"]):
    try:
        main(words)
    except SystemExit as ended:
        assert ended.code == 0
print(sorted({"jax", "flax", "ase", "scipy", "matplotlib", "orbax"} & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=os.environ, check=True)
    assert "evaluate" in done.stdout
    assert "--learning-rate" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"
