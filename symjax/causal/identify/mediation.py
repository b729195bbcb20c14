"""Direct and indirect effects through mediators (Pearl 2001): when a graph identifies them, and their formulas."""

import dataclasses
import math
from collections.abc import Iterable

import numpy as np
from jaxtyping import Float

from symjax.causal.graphs import ADMG
from symjax.causal.identify.adjustment import minimal_adjustment, why_no_adjustment
from symjax.causal.identify.estimand import Joint, P


@dataclasses.dataclass(frozen=True)
class Mediation:
    """How an effect divides between what goes through mediators and what does not.

    Attributes:
        treatment: X.
        outcome: Y.
        mediators: M.
        adjustment: W, given which treatment, mediators and outcome have no common causes; None: not identified.
        reason: why not, in a sentence.
    """

    treatment: str
    outcome: str
    mediators: frozenset[str]
    adjustment: frozenset[str] | None
    reason: str

    def natural_direct(self, joint: Joint, low: int, high: int) -> Float[np.ndarray, " y"]:
        """Return P(Y | X = high, M as under low) - P(Y | X = low), for each value of Y."""
        return self._nested(joint, high, low) - self._nested(joint, low, low)

    def natural_indirect(self, joint: Joint, low: int, high: int) -> Float[np.ndarray, " y"]:
        """Return P(Y | X = low, M as under high) - P(Y | X = low), for each value of Y."""
        return self._nested(joint, low, high) - self._nested(joint, low, low)

    def controlled_direct(
        self, joint: Joint, low: int, high: int, mediators: tuple[int, ...]
    ) -> Float[np.ndarray, " y"]:
        """Return P(Y | do(high), do(M)) - P(Y | do(low), do(M)) with M, in the order of their names, set by hand."""
        at = dict(zip(sorted(self.mediators), mediators, strict=True))
        outcome, w = self._outcome(joint), joint.marginal(self._required())
        return self._mean([_at(outcome, at | {self.treatment: high}), w]) - self._mean(
            [_at(outcome, at | {self.treatment: low}), w]
        )

    def _required(self) -> frozenset[str]:
        if self.adjustment is None:
            raise ValueError(f"the effect through {', '.join(sorted(self.mediators))} is not identified: {self.reason}")
        return self.adjustment

    def _outcome(self, joint: Joint) -> Joint:
        return P(frozenset([self.outcome]), self.mediators | {self.treatment} | self._required()).evaluate(joint)

    def _nested(self, joint: Joint, direct: int, through: int) -> Float[np.ndarray, " y"]:
        """Return sum_{m, w} P(Y | X = direct, m, w) P(m | X = through, w) P(w)."""
        w = self._required()
        mediators = P(self.mediators, frozenset([self.treatment]) | w).evaluate(joint)
        parts = _at(self._outcome(joint), {self.treatment: direct}), _at(mediators, {self.treatment: through})
        return self._mean([*parts, joint.marginal(w)])

    def _mean(self, factors: list[Joint]) -> Float[np.ndarray, " y"]:
        """Return the sum of a product over everything but the outcome."""
        axes = (self.outcome, *sorted({axis for factor in factors for axis in factor.axes} - {self.outcome}))
        return math.prod((factor.along(axes) for factor in factors), start=np.array(1.0)).sum(
            axis=tuple(range(1, len(axes)))
        )


def _at(table: Joint, values: dict[str, int]) -> Joint:
    """Return a table at some values of some of its axes."""
    place = tuple(values.get(axis, slice(None)) for axis in table.axes)
    return Joint(tuple(axis for axis in table.axes if axis not in values), table.values[place])


def mediation(graph: ADMG, treatment: str, outcome: str, mediators: Iterable[str]) -> Mediation:
    """Return whether natural effects through the mediators are identified by one set W, and which.

    Sufficient, and the usual condition (Imai et al. 2010): given W, nothing causes both the treatment and mediators or
    outcome; given W and the treatment, nothing causes both mediators and outcome, not even an effect of the treatment.
    Controlled direct effects need less; `identify` with treatment and mediators as treatments answers for them.

    Args:
        graph: over observed nodes.
        treatment: X.
        outcome: Y.
        mediators: M.

    Raises:
        ValueError: a mediator is no effect of the treatment.
    """
    m = frozenset(mediators)
    if stray := m - graph.descendants(treatment):
        raise ValueError(
            f"{', '.join(sorted(stray))} is no effect of {treatment} and cannot carry any; name a mediator"
        )
    both = minimal_adjustment(graph, [treatment], [*m, outcome], forbidden=graph.descendants(treatment))
    later = graph.cut(out_of=m)
    if both is None:
        path = graph.cut(out_of=[treatment]).open_path([treatment], [*m, outcome])
        return Mediation(
            treatment, outcome, m, None, f"the path {path} cannot be closed by what the treatment leaves alone."
        )
    allowed = frozenset(graph.nodes) - graph.descendants(treatment) - {treatment, outcome}
    for chosen in (both, allowed):
        apart = later.separated(m, [outcome], chosen | {treatment})
        if apart and why_no_adjustment(graph, [treatment], [*m, outcome], chosen) is None:
            return Mediation(treatment, outcome, m, chosen, "")
    path = later.open_path(m, [outcome], both | {treatment})
    return Mediation(treatment, outcome, m, None, f"the path {path} between mediators and outcome cannot be closed.")
