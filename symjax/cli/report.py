"""What a person wants to see of a potential: a table of errors, parity plots, a learning curve."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ase.data import chemical_symbols
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from symjax.cli.files import write_json
from symjax.data.structures import Structures

Errors = dict[str, dict[str, float]]


def measure_errors(truth: Structures, found: Structures) -> Errors:
    """Return mean absolute and root mean square errors in meV, meV/atom, meV/Å and meV/Å³, for each label there is."""
    rows: dict[str, np.ndarray] = {}
    if truth.energy is not None and found.energy is not None:
        error = 1000 * (found.energy - truth.energy)
        rows["energy, meV"] = error
        rows["energy, meV/atom"] = error / [len(atoms) for atoms in truth.atoms]
    if truth.forces is not None and found.forces is not None:
        error = 1000 * (np.concatenate(found.forces) - np.concatenate(truth.forces))
        numbers = np.concatenate(truth.numbers)
        rows["forces, meV/Å"] = error
        rows |= {f"forces on {chemical_symbols[z]}, meV/Å": error[numbers == z] for z in truth.species}
    if truth.stress is not None and found.stress is not None:
        rows["stress, meV/Å³"] = 1000 * (found.stress - truth.stress)
    return {name: {"mae": float(np.abs(e).mean()), "rmse": float(np.sqrt((e**2).mean()))} for name, e in rows.items()}


def describe_divergence(found: Structures) -> str | None:
    """Return a sentence where predicted energies are not finite."""
    bad = [] if found.energy is None else np.flatnonzero(~np.isfinite(found.energy))
    if not len(bad):
        return None
    return (
        f"the predicted energies of {len(bad)} of {len(found)} structures are not finite (first structure {bad[0]}, "
        f"{found.atoms[bad[0]].symbols}); look at their geometry, and whether the training diverged"
    )


def print_errors(errors: Errors, title: str) -> None:
    """Print the errors as a table."""
    table = Table("", "MAE", "RMSE", title=title)
    for name, row in errors.items():
        table.add_row(name, f"{row['mae']:.2f}", f"{row['rmse']:.2f}")
    Console().print(table)


def write_report(folder: pathlib.Path, errors: Errors, facts: Mapping[str, Any]) -> None:
    """Write report.json."""
    write_json(folder / "report.json", {**facts, "errors": errors})


def plot_parity(folder: pathlib.Path, truth: Structures, found: Structures) -> None:
    """Draw predicted against reference energies and forces into parity.png."""
    panels: list[tuple[str, Any, Any]] = []
    if truth.energy is not None and found.energy is not None:
        panels.append(("energy, eV", truth.energy - truth.energy.mean(), found.energy - truth.energy.mean()))
    if truth.forces is not None and found.forces is not None:
        panels.append(("force component, eV/Å", np.concatenate(truth.forces), np.concatenate(found.forces)))
    figure = Figure((4.2 * len(panels), 4), layout="constrained")
    axes = figure.subplots(1, len(panels), squeeze=False)
    for axis, (name, reference, prediction) in zip(axes[0], panels, strict=True):
        axis.axline((0, 0), slope=1, color="grey", linewidth=0.8)
        axis.plot(np.ravel(reference), np.ravel(prediction), ".", markersize=3)
        axis.set(xlabel=f"reference {name}", ylabel=f"predicted {name}", aspect="equal")
    figure.savefig(folder / "parity.png", dpi=150)


def plot_learning_curve(folder: pathlib.Path, history: Sequence[Mapping[str, Any]]) -> None:
    """Draw the mean absolute errors of forces and energies against the epoch into learning_curve.png."""
    names = [n for n in ("forces_mae", "energy_mae") if any(f"valid_{n}" in record for record in history)]
    figure = Figure((4.2 * len(names), 3.4), layout="constrained")
    axes = figure.subplots(1, len(names), squeeze=False)
    for axis, name in zip(axes[0], names, strict=True):
        for part in ("train", "valid"):
            points = [(r["epoch"], 1000 * r[f"{part}_{name}"]) for r in history if r.get(f"{part}_{name}") is not None]
            axis.plot(*zip(*points, strict=True), label=part)
        unit = "meV/Å" if name == "forces_mae" else "meV"
        axis.set(xlabel="epoch", ylabel=f"{name.removesuffix('_mae')} MAE, {unit}", yscale="log")
        axis.legend()
    figure.savefig(folder / "learning_curve.png", dpi=150)
