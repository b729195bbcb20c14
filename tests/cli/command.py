"""The command, called in this process, and what the tests feed it with."""

import json
import signal
import subprocess
import sys

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


DYING = """
import os, signal, sys
from symjax import data
from symjax.cli.main import main

batches, last, *words = sys.argv[1:]
kind, loaded = getattr(data, batches), []
load = kind.load

def load_or_die(self, shards):
    loaded.append(self.seed)
    if loaded.count(0) == int(last):  # the first one shows the shapes
        os.kill(os.getpid(), signal.SIGKILL)
    return load(self, shards)

kind.load = load_or_die
main(words)
"""


def kill(batches, last, *words):
    """Run the command in a process that is killed when it loads batches of training for the last time."""
    command = [sys.executable, "-c", DYING, batches, str(last), *map(str, words)]
    died = subprocess.run(command, capture_output=True, text=True)
    assert died.returncode == -signal.SIGKILL, died.stderr


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
