"""`symjax check`: the laws of a trained model, measured in float64."""

import dataclasses
import pathlib

from symjax.cli.asked import task_in
from symjax.cli.options import RunDirectory, parse_options


@dataclasses.dataclass(frozen=True)
class Check:
    """Measure the laws of a trained model in float64, on an example that the run keeps or the first of a file."""

    run: RunDirectory
    data: pathlib.Path | None = None  # structures, of which the first is used, or a table
    seed: int = 0


def parse(arguments: list[str]) -> Check:
    """Return the options."""
    return parse_options(Check, "check", arguments)


def run(command: Check) -> int:
    """Print one line a law; the exit code is 1 where one is broken."""
    return 0 if task_in(command.run).check(command.run, command.data, command.seed) else 1
