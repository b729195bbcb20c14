"""`symjax predict`: what a trained model says of structures, or of what comes after a series."""

import dataclasses
import pathlib

from symjax.cli.asked import task_in
from symjax.cli.options import RunDirectory, parse_options


@dataclasses.dataclass(frozen=True)
class Predict:
    """Write what a trained model says: energies and forces of structures, or the steps after the end of a series."""

    run: RunDirectory
    input: pathlib.Path  # structures as ASE reads them, or a table with the columns of the run
    output: pathlib.Path  # FILE.xyz or FILE.extxyz; of a series FILE.csv


def parse(arguments: list[str]) -> Predict:
    """Return the options."""
    return parse_options(Predict, "predict", arguments)


def run(command: Predict) -> int:
    """Write the file."""
    task_in(command.run).predict(command.run, command.input, command.output)
    return 0
