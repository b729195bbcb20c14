"""How long a run is, how often it looks up from its steps, and that there are steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from symjax.training.recipe.recipe import is_count
from symjax.training.recipe.schedule import Plateau


class Pace(NamedTuple):
    """How long a run is, and how often it looks up from its steps.

    Attributes:
        epochs: how many the whole run has.
        evaluate_every: epochs between evaluations; each is followed by a checkpoint.
        patience: stop after this many evaluations without a new best.
        plateau: lower the learning rate when the loss of the evaluations does not fall.
        save_every: steps between further checkpoints.
        report_every: steps between looks at the metrics, which otherwise stay on the devices.
        max_streak: give up when this many steps in a row were skipped for not being finite.
    """

    epochs: int
    evaluate_every: int = 1
    patience: int | None = None
    plateau: Plateau | None = None
    save_every: int | None = None
    report_every: int = 50
    max_streak: int = 10


def require_pace(pace: Pace) -> None:
    """Refuse what is no pace.

    Raises:
        ValueError: a number of epochs, steps or evaluations is no whole number of at least 1.
    """
    for name in ("epochs", "evaluate_every", "patience", "save_every", "report_every", "max_streak"):
        value = getattr(pace, name)
        if not (is_count(value) or (value is None and name in ("patience", "save_every"))):
            raise ValueError(f"{name} must be a whole number of at least 1, not {value!r}")
    if pace.plateau is None:
        return
    factor, patience, floor = pace.plateau
    if not (0 < factor < 1 and is_count(patience) and 0 <= floor <= 1):
        raise ValueError(
            "a plateau has a factor between 0 and 1, a patience of at least 1 and a floor from 0 to 1, "
            f"not {pace.plateau}"
        )


def require_batches(plan: Sequence, epoch: int) -> Sequence:
    """Return the plan of an epoch.

    Raises:
        ValueError: there is nothing in it.
    """
    if not len(plan):
        raise ValueError(f"the plan of epoch {epoch + 1} has no batches, so that there is nothing to learn from")
    return plan
