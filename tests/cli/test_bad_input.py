"""Bad input ends with exit code 2 and one sentence."""

import pathlib
import shutil
import signal

import ase
import ase.io
import numpy as np
import pytest

from symjax.potentials import identity_of
from symjax.training import CheckpointStore, FitResult, OtherModelError, Progress

from .command import edit, symjax, water, written

TRAIN = ["train", "--preset", "tiny", "--test", "4"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--energy-key", "E"], ["energy under 'E'", "forces", "--energy-key"]),
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
        (["--energy-weight", "0", "--forces-weight", "0:0,9:0"], ["--energy-weight and --forces-weight of 0"]),
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
        (["--channels", "1000000000"], ["channels of at most 1000000, got 1000000000"]),
        (["--channels", "1000000"], ["copies of the", "parameters of nequip would take about"]),
        (["--lmax", "50"], ["lmax of at most 11, got 50"]),
        (["--layers", "1000000"], ["layers of at most 100"]),
        (["--radial-widths", "4", "0"], ["radial_widths", "at least 1"]),
        (["--radial-widths", "1000000", "1000000"], ["parameters of nequip would take about"]),
        (["--batch-size", "1000000000"], ["--batch-size 1000000000 would take about"]),
        (["--stress-key", "stress"], ["stress under 'stress'"]),
        (["--property", "charm"], ["--property is dipole", "'charm'"]),
        (["--property", "dipole", "--property-key", "mu"], ["dipole under 'mu'", "--property-key"]),
        (["--weight-decay", "-1"], ["--weight-decay", "-1"]),
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
        "nobody.xyz": ('0\nProperties=species:S:1:pos:R:3:forces:R:3 energy=0.0 pbc="F F F"\n', "frame 0 has no atoms"),
        "nan.xyz": (
            (tmp_path / "one.xyz").read_text().replace("energy=1.0", "energy=nan"),
            "'energy', the energy, is not a number",
        ),
        "flat.xyz": ((tmp_path / "one.xyz").read_text().replace('pbc="F F F"', 'pbc="T T T"'), "lattice vectors"),
    }
    assert good.get_potential_energy() == 1.0
    for name, (text, words) in bad.items():
        if text is not None:
            (tmp_path / name).write_text(text * (12 if name == "flat.xyz" else 1))
        refuses([*TRAIN, "--data", tmp_path / name, "--out", tmp_path / "run"], name * (name != "flat.xyz"), words)


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
    data = written(tmp_path / "open.xyz", water(stress=np.zeros(6)))
    command = [*TRAIN, "--data", data, "--stress-key", "stress", "--out", tmp_path / "run"]
    refuses(command, "open.xyz, frame 0", "not periodic")


def test_more_images_than_fit_in_memory(files, run, tmp_path, refuses):
    refuses([*TRAIN, "--data", files / "crystals.xyz", "--cutoff", "3000"], "structure 0 (Cu2)", "images", "cutoff")
    thin = water()
    thin.set_cell(np.diag([1e-9, 5.0, 5.0]))
    thin.pbc = True
    data = written(tmp_path / "thin.xyz", water(), thin)
    refuses(["predict", run, "--input", data, "--output", tmp_path / "out.xyz"], "structure 1 (OH2)", "mend the cell")
    assert not (tmp_path / "out.xyz").exists()


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
def test_energies_in_another_unit(run, tmp_path, capsys, monkeypatch, energy, options, words):
    """The network of zeros predicts the references, -5 eV for water, and here -104."""
    folder = pathlib.Path(shutil.copytree(run, tmp_path / "far"))
    before = identity_of(run)
    monkeypatch.setattr("symjax.potentials.blueprint.identity_of", lambda folder: before)
    edit(folder / "model.json", lambda data: data["references"].update(shift=-33.0))
    data = written(tmp_path / "water.xyz", water(energy=energy))
    assert symjax("evaluate", folder, "--data", data, *options) == 0
    said = capsys.readouterr().err
    assert words in said if words else "per atom" not in said


def test_predictions_that_are_not_finite(copy, tmp_path, capsys, monkeypatch):
    before = identity_of(copy)
    monkeypatch.setattr("symjax.potentials.blueprint.identity_of", lambda folder: before)
    edit(copy / "model.json", lambda data: data["references"].update(shift=1e308))
    data = written(tmp_path / "water.xyz", water(), water())
    for command in (
        ["evaluate", copy, "--data", data],
        ["predict", copy, "--input", data, "--output", tmp_path / "o.xyz"],
    ):
        assert symjax(*command) == 0
        said = capsys.readouterr().err
        assert "the predicted energies of 2 of 2 structures are not finite (first structure 0, OH2)" in said
        assert "units" not in said


def test_folders_that_cannot_be_written(files, run, tmp_path, refuses):
    data = ["--data", files / "molecules.xyz"]
    refuses([*TRAIN, *data, "--out", run], "already holds a run", "--resume")
    refuses([*TRAIN, *data, "--out", run, "--distributed", "True"], "already holds a run")
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


def test_a_full_disk_is_named_by_the_file(files, run, tmp_path, refuses):
    (tmp_path / "out.xyz").symlink_to("/dev/full")
    refuses(
        ["predict", run, "--input", files / "molecules.xyz", "--output", tmp_path / "out.xyz"], tmp_path / "out.xyz"
    )
    (tmp_path / "out.png").symlink_to("/dev/full")
    refuses(
        ["basis", "SO(3)", "V", "V", "--out", tmp_path / "out.png"],
        tmp_path / "out.png",
        "No space left",
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_stopped_ends_as_the_shell_says(files, tmp_path, monkeypatch, capsys, number):
    result = FitResult(None, Progress(step=3), None, [], "signal", signal=number)
    monkeypatch.setattr("symjax.training.run._train", lambda *_, **__: result)
    assert symjax(*TRAIN, "--data", files / "molecules.xyz", "--out", tmp_path / "run") == 128 + number
    assert "stopped by a signal after step 3; go on with" in capsys.readouterr().err


@pytest.mark.parametrize(("wide", "advice"), [(True, "set JAX_ENABLE_X64"), (False, "unset JAX_ENABLE_X64")])
def test_a_run_of_another_precision_says_so(tmp_path, wide, advice):
    tree = {"params": {"w": np.ones(64)}, "rest": {"key": np.ones(2, np.uint32), "count": np.ones(1, np.int64)}}
    narrow = {
        "params": {"w": np.ones(64, np.float32)},
        "rest": {"key": np.ones(2, np.uint32), "count": np.ones(1, int)},
    }
    there, here = (tree, narrow) if wide else (narrow, tree)
    with CheckpointStore(tmp_path) as store:
        store.save(1, there, {})
        with pytest.raises(OtherModelError, match=f"is of another precision: params/w is .*; {advice}, as the run"):
            store.restore(here)


def test_structures_the_model_does_not_know(files, run, tmp_path, refuses):
    copper = files / "crystals.xyz"
    refuses(["evaluate", run, "--data", copper], "structure 0 (Cu2)", "Cu is not", "only knows the elements")
    refuses(["predict", run, "--input", copper, "--output", tmp_path / "out.xyz"], "structure 0 (Cu2)", "Cu is not")
    refuses(["check", run, "--data", copper], "Cu is not")
    refuses(["check", run, "--data", written(tmp_path / "atom.xyz", ase.Atoms("H"))], "no two atoms of H", "--data")
    assert not (tmp_path / "out.xyz").exists()


def test_outputs_of_another_kind_or_nowhere(files, run, tmp_path, refuses):
    predict = ["predict", run, "--input", files / "molecules.xyz", "--output"]
    refuses([*predict, tmp_path / "out.nothing"], "ASE writes no files of the name", "out.nothing", "FILE.xyz")
    refuses([*predict, tmp_path / "out", "--format", "nothing"], "the format nothing", "--format")
    refuses([*predict, tmp_path / "POSCAR"], "format vasp holds one structure, not 16", "FILE.xyz")
    refuses([*predict, tmp_path / "nowhere" / "out.xyz"], "there is no folder", "nowhere")
