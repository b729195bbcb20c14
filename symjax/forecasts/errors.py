"""How wrong forecasts are, step by step: scaled, in the units of the file, and beside what is attainable."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from rich.console import Console
from rich.table import Table

from symjax.forecasts.blueprint import Blueprint
from symjax.forecasts.methods import TITLES
from symjax.training import write_picture

COLUMNS = 5  # steps of the horizon that are printed
ROUNDING = 1e-9  # of a level such as 0.9
Errors = dict[str, dict[str, Any]]


def measure_errors(
    plan: Blueprint, found: Float[np.ndarray, "n h m"], truth: Float[np.ndarray, "n h m"]
) -> dict[str, Any]:
    """Return mean square and mean absolute errors of scaled forecasts, by step and over all; also in their units."""
    error = np.asarray(found, float) - truth
    absolute, scale = np.abs(error).mean(axis=0), plan.scaler.scale[: plan.targets]
    by_step = {"mse": (error**2).mean(axis=(0, 2)), "mae": absolute.mean(axis=1)}
    return {
        **{name: float(values.mean()) for name, values in by_step.items()},
        "by_step": {name: values.tolist() for name, values in by_step.items()},
        "mae_in_units": dict(zip(plan.columns, (scale * absolute).T.tolist(), strict=False)),
    }


def half_widths(error: Float[np.ndarray, "n h m"], level: float) -> Float[np.ndarray, "h m"]:
    """Return split-conformal half-widths: of n errors, the one of rank ceil((n + 1) level), step by step.

    Were the method chosen before and the errors exchangeable, the next one would be no larger with a probability of at
    least the level (Vovk et al. 2005; Lei et al. 2018, arXiv:1604.04173). Here the same windows choose the method, they
    overlap, and series change: that is why the share on the test part is reported beside the level.

    Raises:
        ValueError: there are too few errors for the level.
    """
    ordered = np.sort(np.abs(np.asarray(error, float)), axis=0)
    return ordered[require_rank(len(error), level) - 1]


def require_rank(windows: int, level: float) -> int:
    """Return which of the ordered errors of so many windows is the half-width of intervals of this level.

    Raises:
        ValueError: the level is none, or there are too few windows for it.
    """
    if not 0 < level < 1:
        raise ValueError(f"--level is a share between 0 and 1, not {level}")
    rank = int(np.ceil((windows + 1) * level - ROUNDING))
    if rank > windows:
        least = int(np.ceil(level / (1 - level) - ROUNDING))
        raise ValueError(
            f"intervals of --level {level} need at least {least} windows for validation, not {windows}; raise --valid, "
            "or lower --level"
        )
    return rank


def shown_steps(horizon: int) -> list[int]:
    """Return the steps that are printed, counted from one."""
    return sorted({int(step) for step in np.linspace(1, horizon, min(horizon, COLUMNS)).round()})


def print_errors(plan: Blueprint, errors: Errors, title: str, *, optimum: Sequence[float] | None = None) -> None:
    """Print mean square errors of all methods by step, scaled, and mean absolute errors in the units of the data."""
    steps = shown_steps(plan.horizon)
    table = _table(f"{title}: mean square error, scaled", steps)
    for name, error in errors.items():
        _add(table, TITLES[name], error["by_step"]["mse"], steps)
    if optimum is not None:
        _add(table, "attainable", optimum, steps)
    Console().print(table)
    for target in plan.columns[: min(plan.targets, COLUMNS)]:
        table = _table(f"{target}: mean absolute error, as in the data", steps)
        for name, error in errors.items():
            _add(table, TITLES[name], error["mae_in_units"][target], steps)
        Console().print(table)


def _table(title: str, steps: Sequence[int]) -> Table:
    table = Table(title=title)
    table.add_column("steps ahead", no_wrap=True)
    for heading in [*map(str, steps), "all"]:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _add(table: Table, title: str, by_step: Sequence[float], steps: Sequence[int]) -> None:
    numbers = [*(by_step[step - 1] for step in steps), float(np.mean(by_step))]
    table.add_row(title, *(f"{number:.3g}" for number in numbers))


def plot_errors(folder: pathlib.Path, errors: Errors, optimum: Sequence[float] | None) -> None:
    """Draw the mean square errors of all methods against the step into errors.png."""
    from matplotlib.figure import Figure  # half a second that most commands can do without

    figure = Figure((6, 4), layout="constrained")
    axis = figure.subplots()
    lines: Mapping[str, Sequence[float]] = {TITLES[name]: error["by_step"]["mse"] for name, error in errors.items()}
    for title, values in lines.items():
        axis.plot(range(1, len(values) + 1), values, ".-", label=title, linewidth=1)
    if optimum is not None:
        axis.plot(range(1, len(optimum) + 1), optimum, "k--", label="attainable", linewidth=1)
    axis.set(xlabel="steps ahead", ylabel="mean square error, scaled", ylim=(0, None))
    axis.legend(fontsize="small")
    write_picture(folder / "errors.png", figure)
