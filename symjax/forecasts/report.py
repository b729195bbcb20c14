"""What is measured once all methods are trained: which is kept, how wide its intervals are, and how well all do."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import PyTree

from symjax.data import Windows
from symjax.forecasts.blueprint import Blueprint
from symjax.forecasts.errors import Errors, half_widths, measure_errors
from symjax.forecasts.forecaster import Forecaster
from symjax.forecasts.methods import forecast, methods_of, truth_and_ahead


class Measurement(NamedTuple):
    """Errors of all methods on some windows, and how often the truth was within the intervals of the one kept.

    Attributes:
        errors: by method.
        coverage: by step, over windows and targets.
        windows: how many there were.
    """

    errors: Errors
    coverage: list[float]
    windows: int


def choose(
    plan: Blueprint, params: Mapping[str, PyTree], valid: Windows, *, model: str, level: float
) -> tuple[Forecaster, Errors]:
    """Return the forecaster that is best on validation, or the one that is asked for, with errors of all there.

    Its intervals are those of its errors on the same windows.

    Raises:
        ValueError: the model asked for is not among the methods, or there are too few windows for the level.
    """
    require_method(plan, model)
    names = methods_of(plan)
    truth, ahead = truth_and_ahead(plan, valid)
    found = {name: forecast(name, plan, params.get(name), valid.past, ahead) for name in names}
    errors = {name: measure_errors(plan, found[name], truth) for name in names}
    kept = min(names, key=lambda name: errors[name]["mse"]) if model == "best" else model
    widths = half_widths(found[kept] - truth, level)
    return Forecaster(plan, params, kept, widths, level), errors


def require_method(plan: Blueprint, model: str) -> None:
    """Refuse a model that there is not, or not for these data.

    Raises:
        ValueError: so it is.
    """
    if model not in ("best", *(names := methods_of(plan))):
        raise ValueError(f"--model is best, {', '.join(names)}, not {model!r}")


def measure(forecaster: Forecaster, windows: Windows) -> Measurement:
    """Return the errors of all methods on some windows, and the coverage of the intervals of the one that is kept."""
    errors, coverage = {}, []
    truth = truth_and_ahead(forecaster.plan, windows)[0]
    for name in methods_of(forecaster.plan):
        found = forecaster.scaled(windows, name)
        errors[name] = measure_errors(forecaster.plan, found, truth)
        if name == forecaster.kept:
            inside = np.abs(found - truth) <= forecaster.half_widths
            coverage = inside.mean(axis=(0, 2)).tolist()
    return Measurement(errors, coverage, len(windows.past))


def to_report(forecaster: Forecaster, valid: Errors, test: Measurement) -> dict[str, Any]:
    """Return what report.json says beside the errors on the test part; `load_forecaster` reads it."""
    return {
        "identity": forecaster.plan.identity,
        "kept": forecaster.kept,
        "level": forecaster.level,
        "half_widths": forecaster.half_widths.tolist(),
        "coverage": {"all": float(np.mean(test.coverage)), "by_step": test.coverage},
        "windows": test.windows,
        "valid_errors": valid,
    }
