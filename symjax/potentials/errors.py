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
from symjax.potentials.uncertainty import LastLayer
from symjax.training import write_picture

Errors = dict[str, dict[str, float]]
FAR, NEAR = 10.0, 1.0  # eV per atom: no potential is as wrong as the one, most are better than the other


class Measurement(NamedTuple):
    """Labelled structures, what was predicted of them, and the errors."""

    truth: Structures
    predicted: Structures
    errors: Errors


def measure(potential: Potential | LastLayer, truth: Structures) -> Measurement:
    """Predict labelled structures and compare."""
    predicted = potential.predict(truth, stress="stress" in truth.labels)
    return Measurement(truth, predicted, measure_errors(truth, predicted))


def measure_errors(truth: Structures, predicted: Structures) -> Errors:
    """Return mean absolute and root mean square errors of each label that is known, in thousandths of its unit.

    They are also given per atom, on each element, and for each config_type, where there are several.
    """
    rows: dict[str, np.ndarray] = {}
    sizes, numbers, kinds = [len(atoms) for atoms in truth.atoms], np.concatenate(truth.numbers), np.array(truth.kinds)
    several = sorted({*truth.kinds}) if len({*truth.kinds}) > 1 else []
    for name in [name for name in LABELS if name in truth.labels and name in predicted.labels]:
        label, (factor, unit), known = LABELS[name], LABELS[name].shown, truth.known(name)
        error = factor * (predicted.rows(name) - truth.rows(name))
        rows[f"{name}, {unit}"] = error[known]
        if label.extensive:
            rows[f"{name}, {unit}/atom"] = (error / sizes)[known]
        if label.of == "atom":
            rows |= {f"{name} on {chemical_symbols[z]}, {unit}": error[known & (numbers == z)] for z in truth.species}
        owners = kinds if label.of == "graph" else np.repeat(kinds, sizes)
        rows |= {f"{name} of {kind or 'no config_type'}, {unit}": error[known & (owners == kind)] for kind in several}
    return {name: _sizes(error) for name, error in rows.items() if len(error)}


def _sizes(error: np.ndarray) -> dict[str, float]:
    return {"mae": float(np.abs(error).mean()), "rmse": float(np.sqrt((error**2).mean()))}


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
        return float(np.nanmedian(np.abs(expected - given * unit) / sizes))

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
        known = truth.known(name)
        reference, prediction = truth.rows(name)[known], predicted.rows(name)[known]
        middle = reference.mean() if label.extensive else 0.0
        axis.axline((0, 0), slope=1, color="grey", linewidth=0.8)
        axis.plot(np.ravel(reference - middle), np.ravel(prediction - middle), ".", markersize=3)
        what = f"{'component of ' if label.shape else ''}{name}, {unit}"
        axis.set(xlabel=f"reference {what}", ylabel=f"predicted {what}", aspect="equal")
    write_picture(folder / "parity.png", figure)
