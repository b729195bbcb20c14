"""What a refuter says: what was expected, what came, and whether the two fit."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float


class Refutation(NamedTuple):
    """An estimate beside estimates from changed data.

    Attributes:
        name: of the refuter.
        expected: what a sound estimate would do.
        estimate: from the data as they are.
        simulated: from changed data.
        verdict: one sentence.
        passed: whether what came is what was expected; None where the refuter could not have told.
        facts: numbers behind the verdict.
    """

    name: str
    expected: str
    estimate: float
    simulated: Float[np.ndarray, "..."]
    verdict: str
    passed: bool | None
    facts: Mapping[str, Any] = {}

    @property
    def came(self) -> str:
        """What came, in words."""
        mean, spread = (f"{value:.4g}" for value in moments(self.simulated))
        return f"mean {mean}, standard deviation {spread} over {self.simulated.size} simulations"


def moments(simulated: Float[np.ndarray, "..."]) -> tuple[float, float]:
    """Return mean and standard deviation of the finite ones; NaN without any."""
    finite = simulated[np.isfinite(simulated)]
    return (float(finite.mean()), float(finite.std())) if finite.size else (np.nan, np.nan)


def untold(estimate: float, simulated: Float[np.ndarray, "..."]) -> str | None:
    """Return why simulations cannot tell anything, if so: nothing is finite, or the estimate does not move."""
    failed = int((~np.isfinite(simulated)).sum())
    if not np.isfinite(estimate):
        return f"there is nothing to refute: the estimate is {estimate}"
    if failed:
        return f"cannot tell: {failed} of {simulated.size} simulations gave no finite estimate"
    if simulated.std() <= 1e-12 * max(abs(estimate), abs(simulated).max()):
        return f"cannot refute: the estimate is {simulated.flat[0]:.4g} whatever the data are"
    return None
