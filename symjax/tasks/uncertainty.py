"""Where the deviations of what a run predicts come from: its committee, or the last layer of a single model."""

import pathlib
from typing import Any, Literal

from symjax.potentials import Potential

Uncertainty = Literal["committee", "last-layer"]


def count_members(options: Any) -> int | None:
    """Return how many members a committee is to have; None for a single model.

    Raises:
        ValueError: the number is none, or all members would begin alike.
    """
    if options.committee < 1:
        raise ValueError(f"--committee must be at least 1, not {options.committee}")
    if options.committee > 1 and options.init is not None:
        raise ValueError("all members would begin alike with --init, and stay so; leave out --init or --committee")
    return None if options.committee == 1 else options.committee


def uncertain(folder: pathlib.Path, potential: Potential, kind: Uncertainty | None) -> Any:
    """Return what predicts labels and, if asked or a committee, their deviations.

    Raises:
        ValueError: the run has no such deviations.
    """
    if kind == "committee" and potential.members is None:
        raise ValueError(
            f"{folder} is of a single model, which has no deviations; take --uncertainty last-layer, or train with "
            "--committee 4"
        )
    return potential
