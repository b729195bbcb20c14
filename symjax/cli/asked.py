"""The run that a verb is asked about, and its task."""

import os
import pathlib
from typing import Any

from symjax.tasks import task_of
from symjax.training import Run, read_run


def task_in(folder: pathlib.Path) -> Any:
    """Return the file of the task of a run directory.

    Raises:
        ValueError: it is none, or its task is not known.
    """
    return task_of(read_run(folder).task)


def energies_in(folder: pathlib.Path) -> Any:
    """Return the potential of a run that has learnt energies.

    Raises:
        ValueError: the folder is no run directory, or of something else.
    """
    task = task_in(folder)
    what = f"a run of `symjax {task.VERB}`, which learns no energy"
    if task.VERB in ("train", "convert"):
        potential = task.load(folder)
        if potential.label == "energy":
            return potential
        what = f"of a model of {potential.label}, which has no energy"
    raise ValueError(f"{folder} is {what}; name a run of `symjax train` without --property")


def run_to_resume(folder: pathlib.Path, verb: str) -> Run:
    """Return what a run to go on with was started with.

    Raises:
        ValueError: the folder is no run directory, nothing was trained in it, or another verb goes on with it.
    """
    had = read_run(folder)
    if not hasattr(task_of(had.task), "prepare"):
        raise ValueError(f"{folder} was converted and not trained here; start from it with --init {folder}")
    if (its := task_of(had.task).VERB) != verb:
        raise ValueError(f"{folder} is a run of `symjax {its}`; go on with: symjax {its} --resume {folder}")
    return had


def task_asked(arguments: list[str]) -> Any:
    """Return the file of the task of the run directory among the words, which is of a potential where there is none."""
    folders = [word for word in arguments if os.path.isfile(os.path.join(word, "run.json"))]
    return task_in(pathlib.Path(folders[0])) if folders else task_of("potential")
