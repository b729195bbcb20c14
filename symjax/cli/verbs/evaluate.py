"""`symjax evaluate`: the errors of a trained model on data with known answers."""

import dataclasses
from typing import Annotated, Any

from symjax.cli.asked import task_asked, task_in
from symjax.cli.options import OWN, RunDirectory, parse_options

DESCRIPTION = "Measure the errors of a trained model: on labelled structures, or on the series of another file."


def parse(arguments: list[str]) -> Any:
    """Return the options, of which those of reading are of the task of the run."""
    task = task_asked(arguments)
    fields = [("run", RunDirectory), ("data", task.DATA)]
    fields += [("reading", Annotated[task.Reading, OWN], dataclasses.field(default_factory=task.Reading))]
    command = dataclasses.make_dataclass("Evaluate", fields, frozen=True)
    return parse_options(command, "evaluate", arguments, description=DESCRIPTION)


def run(command: Any) -> int:
    """Print the errors."""
    task_in(command.run).evaluate(command.run, command.data, command.reading)
    return 0
