"""Where the deviations of what a run predicts come from: its committee, or the last layer of a single model."""

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import Any, Literal

import jax

from symjax.data import Splits, Structures, digest_data, split_data
from symjax.potentials import (
    LastLayer,
    Potential,
    fit_calibration,
    fit_last_layer,
    identity_of,
    load_potential,
    measure,
    measure_calibration,
    plot_calibration,
    print_calibration,
    read_blueprint,
    write_calibration,
)
from symjax.tasks import task_of
from symjax.training import read_options, read_run, say

FEW = 20  # structures, below which a factor is a guess
Uncertainty = Literal["committee", "last-layer"]


def count_members(options: Any) -> int | None:
    """Return how many members a committee is to have; None for a single model.

    Raises:
        ValueError: the number is none, or all members would begin alike.
    """
    if options.committee < 1:
        raise ValueError(f"--committee must be at least 1, not {options.committee}")
    if options.committee > 1 and options.init is not None:
        raise ValueError("all members would begin alike with --init, and stay so; leave out --init or --committee")
    return None if options.committee == 1 else options.committee


def uncertain(folder: pathlib.Path, potential: Potential, kind: Uncertainty | None) -> Potential | LastLayer:
    """Return what predicts labels and, if asked or a committee, their deviations.

    Raises:
        ValueError: the run has no such deviations, or they need data that are not there any more.
    """
    if kind == "committee" and potential.members is None:
        raise ValueError(
            f"{folder} is of a single model, which has no deviations; take --uncertainty last-layer, or train with "
            "--committee 4"
        )
    if kind == "last-layer":
        if potential.members is not None:
            raise ValueError(f"{folder} is a committee of {potential.members}; leave --uncertainty last-layer out")
        train, valid, _ = learnt_from(folder)
        return fit_last_layer(potential, train, valid)
    return potential


def calibrate(folder: pathlib.Path, valid: Structures) -> None:
    """Keep what the deviations of a committee are to be multiplied by; of a single model there are none."""
    potential = load_potential(folder)  # Orbax wants every process
    if potential.members is not None and jax.process_index() == 0:
        raw = dataclasses.replace(potential, calibration={})
        factors = fit_calibration(valid, measure(raw, valid).predicted)
        if len(valid) < FEW:
            say(f"deviations are calibrated on {len(valid)} structures only; a larger --valid makes the factors sure")
        write_calibration(folder, identity_of(folder), factors, len(valid))


def compare(
    truth: Structures, predicted: Structures, calibration: Mapping[str, float], picture: pathlib.Path | None
) -> dict[str, dict[str, float]]:
    """Print errors beside deviations, where there are some, and draw them if asked; return the numbers."""
    rows = measure_calibration(truth, predicted, calibration)
    if rows:
        print_calibration(rows, "errors and deviations σ")
        if picture is not None:
            plot_calibration(picture, truth, predicted)
    return rows


def learnt_from(folder: pathlib.Path) -> Splits:
    """Return the parts of the data that a run has learnt from.

    Raises:
        ValueError: they cannot be read any more, or are others.
    """
    run = read_run(folder)
    task, why = task_of(run.task), f"the last layer of {folder} needs the data that it has learnt from"
    if not hasattr(task, "read"):
        raise ValueError(f"{why}, and its parameters were learnt elsewhere")
    options = read_options(folder, task.Options, run.options)
    try:
        found = task.read(options)
    except (OSError, ValueError) as error:
        raise ValueError(f"{why}, which cannot be read: {error}") from None
    splits = split_data(found, valid=options.valid, test=options.test, seed=run.recipe.seed)
    if digest_data(splits) != read_blueprint(folder).statistics.get("digest"):
        raise ValueError(f"{why}, and {_names(options.data)} changed since; restore them")
    return splits


def _names(data: tuple[pathlib.Path, ...] | None) -> str:
    return "the data that ship" if data is None else ", ".join(map(str, data))
