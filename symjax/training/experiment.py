"""An experiment: its command line, and runs that go on where they stopped and are not done twice."""

from __future__ import annotations

import argparse
import pathlib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import tyro

from symjax.training.directory import enter_run, read_report, report_run, require_same, write_run
from symjax.training.loop import FitResult
from symjax.training.recipe import Recipe
from symjax.training.run import Task, say, train

Config = TypeVar("Config")
Options = TypeVar("Options")
Errors = Callable[[FitResult], Mapping[str, Any]]


def command_line(presets: Mapping[str, Config], description: str | None) -> Config:
    """Read the arguments of the process; what is not named is as in the preset, by default the first without "tiny".

    A preset is a dataclass. Flags have the names of its fields, and of the fields of dataclasses in it, without a
    prefix.
    """
    early = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    usual = next(name for name in presets if name != "tiny")
    early.add_argument("--preset", choices=presets, default=usual)
    default = presets[early.parse_known_args()[0].preset]
    form = (tyro.conf.OmitArgPrefixes, tyro.conf.FlagConversionOff)
    return tyro.cli(type(default), default=default, description=description, config=form)


def run_experiment(
    name: str,
    options: Options,
    recipe: Recipe,
    folder: pathlib.Path,
    prepare: Callable[[Options, Recipe], tuple[Task, Errors]],
) -> dict[str, Any]:
    """Return the errors of a network: train it, go on where its training stopped, or read its report.

    Args:
        name: of the experiment.
        options: a dataclass, what to learn.
        recipe: how.
        folder: the run directory, one for each network of a sweep.
        prepare: options and recipe -> the task, and the function from the result to the errors, which are plain data.

    Raises:
        ValueError: the recipe cannot be, or the folder holds the run of another network.
        SystemExit: a signal stopped the training; the exit code is the shell's for this signal.
    """
    resumed = (folder / "run.json").exists()
    if resumed and (report := read_report(folder)) is not None:
        require_same(folder, name, options, recipe)
        say(f"{folder} is trained already")
        return report["errors"]
    with enter_run(folder, name, options, recipe, resumed=resumed) as identity:
        task, measure = prepare(options, recipe)
        if not resumed:
            write_run(folder, name, options, recipe, identity)
        say(f"{folder}: {'training goes on' if resumed else 'training begins'}")
        result = train(task, recipe, folder, identity=identity, resumed=resumed)
        if result.stopped_by == "signal":
            raise _stop(result)
        errors = dict(measure(result))
        report_run(folder, errors, result, task.shown)
    return errors


def _stop(result: FitResult) -> SystemExit:
    sentence = f"stopped by a signal after step {result.progress.step}; the same command goes on from there"
    say(sentence)
    stop = SystemExit(sentence)
    stop.code = result.exit_code
    return stop
