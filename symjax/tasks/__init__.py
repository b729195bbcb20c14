"""One trainable question a file, and the table of them.

A task's file offers:

- `Options`, a frozen dataclass of what is asked, beside the recipe, and `VERB`, the one that learns it;
- where something is learnt, `prepare(options, recipe, folder, run="", resumed=False) -> Prepared`, which reads the
  data, writes what a run directory of this task holds besides run.json, marked with the identity of the run, and says
  what is to be learnt;
- `load(folder)`, what was learnt, ready for use;
- `measure(folder, data)`, the errors of what was learnt;
- what the verbs do with a run of it: `evaluate(folder, data, reading)`, with `DATA`, what its data are named by, and
  `Reading`, a frozen dataclass of how they are read, `predict(folder, input, output, format)`, and
  `check(folder, data, seed)`, whether all laws are obeyed.
"""

import importlib
import pathlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from symjax.tasks.presets import PRESETS as PRESETS
from symjax.training import Task, read_run

TASKS = {
    "converted": "symjax.tasks.converted",
    "forecast": "symjax.tasks.forecast",
    "potential": "symjax.tasks.potential",
    "property": "symjax.tasks.property",
}


class Prepared(NamedTuple):
    """A task and what belongs to it.

    Attributes:
        task: what is learnt.
        identity: what its checkpoints are of.
        test: data for `measure`.
        measured: what these are, "test" or "validation" where nothing is held out.
        summary: one line on the data.
        before: the errors on `test` of the model that a fine-tuning begins with.
        valid: held-out data for `calibrate`, where the task has that.
    """

    task: Task
    identity: str
    test: Any
    measured: str
    summary: str
    before: Mapping[str, Any] = {}
    valid: Any = None


def task_of(name: str) -> Any:
    """Return the file of a task.

    Raises:
        ValueError: there is none of this name.
    """
    if name not in TASKS:
        raise ValueError(f"there is no task {name!r}; this version of symjax knows {', '.join(TASKS)}")
    return importlib.import_module(TASKS[name])


def load(folder: str | pathlib.Path) -> Any:
    """Return what a run directory of `symjax train` or `symjax forecast` has learnt, ready for use.

    Raises:
        ValueError: the folder is no run directory, is damaged, or has no good checkpoint yet.
    """
    folder = pathlib.Path(folder)
    return task_of(read_run(folder).task).load(folder)
