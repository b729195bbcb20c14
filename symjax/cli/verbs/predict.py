"""`symjax predict`: what a trained model says of structures, or of what comes after a series."""

import dataclasses
import pathlib

from symjax.cli.asked import task_in
from symjax.cli.options import RunDirectory, parse_options
from symjax.training import require_another, require_new


@dataclasses.dataclass(frozen=True)
class Predict:
    """Write what a trained model says: energies and forces of structures, or the steps after the end of a series."""

    run: RunDirectory
    input: pathlib.Path  # structures, of which everything is kept, or a table with the columns of the run
    output: pathlib.Path  # whose name says the format, such as FILE.xyz, FILE.traj or FILE.db; of a series FILE.csv
    format: str | None = None  # as ASE calls it, where the name does not say it


def parse(arguments: list[str]) -> Predict:
    """Return the options."""
    return parse_options(Predict, "predict", arguments)


def run(command: Predict) -> int:
    """Write the file."""
    require_another(command.output, command.input)
    require_new(command.output)
    task_in(command.run).predict(command.run, command.input, command.output, command.format)
    return 0
