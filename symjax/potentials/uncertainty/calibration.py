"""How well deviations foretell errors: the factor that makes them, what is left of it, and a picture.

A deviation s is calibrated where errors e are as large as it says: e / s has mean square 1. The factor a that a s is
calibrated with is sqrt(mean (e / s)^2), at which the likelihood of Gaussian errors is highest (Musil et al. 2019,
arXiv:1809.07653; Imbalzano et al. 2021, arXiv:2011.08828).
"""

import pathlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from rich.console import Console
from rich.table import Column, Table

from symjax.data import LABELS, Structures
from symjax.training import damaged, decode, read_json, require_same_identity, write_json, write_picture

LEAST = 1e-6  # of the largest deviation: what is smaller is rounding, as where symmetry leaves no force
FILE = "calibration.json"


class Foretold(NamedTuple):
    """Errors of components beside the deviations that were foretold, both per atom where a label is extensive."""

    error: Float[np.ndarray, " k"]
    deviation: Float[np.ndarray, " k"]

    @property
    def factor(self) -> float:
        """What the deviations are to be multiplied by."""
        return float(np.sqrt(np.mean((self.error / self.deviation) ** 2)))

    @property
    def surprise(self) -> float:
        """The mean negative log-likelihood of the errors, as Gaussians, in nats a component."""
        return float(np.mean(np.log(2 * np.pi * self.deviation**2) + (self.error / self.deviation) ** 2) / 2)

    def within(self, deviations: int) -> float:
        """Return the share of errors within so many deviations."""
        return float(np.mean(np.abs(self.error) <= deviations * self.deviation))

    def times(self, factor: float) -> "Foretold":
        """Return the same with other deviations."""
        return self._replace(deviation=factor * self.deviation)


def foretold(truth: Structures, predicted: Structures) -> dict[str, Foretold]:
    """Return errors and deviations of each label that has both; deviations of 0 foretell nothing and are left out."""
    found, sizes = {}, np.array([len(atoms) for atoms in truth.atoms])
    for name in [name for name in truth.labels if f"{name}_deviation" in predicted.labels]:
        known, components = truth.known(name), int(np.prod(LABELS[name].shape, dtype=int))
        error = (predicted.rows(name) - truth.rows(name))[known].reshape(-1, components)
        deviation = predicted.rows(f"{name}_deviation")[known] / np.sqrt(components)
        each = sizes[known] if LABELS[name].extensive else np.ones(len(error))
        told = deviation > LEAST * deviation.max(initial=0.0)
        if told.any():
            error, deviation = error[told] / each[told, None], deviation[told] / each[told]
            found[name] = Foretold(error.ravel(), np.repeat(deviation, components))
    return found


def fit_calibration(truth: Structures, predicted: Structures) -> dict[str, float]:
    """Return the factors that calibrate deviations on structures that were not learnt from, by label."""
    factors = {name: told.factor for name, told in foretold(truth, predicted).items()}
    return {name: factor for name, factor in factors.items() if 0 < factor < np.inf}


def measure_calibration(
    truth: Structures, predicted: Structures, calibration: Mapping[str, float]
) -> dict[str, dict[str, float]]:
    """Return what deviations, `calibration` in them already, foretold, in thousandths of the unit of the label."""
    rows = {}
    for name, told in foretold(truth, predicted).items():
        (factor, unit), used = LABELS[name].shown, calibration.get(name, 1.0)
        after = Foretold(factor * told.error, factor * told.deviation)
        rows[f"{name}, {unit}{'/atom' if LABELS[name].extensive else ''}"] = {
            "rms error": float(np.sqrt(np.mean(after.error**2))),
            "rms deviation": float(np.sqrt(np.mean(after.deviation**2))),
            "factor": used,
            "nll before": after.times(1 / used).surprise,
            "nll after": after.surprise,
            "within 1": after.within(1),
            "within 2": after.within(2),
        }
    return rows


def print_calibration(rows: Mapping[str, Mapping[str, float]], title: str) -> None:
    """Print what deviations foretold as a table."""
    heads = ("RMSE", "RMS σ", "factor", "NLL raw", "NLL", "< σ", "< 2σ")
    table = Table(Column(no_wrap=True), *heads, title=f"{title}; 68 % are to be below σ, 95 % below 2σ")
    for name, row in rows.items():
        lengths = [f"{row[which]:.2f}" for which in ("rms error", "rms deviation", "factor", "nll before", "nll after")]
        table.add_row(name, *lengths, *(f"{row[which]:.0%}" for which in ("within 1", "within 2")))
    Console().print(table)


def plot_calibration(path: pathlib.Path, truth: Structures, predicted: Structures) -> None:
    """Draw errors against the deviations that were foretold, root mean squares of bins of both, and the diagonal."""
    from matplotlib.figure import Figure  # half a second that most commands can do without

    told = foretold(truth, predicted)
    figure = Figure((4.2 * len(told), 4), layout="constrained")
    axes: Any = figure.subplots(1, len(told), squeeze=False)[0]
    for axis, (name, (error, deviation)) in zip(axes, told.items(), strict=True):
        factor, unit = LABELS[name].shown
        unit = f"{unit}/atom" if LABELS[name].extensive else unit
        bins = np.array_split(np.argsort(deviation), np.clip(len(error) // 10, 1, 20))
        expected, observed = (
            [factor * np.sqrt(np.mean(values[chosen] ** 2)) for chosen in bins] for values in (deviation, error)
        )
        axis.axline((1, 1), (2, 2), color="grey", linewidth=0.8)
        axis.plot(factor * deviation, factor * np.abs(error), ".", color="C0", alpha=0.15, markersize=2)
        axis.plot(expected, observed, "o-", color="C1", markersize=4)
        axis.set(xlabel=f"expected error of {name}, {unit}", ylabel=f"observed, {unit}", xscale="log", yscale="log")
        middle = [factor * np.sqrt(np.mean(values**2)) for values in (deviation, error)]
        axis.set_ylim(min(middle) / 100, max(middle) * 10)
        axis.set_xlim(factor * deviation.min() / 2, factor * deviation.max() * 2)
    write_picture(path, figure)


def write_calibration(folder: pathlib.Path, identity: str, factors: Mapping[str, float], structures: int) -> None:
    """Write calibration.json: the factors by label, from how many structures, and of which model."""
    write_json(folder / FILE, {"run": identity, "structures": structures, "factors": dict(factors)})


def drop_calibration(folder: pathlib.Path) -> None:
    """Remove the factors of a run that goes on, which are of the model that it has been."""
    (folder / FILE).unlink(missing_ok=True)


def read_calibration(folder: pathlib.Path, identity: str) -> dict[str, float]:
    """Return the factors of a run by label; none where it has not ended, or has no deviations.

    Raises:
        ValueError: the file is damaged, or of another model.
    """
    path = folder / FILE
    if not path.exists():
        return {}
    data = read_json(path)
    try:
        factors = decode(dict[str, float], data.get("factors"), "factors")
        if bad := [name for name, factor in factors.items() if not (name in LABELS and 0 < factor < np.inf)]:
            raise ValueError(f"the factor of {bad[0]} should be a positive number of a label, got {factors[bad[0]]}")
        require_same_identity(str(path), identity, decode(str, data.get("run"), "run"))
    except ValueError as error:
        raise damaged(path, error) from None
    return factors
