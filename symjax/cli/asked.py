"""The run that a verb is asked about, and its task."""

import os
import pathlib
from typing import Any

from symjax.tasks import task_of
from symjax.training import read_run


def task_in(folder: pathlib.Path) -> Any:
    """Return the file of the task of a run directory.

    Raises:
        ValueError: it is none, or its task is not known.
    """
    return task_of(read_run(folder).task)


def task_asked(arguments: list[str]) -> Any:
    """Return the file of the task of the run directory among the words, which is of a potential where there is none."""
    folders = [word for word in arguments if os.path.isfile(os.path.join(word, "run.json"))]
    return task_in(pathlib.Path(folders[0])) if folders else task_of("potential")
