"""`symjax evaluate`: the errors of a trained potential on labelled structures."""

from symjax.cli.config import Evaluate
from symjax.cli.dataset import load_labelled
from symjax.cli.report import measure_errors, print_errors
from symjax.cli.run import load_potential


def run(command: Evaluate) -> int:
    """Print the table of errors."""
    potential = load_potential(command.run)
    truth = load_labelled(command.data, command.labels)
    found = potential.predict(truth, stress=truth.stress is not None)
    print_errors(measure_errors(truth, found), f"{len(truth)} structures of {command.data}")
    return 0
