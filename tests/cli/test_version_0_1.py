"""A run of version 0.1 (one task, run.json of one level) is read, predicts the same numbers and goes on."""

import json
import pathlib
import shutil

import ase.io
import jax
import numpy as np
import pytest

from .command import edit, symjax

FIXTURES = pathlib.Path(__file__).parents[1] / "fixtures"
RUN = FIXTURES / "run_0_1"


def report_of(run):
    return json.loads((run / "report.json").read_text())["errors"]


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy, on one device as it was started."""
    one = jax.devices()[:1]
    monkeypatch.setattr(jax, "devices", lambda: one)
    monkeypatch.setattr(jax, "device_count", lambda: 1)
    return pathlib.Path(shutil.copytree(RUN, tmp_path / "run"))


def test_its_laws_hold(capsys, caplog):
    assert symjax("check", RUN) == 0
    assert not caplog.records
    assert capsys.readouterr().out.count("obeyed") == 4


def test_it_predicts_what_it_predicted(tmp_path):
    """Molecules and a crystal, answered by version 0.1."""
    before, output = FIXTURES / "run_0_1_predicted.xyz", tmp_path / "out.xyz"
    assert symjax("predict", RUN, "--input", before, "--output", output) == 0
    for ours, theirs in zip(ase.io.read(output, ":"), ase.io.read(before, ":"), strict=True):
        assert ours.calc.results.keys() == theirs.calc.results.keys()
        for name, value in theirs.calc.results.items():
            np.testing.assert_allclose(ours.calc.results[name], value, rtol=1e-7 if name == "energy" else 0, atol=2e-5)


def test_it_resumes_to_its_report_and_goes_on(copy, capsys):
    assert symjax("train", "--resume", copy) == 0
    assert "going on after epoch 1, step 74" in capsys.readouterr().err
    before = report_of(RUN)
    assert report_of(copy).keys() == before.keys()
    for name, row in report_of(copy).items():
        assert row == pytest.approx(before[name], rel=1e-3)
    edit(copy / "run.json", lambda run: run.update(epochs=2))
    assert symjax("train", "--resume", copy) == 0
    first, second = (json.loads(line) for line in (copy / "metrics.jsonl").read_text().splitlines())
    assert (first["step"], second["step"]) == (74, 148)
    assert second["valid_loss"] < first["valid_loss"]
    assert report_of(copy)["forces, meV/Å"]["mae"] < before["forces, meV/Å"]["mae"]
