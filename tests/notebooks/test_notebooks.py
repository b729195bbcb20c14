"""Every notebook runs from top to bottom, as its reader would run it."""

import os
import pathlib
import subprocess

import pytest

NOTEBOOKS = sorted((pathlib.Path(__file__).parents[2] / "notebooks").glob("*.py"))


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs(notebook, tmp_path, strict_python):
    outcome = subprocess.run(
        [*strict_python, notebook],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": "", "NOTEBOOK_PRESET": "tiny"},
        capture_output=True,
        text=True,
    )
    assert outcome.returncode == 0, outcome.stderr
