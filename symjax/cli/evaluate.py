"""`symjax evaluate`: the errors of a trained model on labelled structures."""

import dataclasses
import pathlib
import sys

from symjax.cli.options import RunDirectory, parse_options
from symjax.data import LabelKeys, keys_of, read_labelled
from symjax.potentials import describe_divergence, doubt_of_units, measure, print_errors
from symjax.tasks import load


@dataclasses.dataclass(frozen=True)
class Evaluate:
    """Measure the errors of a trained model on labelled structures."""

    run: RunDirectory
    data: pathlib.Path
    labels: LabelKeys = dataclasses.field(default_factory=LabelKeys)
    property_key: str | None = None  # what the file calls a property that is no energy; None: as the run calls it


def parse(arguments: list[str]) -> Evaluate:
    """Return the options."""
    return parse_options(Evaluate, "evaluate", arguments)


def run(command: Evaluate) -> int:
    """Print the table of errors, and a sentence where predictions or the unit of the labels are doubtful."""
    potential = load(command.run)
    keys = dataclasses.asdict(command.labels)
    if potential.label != "energy":
        keys |= keys_of(potential.label, command.property_key)
    truth, predicted, errors = measure(potential, read_labelled(command.data, **keys))
    print_errors(errors, f"{len(truth)} structures of {command.data}")
    if doubt := describe_divergence(predicted) or doubt_of_units(truth, predicted, command.labels.units):
        print(f"symjax: {command.data}: {doubt}", file=sys.stderr)
    return 0
