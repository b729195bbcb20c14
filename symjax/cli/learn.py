"""What the verbs that learn share: where the run goes, and the way from a question to its report."""

import pathlib
import time
from collections.abc import Callable
from typing import Any

from symjax import training
from symjax.cli.quiet import drop_echoes
from symjax.tasks import Prepared, task_of
from symjax.training import FitResult, say

Report = Callable[[pathlib.Path, Prepared, FitResult, float], None]


def learn(command: Any, task: str, *, name: str, report: Report) -> int:
    """Prepare, train and report; returns the exit code.

    Args:
        command: what was asked for: `options` with their `data`, `recipe`, `out` and `resume`.
        task: of the table of tasks.
        name: of the run directory, where none is asked for.
        report: what is made of a finished run, from its folder, what was prepared, the result and the seconds.
    """
    drop_echoes()
    began, resumed, verb = time.perf_counter(), command.resume is not None, task_of(task).VERB
    options, recipe = training.absolute_data(command.options), command.recipe
    folder = _folder(command, name)
    with training.enter_run(folder, task, options, recipe, resumed=resumed) as identity:
        prepared = task_of(task).prepare(options, recipe, folder, run=identity, resumed=resumed)
        if not resumed:
            training.write_run(folder, task, options, recipe, identity)
        say(f"{folder}: {prepared.summary}")
        result = training.train(prepared.task, recipe, folder, identity=prepared.identity, resumed=resumed)
        if result.stopped_by == "signal":
            say(f"stopped by a signal after step {result.progress.step}; go on with: symjax {verb} --resume {folder}")
        else:
            report(folder, prepared, result, round(time.perf_counter() - began, 1))
    return result.exit_code


def _folder(command: Any, name: str) -> pathlib.Path:
    """Return the run directory.

    Raises:
        ValueError: a run to resume is asked to move, or a pod was given no folder to agree on.
    """
    if command.resume is not None:
        if command.out not in (None, command.resume):
            raise ValueError(f"{command.resume} goes on where it is, so that out = {command.resume}, not {command.out}")
        return command.resume
    if command.out is None and command.recipe.distributed:
        raise ValueError("--distributed needs --out, a folder that all processes see")
    return command.out or training.free_folder(name)
