"""What a training leaves behind, and what the other verbs make of it."""

import json
import math
import re
import subprocess
import sys

import ase
import ase.io
import jax
import matplotlib.image
import numpy as np
import pytest

from symjax.data import read_structures
from symjax.potentials import Potential, identity_of, read_blueprint
from symjax.tasks import load
from symjax.training import CheckpointStore, read_run, write_report

from .command import OPTIONS, SMALL, kill, symjax, written


def test_the_run_directory_is_complete(trained):
    assert {path.name for path in trained.iterdir()} == {
        "run.json",
        "model.json",
        "structure.xyz",
        "checkpoints",
        "metrics.jsonl",
        "report.json",
        "learning_curve.png",
        "parity.png",
    }
    run, blueprint = read_run(trained), read_blueprint(trained)
    assert (run.task, run.recipe.epochs, run.options["net"]["channels"]) == ("potential", 3, 2)
    assert blueprint.species == (1, 6, 8)
    assert blueprint.options["average_neighbours"] == blueprint.statistics["mean_neighbours"] > 0


def test_training_and_evaluation_compiled_once_and_are_reported(trained):
    report = json.loads((trained / "report.json").read_text())
    assert report["compilations"] == {"train": 1, "evaluation": 1}
    assert {"energy, meV", "energy, meV/atom", "forces, meV/Å", "forces on H, meV/Å"} <= report["errors"].keys()
    assert all(0 < row["mae"] <= row["rmse"] for row in report["errors"].values())


def test_metrics_are_one_record_an_epoch_and_the_loss_falls(trained):
    records = [json.loads(line) for line in (trained / "metrics.jsonl").read_text().splitlines()]
    assert [record["epoch"] for record in records] == [1, 2, 3]
    assert records[-1]["valid_loss"] < records[0]["valid_loss"]
    assert all(record["train_skipped"] == 0 for record in records)


@pytest.mark.parametrize("name", ["learning_curve.png", "parity.png"])
def test_pictures_show_something(trained, name):
    pixels = matplotlib.image.imread(trained / name)[..., :3]
    assert pixels.shape[0] > 300
    assert 0.005 < np.mean(pixels < 0.9) < 0.5


def test_evaluate_prints_the_errors_of_what_predict_writes(files, trained, tmp_path, capsys):
    data, output = files / "molecules.xyz", tmp_path / "out.xyz"
    assert symjax("evaluate", trained, "--data", data) == 0
    printed = capsys.readouterr().out
    assert symjax("predict", trained, "--input", data, "--output", output) == 0
    truth, found = (ase.io.read(path, ":") for path in (data, output))
    error = np.array([a.get_potential_energy() - b.get_potential_energy() for a, b in zip(truth, found, strict=True)])
    assert f"{1000 * np.abs(error).mean():.2f}"[:-3] in printed
    expected = load(trained).predict(read_structures(data))
    np.testing.assert_allclose([atoms.get_potential_energy() for atoms in found], expected.energy, atol=1e-5)
    np.testing.assert_allclose(found[3].get_forces(), expected.forces[3], atol=1e-5)
    assert "stress" not in found[0].calc.results


def test_predict_answers_isolated_atoms_too(files, trained, tmp_path):
    assert symjax("predict", trained, "--input", files / "isolated.xyz", "--output", tmp_path / "out.xyz") == 0
    found = ase.io.read(tmp_path / "out.xyz", ":")
    assert [len(atoms) for atoms in found[:3]] == [1, 1, 1]
    assert not found[0].get_forces().any()


def test_the_laws_of_a_trained_potential_are_measured(trained, capsys):
    assert symjax("check", trained) == 0
    printed = capsys.readouterr().out
    assert printed.count("obeyed") == 4
    assert "E(3)" in printed
    assert "BROKEN" not in printed


def test_check_exits_with_1_where_a_law_is_broken(trained, capsys, monkeypatch):
    def skewed(self, stress):
        return lambda params, graph: {"forces": graph.nodes.positions**2}

    monkeypatch.setattr(Potential, "labels", skewed)
    assert symjax("check", trained) == 1
    assert "BROKEN" in capsys.readouterr().out


def test_a_finished_run_resumes_to_its_report(trained, capsys):
    assert symjax("train", "--resume", trained) == 0
    assert "going on after epoch 3" in capsys.readouterr().err


def test_stresses_are_learnt_and_written_in_the_order_of_ase(files, tmp_path):
    data, run = files / "crystals.xyz", tmp_path / "run"
    options = [*SMALL, "--test", "2", "--cutoff", "3"]
    assert symjax("train", *options, "--data", data, "--stress-key", "stress", "--out", run) == 0
    assert "stress, meV/Å³" in json.loads((run / "report.json").read_text())["errors"]
    records = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert records[-1]["train_stress"] > 0
    assert symjax("predict", run, "--input", data, "--output", tmp_path / "out.xyz") == 0
    written = np.array([atoms.get_stress() for atoms in ase.io.read(tmp_path / "out.xyz", ":")])
    stress = load(run).predict(read_structures(data), stress=True).stress
    order = [(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)]
    np.testing.assert_allclose(written, np.array([[s[i] for i in order] for s in stress]), atol=1e-7)
    assert np.abs(written[:, 3:]).max() > 1e-6


def test_energies_alone_are_enough_with_isolated_atoms_as_references(files, tmp_path):
    run = tmp_path / "run"
    options = [*SMALL, "--epochs", "1", "--forces-key", "None"]
    data = ["--data", files / "isolated.xyz", "--references", "isolated", "--repulsion", "zbl"]
    assert symjax("train", *options, *data, "--energy-weight", "0:1,10:5", "--out", run) == 0
    energies = read_blueprint(run).references.energies
    alone = {atoms.numbers[0]: atoms.get_potential_energy() for atoms in ase.io.read(files / "isolated.xyz", ":3")}
    assert energies == pytest.approx(alone)
    apart = ase.Atoms("OH", [[0, 0, 0], [0, 0, 50]])
    close = ase.Atoms("OH", [[0, 0, 0], [0, 0, 0.2]])
    structures = written(tmp_path / "atoms.xyz", *map(ase.Atoms, "HCO"), apart, close)
    found = load(run).predict(read_structures(structures, energy_key=None, forces_key=None)).energy
    np.testing.assert_allclose(found[:4], [*alone.values(), alone[8] + alone[1]], rtol=0, atol=1e-6)
    assert found[4] - found[3] == pytest.approx(213, abs=20), "eV, of screened nuclei"
    assert "forces, meV/Å" not in json.loads((run / "report.json").read_text())["errors"]


def test_the_command_leaves_the_settings_of_jax_alone(trained, capsys):
    before = dict(jax.config.values)
    assert symjax("check", trained) == 0
    assert dict(jax.config.values) == before


def test_a_run_that_diverges_says_so(files, tmp_path, capsys):
    options = ["--learning-rate", "1e30", "--optimizer", "amsgrad", "--warmup", "0", "--clip", "1e30", "--epochs", "4"]
    data = ["--data", files / "molecules.xyz", "--out", tmp_path / "run"]
    assert symjax("train", *OPTIONS, *options, *data) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("symjax: no evaluation was finite in 4 epochs")
    assert "--learning-rate" in said
    assert not (tmp_path / "run" / "report.json").exists()


def test_numbers_that_are_not_finite_are_null_in_a_report(tmp_path):
    write_report(tmp_path, {"energy, meV": {"mae": math.nan, "rmse": math.inf}}, {"seconds": 1.5})
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]
    report = json.loads((tmp_path / "report.json").read_text(), parse_constant=pytest.fail)
    assert report == {"seconds": 1.5, "errors": {"energy, meV": {"mae": None, "rmse": None}}}


def test_a_killed_run_resumes_to_the_same_bits(files, trained, capsys):
    folder = files / "killed"
    kill("Graphs", 4, "train", *OPTIONS, "--data", files / "molecules.xyz", "--out", folder)
    assert symjax("train", "--resume", folder) == 0
    said = capsys.readouterr().err
    assert "going on after epoch 1" in said or "going on after epoch 2" in said
    ends = []
    for place in (trained, folder):
        with CheckpointStore(place / "checkpoints", identity=identity_of(place), read_only=True) as store:
            ends.append(store.restore({"params": None, "ema": None, "rest": None}))
    assert ends[0].step == ends[1].step == 3
    jax.tree.map(np.testing.assert_array_equal, ends[0].items, ends[1].items)
    assert len((folder / "metrics.jsonl").read_text().splitlines()) == 3


def test_two_racing_runs_have_one_winner(files, tmp_path, capsys):
    """Two processes at once: one trains, the other is refused, and what is served is the winner's."""
    script = "import sys; from symjax.cli.main import main; main(sys.argv[1:])"
    words = [
        sys.executable,
        "-c",
        script,
        "train",
        *OPTIONS,
        "--data",
        files / "molecules.xyz",
        "--out",
        tmp_path / "run",
    ]
    rates = ("0.01", "0.02")
    both = [
        subprocess.Popen([*map(str, words), "--learning-rate", rate], stderr=subprocess.PIPE, text=True)
        for rate in rates
    ]
    said = [process.communicate(timeout=300)[1] for process in both]
    assert sorted(process.returncode for process in both) == [0, 2], said
    winner = [process.returncode for process in both].index(0)
    refusal = rf"is being written by process {both[winner].pid} on host|already holds a run"
    assert re.search(refusal, said[1 - winner].splitlines()[-1])
    assert read_run(tmp_path / "run").recipe.learning_rate == float(rates[winner])
    assert symjax("evaluate", tmp_path / "run", "--data", files / "molecules.xyz") == 0
    assert not (tmp_path / "run" / "lock").exists()


def test_without_data_the_set_that_ships_is_learnt(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = ["--preset", "tiny", "--channels", "2", "--layers", "1"]
    assert symjax("train", *small, "--epochs", "1", "--valid", "540") == 0
    report = json.loads((tmp_path / "runs" / "ethanol-nequip" / "report.json").read_text())
    assert {f"forces on {symbol}, meV/Å" for symbol in "HCO"} <= report["errors"].keys()
