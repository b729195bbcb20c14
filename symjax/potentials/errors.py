"""What a person wants to see of a model of atoms: a table of errors, parity plots, and what is doubtful."""

import pathlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from ase.data import chemical_symbols
from rich.console import Console
from rich.table import Table

from symjax.data import ENERGIES, LABELS, Structures, unit_factors
from symjax.potentials.potential import Potential
from symjax.training import write_picture

Errors = dict[str, dict[str, float]]
FAR, NEAR = 10.0, 1.0  # eV per atom: no potential is as wrong as the one, most are better than the other


class Measurement(NamedTuple):
    """Labelled structures, what was predicted of them, and the errors."""

    truth: Structures
    predicted: Structures
    errors: Errors


def measure(potential: Potential, truth: Structures) -> Measurement:
    """Predict labelled structures and compare."""
    predicted = potential.predict(truth, stress="stress" in truth.labels)
    return Measurement(truth, predicted, measure_errors(truth, predicted))


def measure_errors(truth: Structures, predicted: Structures) -> Errors:
    """Return mean absolute and root mean square errors of each label there is, in thousandths of its unit."""
    rows: dict[str, np.ndarray] = {}
    for name in [name for name in LABELS if name in truth.labels and name in predicted.labels]:
        label, (factor, unit) = LABELS[name], LABELS[name].shown
        error = factor * (_stacked(predicted, name) - _stacked(truth, name))
        rows[f"{name}, {unit}"] = error
        if label.extensive:
            rows[f"{name}, {unit}/atom"] = error / [len(atoms) for atoms in truth.atoms]
        if label.of == "atom":
            numbers = np.concatenate(truth.numbers)
            rows |= {f"{name} on {chemical_symbols[z]}, {unit}": error[numbers == z] for z in truth.species}
    return {name: {"mae": float(np.abs(e).mean()), "rmse": float(np.sqrt((e**2).mean()))} for name, e in rows.items()}


def _stacked(structures: Structures, name: str) -> np.ndarray:
    values = structures.labels[name]
    return values if LABELS[name].of == "graph" else np.concatenate(values)


def describe_divergence(predicted: Structures) -> str | None:
    """Return a sentence where what is predicted of a whole structure is not finite."""
    for name in [name for name in predicted.labels if LABELS[name].of == "graph"]:
        values = predicted.labels[name].reshape(len(predicted), -1)
        bad = np.flatnonzero(~np.isfinite(values).all(axis=1))
        if len(bad):
            plural = {"energy": "energies"}.get(name, f"{name}s")
            first = f"first structure {bad[0]}, {predicted.atoms[bad[0]].symbols}"
            return (
                f"the predicted {plural} of {len(bad)} of {len(predicted)} structures are not finite ({first}); look "
                "at their geometry, and whether the training diverged"
            )
    return None


def doubt_of_units(truth: Structures, predicted: Structures, units: str) -> str | None:
    """Return a sentence where energies read as `units` are further from the predicted ones than errors can be."""
    if truth.energy is None or predicted.energy is None:
        return None
    sizes, read = np.array([len(atoms) for atoms in truth.atoms]), unit_factors(units).energy
    expected, given = predicted.energy, truth.energy / read

    def distance(unit: float) -> float:
        return float(np.median(np.abs(expected - given * unit) / sizes))

    if distance(read) < FAR:
        return None
    nearest = min(ENERGIES, key=lambda name: distance(ENERGIES[name]))
    advice = (
        f"they would fit in {nearest}: try --units {nearest}"
        if distance(ENERGIES[nearest]) < NEAR
        else "check --units, and whether they count from the reference energies of the training data"
    )
    return f"the energies, read in {units}, are {distance(read):.0f} eV per atom from the predicted ones; {advice}"


def print_errors(errors: Errors, title: str, before: Mapping[str, Mapping[str, float]] | None = None) -> None:
    """Print the errors as a table, beside those from before fine-tuning, if there are any."""
    earlier = before or {}
    table = Table("", "MAE", "RMSE", *(["MAE before fine-tuning", "RMSE"] if earlier else []), title=title)
    for name, row in errors.items():
        rows = [row, earlier[name]] if name in earlier else [row]
        table.add_row(name, *(f"{each[kind]:.2f}" for each in rows for kind in ("mae", "rmse")))
    Console().print(table)


def plot_parity(folder: pathlib.Path, truth: Structures, predicted: Structures) -> None:
    """Draw predicted against reference labels into parity.png, one panel each; energies from their mean."""
    from matplotlib.figure import Figure  # half a second that most commands can do without

    names = [name for name in LABELS if name in truth.labels and name in predicted.labels]
    figure = Figure((4.2 * len(names), 4), layout="constrained")
    axes: Any = figure.subplots(1, len(names), squeeze=False)[0]
    for axis, name in zip(axes, names, strict=True):
        label, unit = LABELS[name], LABELS[name].shown[1].removeprefix("m")
        reference, prediction = _stacked(truth, name), _stacked(predicted, name)
        middle = reference.mean() if label.extensive else 0.0
        axis.axline((0, 0), slope=1, color="grey", linewidth=0.8)
        axis.plot(np.ravel(reference - middle), np.ravel(prediction - middle), ".", markersize=3)
        what = f"{'component of ' if label.shape else ''}{name}, {unit}"
        axis.set(xlabel=f"reference {what}", ylabel=f"predicted {what}", aspect="equal")
    write_picture(folder / "parity.png", figure)
