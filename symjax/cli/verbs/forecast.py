"""`symjax forecast`: parse, prepare, train, choose, print."""

import argparse
import dataclasses
import pathlib
from functools import partial
from typing import Annotated

import jax

from symjax import forecasts, training
from symjax.cli.asked import run_to_resume
from symjax.cli.learn import learn
from symjax.cli.options import OWN, TRAINING, parse_options
from symjax.tasks import Prepared, forecast as task
from symjax.training import FitResult, Recipe, say


@dataclasses.dataclass(frozen=True)
class Forecast:
    """Forecast a table by a network and by simple methods; without a table, a series whose best forecast is known."""

    options: Annotated[task.Options, OWN] = dataclasses.field(default_factory=task.Options)
    recipe: Annotated[Recipe, TRAINING] = task.RECIPE
    out: pathlib.Path | None = None  # the run directory; None: runs/NAME
    resume: pathlib.Path | None = None  # go on with this run, as it was configured


def parse(arguments: list[str]) -> Forecast:
    """Return the options; what is not named is as in the run to resume."""
    early = argparse.ArgumentParser(prog="symjax forecast", add_help=False, allow_abbrev=False)
    early.add_argument("--resume", type=pathlib.Path)
    resumed, default = early.parse_known_args(arguments)[0].resume, Forecast()
    if resumed is not None:
        had = run_to_resume(resumed, "forecast")
        default = Forecast(training.read_options(resumed, task.Options, had.options), had.recipe)
    return parse_options(Forecast, "forecast", arguments, default=default)


def run(command: Forecast) -> int:
    """Train and report; returns the exit code."""
    data = "synthetic" if command.options.data is None else command.options.data.stem
    return learn(command, "forecast", name=f"{data}-forecast", report=partial(_report, command.options))


def _report(options: task.Options, folder: pathlib.Path, prepared: Prepared, result: FitResult, seconds: float) -> None:
    """Choose on validation, measure on the test part, forecast what comes after the end, and print and draw it."""
    held = prepared.test
    forecaster, test, facts = task.conclude(folder, options, held)  # Orbax wants every process
    if jax.process_index() != 0:
        return
    training.write_report(folder, test.errors, facts | {"seconds": seconds, "compilations": result.compilations})
    future = forecasts.forecast_future(forecaster, held.series)
    forecasts.write_future(folder / "forecast.csv", forecaster, held.series, future)
    forecasts.plot_future(folder, forecaster, held.series, future)
    forecasts.plot_errors(folder, test.errors, held.optimum)
    training.plot_learning_curve(folder, result.history, prepared.task.shown)
    task.print_measurement(forecaster, test, "the test part", held.optimum)
    how = "best on validation" if options.model == "best" else "as asked for"
    print(f"kept: {forecasts.TITLES[forecaster.kept]}, {how}")
    say(f"{seconds:.0f} s; forecast.csv, report.json, forecast.png and errors.png are in {folder}")
