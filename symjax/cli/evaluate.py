"""`symjax evaluate`: the errors of a trained potential on labelled structures."""

import sys

import numpy as np

from symjax.cli.config import Evaluate
from symjax.cli.dataset import load_labelled
from symjax.cli.report import describe_divergence, measure_errors, print_errors
from symjax.cli.run import load_potential
from symjax.data import Structures
from symjax.data.units import ENERGIES, unit_factors

FAR, NEAR = 10.0, 1.0  # eV per atom: no potential is as wrong as the one, most are better than the other


def run(command: Evaluate) -> int:
    """Print the table of errors, and a sentence where predictions or the unit of the labels are doubtful."""
    potential = load_potential(command.run)
    truth = load_labelled(command.data, command.labels)
    found = potential.predict(truth, stress=truth.stress is not None)
    print_errors(measure_errors(truth, found), f"{len(truth)} structures of {command.data}")
    if doubt := describe_divergence(found) or doubt_of_units(truth, found, command.labels.units):
        print(f"symjax: {command.data}: {doubt}", file=sys.stderr)
    return 0


def doubt_of_units(truth: Structures, found: Structures, units: str) -> str | None:
    """Return a sentence where energies read as `units` are further from the predicted ones than errors can be."""
    sizes, read = np.array([len(atoms) for atoms in truth.atoms]), unit_factors(units).energy
    predicted, given = np.asarray(found.energy), np.asarray(truth.energy) / read

    def distance(unit: float) -> float:
        return float(np.median(np.abs(predicted - given * unit) / sizes))

    if distance(read) < FAR:
        return None
    nearest = min(ENERGIES, key=lambda name: distance(ENERGIES[name]))
    advice = (
        f"they would fit in {nearest}: try --units {nearest}"
        if distance(ENERGIES[nearest]) < NEAR
        else "check --units, and whether they count from the reference energies of the training data"
    )
    return f"the energies, read in {units}, are {distance(read):.0f} eV per atom from the predicted ones; {advice}"
