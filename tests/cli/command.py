"""The command, called in this process, and what the tests feed it with."""

import json

import ase.io
import numpy as np
import pytest
from ase.build import molecule
from ase.calculators.singlepoint import SinglePointCalculator

from symjax.cli.main import main

SMALL = ["--model", "schnet", "--preset", "tiny", "--channels", "2", "--layers", "1", "--optimizer", "adam"]
OPTIONS = [*SMALL, "--test", "4", "--epochs", "3"]


def symjax(*words):
    """Run the command in this process; returns its exit code."""
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    return ended.value.code


def edit(path, change):
    """Change a JSON file."""
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def written(path, *structures):
    """Write structures as extended xyz; returns the path."""
    ase.io.write(path, list(structures), format="extxyz")
    return path


def water(**labels):
    """Return a molecule of water with labels."""
    atoms = molecule("H2O")
    atoms.calc = SinglePointCalculator(atoms, **{"energy": 1.0, "forces": np.ones((3, 3))} | labels)
    return atoms
