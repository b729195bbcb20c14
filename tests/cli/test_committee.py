"""A committee by the command: trained, calibrated, evaluated, and its deviations written."""

import json
import shutil

import ase.io
import jax
import numpy as np
import pytest

from symjax import load
from symjax.data import Structures, read_structures, write_structures

from .command import OPTIONS, SMALL, edit, symjax, water, written


@pytest.fixture(scope="module")
def committee(files):
    """The folder of a run of three networks."""
    folder = files / "committee"
    with jax.enable_x64(False):
        options = [*SMALL, "--test", "4", "--epochs", "1", "--committee", "3"]
        assert symjax("train", *options, "--data", files / "molecules.xyz", "--out", folder) == 0
    return folder


def test_a_run_of_a_committee_is_one_run(committee):
    assert {"calibration.json", "calibration.png", "parity.png"} <= {path.name for path in committee.iterdir()}
    report, potential = json.loads((committee / "report.json").read_text()), load(committee)
    assert report["compilations"] == {"train": 1, "evaluation": 1}
    assert potential.members == 3
    assert {leaf.shape[0] for leaf in jax.tree.leaves(potential.params)} == {3}
    assert all(factor > 0 for factor in potential.calibration.values())
    assert {"energy", "forces"} == potential.calibration.keys()
    [record] = [json.loads(line) for line in (committee / "metrics.jsonl").read_text().splitlines()]
    assert all(isinstance(record[name], float) for name in ("train_loss", "valid_forces_mae"))


def test_evaluate_prints_the_calibration_and_predict_writes_deviations(committee, files, tmp_path, capsys):
    data, output, picture = files / "molecules.xyz", tmp_path / "out.xyz", tmp_path / "calibration.png"
    assert symjax("evaluate", committee, "--data", data, "--picture", picture) == 0
    printed = capsys.readouterr().out
    assert "NLL" in printed
    assert f"{load(committee).calibration['forces']:.2f}" in printed
    assert picture.exists()
    assert symjax("predict", committee, "--input", data, "--output", output) == 0
    assert "energy_deviation (eV)" in capsys.readouterr().out
    expected = load(committee).predict(read_structures(data))
    for i, atoms in enumerate(ase.io.read(output, ":")):
        assert atoms.info["energy_deviation"] == pytest.approx(expected.labels["energy_deviation"][i], abs=1e-5)
        np.testing.assert_allclose(atoms.arrays["forces_deviation"], expected.labels["forces_deviation"][i], atol=1e-6)
    np.testing.assert_allclose(ase.io.read(output, 0).get_forces(), expected.forces[0], atol=1e-5)


def test_dynamics_stops_where_members_disagree_and_goes_on_when_asked(committee, tmp_path, capsys):
    start, free, watched = written(tmp_path / "in.xyz", water()), tmp_path / "free.xyz", tmp_path / "watched.xyz"
    hot = ["md", committee, "--structure", start, "--temperature", "2000", "--seed", "5", "--record-every", "1"]
    assert symjax(*hot, "--steps", "6", "--out", free) == 0
    largest = [frame.arrays["forces_deviation"].max() for frame in ase.io.read(free, ":")]
    assert max(largest[:3]) < largest[3]
    limit = (max(largest[:3]) + largest[3]) / 2
    assert symjax(*hot, "--steps", "6", "--stop-at", limit, "--out", watched) == 1
    assert f"stopped at step 3, where a force deviates by {largest[3]:.3g} eV/Å" in capsys.readouterr().err
    assert [frame.info["step"] for frame in ase.io.read(watched, ":")] == [0, 1, 2, 3]
    assert symjax("md", "--resume", watched, "--stop-at", "1e3") == 0
    assert watched.read_bytes() == free.read_bytes()


def test_relaxed_structures_have_deviations(committee, tmp_path):
    start, rest = written(tmp_path / "in.xyz", water()), tmp_path / "rest.xyz"
    symjax("relax", committee, "--structure", start, "--steps", "2", "--out", rest)
    assert symjax("predict", committee, "--input", rest, "--output", tmp_path / "out.xyz") == 0
    found, expected = ase.io.read(rest), ase.io.read(tmp_path / "out.xyz")
    assert found.info["energy_deviation"] == pytest.approx(expected.info["energy_deviation"], abs=1e-5)
    np.testing.assert_allclose(found.arrays["forces_deviation"], expected.arrays["forces_deviation"], atol=1e-5)


def test_deviations_of_another_model_are_not_kept_beside_new_energies(tmp_path):
    atoms = ase.io.read(written(tmp_path / "in.xyz", water()))
    atoms.info["energy_deviation"], atoms.arrays["forces_deviation"] = 0.1, np.ones(3)
    write_structures(tmp_path / "out.xyz", Structures((atoms,), {"energy": np.zeros(1)}))
    after = ase.io.read(tmp_path / "out.xyz")
    assert "energy_deviation" not in after.info
    assert "forces_deviation" not in after.arrays


def test_the_laws_of_deviations_are_measured(committee, capsys):
    assert symjax("check", committee) == 0
    printed = capsys.readouterr().out
    assert "forces_deviation of" in printed
    assert printed.count("obeyed") == 8


def test_a_calibration_of_another_run_is_refused(committee, files, refuses):
    path = committee / "calibration.json"
    kept = path.read_text()
    edit(path, lambda data: data.update(run="0-0"))
    refuses(["evaluate", committee, "--data", files / "molecules.xyz"], "calibration.json", "of another run")
    edit(path, lambda data: data.update(json.loads(kept), factors={"energy": -1.0}))
    refuses(["predict", committee, "--input", files / "molecules.xyz", "--output", "out.xyz"], "positive number")
    path.write_text(kept)


def test_no_committee_is_smaller_than_one(files, tmp_path, refuses):
    data = ["--data", files / "molecules.xyz", "--out", tmp_path / "run"]
    refuses(["train", *OPTIONS, "--committee", "0", *data], "--committee must be at least 1, not 0")
    refuses(["train", *OPTIONS, "--committee", "-2", *data], "not -2")


def test_the_last_layer_of_a_single_model_gives_deviations(trained, files, tmp_path, capsys):
    evaluate = ["evaluate", trained, "--data", files / "molecules.xyz", "--uncertainty", "last-layer"]
    assert symjax(*evaluate, "--picture", tmp_path / "calibration.png") == 0
    printed = capsys.readouterr().out
    assert "NLL" in printed
    assert printed.count("energy, meV/atom") == 2
    assert (tmp_path / "calibration.png").exists()


def test_the_last_layer_asks_for_the_data_of_the_run(trained, committee, files, tmp_path, refuses):
    evaluate = ["--data", files / "molecules.xyz", "--uncertainty", "last-layer"]
    refuses(["evaluate", committee, *evaluate], "is a committee of 3; leave --uncertainty last-layer out")
    run = shutil.copytree(trained, tmp_path / "run")
    others = ase.io.read(files / "molecules.xyz", ":")[::-1]
    ase.io.write(tmp_path / "others.xyz", others, format="extxyz")
    for name, words in (("others.xyz", "changed since"), ("gone.xyz", "cannot be read")):
        edit(run / "run.json", lambda data, name=name: data["options"].update(data=[str(tmp_path / name)]))
        refuses(["evaluate", run, *evaluate], f"the last layer of {run} needs the data", name, words)


def test_members_are_not_begun_alike(trained, files, tmp_path, refuses):
    data = ["--data", files / "molecules.xyz", "--out", tmp_path / "run"]
    refuses(["train", *OPTIONS, "--init", trained, "--committee", "2", *data], "begin alike")


def test_a_committee_is_not_fine_tuned(committee, files, tmp_path, refuses):
    data = ["--data", files / "molecules.xyz", "--out", tmp_path / "run"]
    refuses(["train", *OPTIONS, "--init", committee, *data], "is a committee of 3; begin with a run of a single model")


def test_a_single_model_has_no_deviations_of_a_committee(trained, files, refuses):
    evaluate = ["evaluate", trained, "--data", files / "molecules.xyz"]
    refuses([*evaluate, "--uncertainty", "committee"], "single model", "--uncertainty last-layer")
    refuses([*evaluate, "--picture", "c.png"], "no deviations to draw")
