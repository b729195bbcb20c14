"""Bounds on effects that are not identified: without any assumption, and by a binary instrument."""

import itertools
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.optimize import linprog


class Bounds(NamedTuple):
    """The smallest and the largest effect that the data allow."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"[{self.low:.4g}, {self.high:.4g}]"


def manski_bounds(
    means: tuple[float, float],
    shares: tuple[float, float],
    outcomes: tuple[float, float],
    *,
    monotone: Literal["none", "response", "selection", "both"] = "none",
) -> Bounds:
    """Return bounds on E[Y_1] - E[Y_0] of an outcome in a known range, whatever hidden causes do (Manski 1990, 1997).

    What is unknown, the outcomes of the treated without treatment and of the others with it, is put to the ends of the
    range. "response" assumes that treatment harms nobody, "selection" that those who took it do better anyway (Manski
    and Pepper 2000).

    Args:
        means: E[Y | T = 0] and E[Y | T = 1].
        shares: P(T = 0) and P(T = 1).
        outcomes: the least and the greatest possible outcome.
        monotone: what is assumed.

    Raises:
        ValueError: a mean lies outside the range, or the shares are no probabilities.
    """
    (m0, m1), (p0, p1), (least, most) = means, shares, outcomes
    if not (least <= min(means) and max(means) <= most):
        raise ValueError(f"expected means between {least} and {most}, got {m0} and {m1}; widen the range of outcomes")
    if min(shares) < 0 or abs(sum(shares) - 1) > 1e-9:
        raise ValueError(f"expected shares of the arms that add up to one, got {p0} and {p1}")
    treated = m1 * p1 + least * p0, m1 * p1 + most * p0
    control = m0 * p0 + least * p1, m0 * p0 + most * p1
    low, high = treated[0] - control[1], treated[1] - control[0]
    if monotone in ("response", "both"):
        low = 0.0
    if monotone in ("selection", "both"):
        high = m1 - m0
    return Bounds(low, high)


def instrument_bounds(joint: Float[np.ndarray, "z t y"]) -> Bounds:
    """Return the sharpest bounds on P(Y_1 = 1) - P(Y_0 = 1) by a binary instrument (Balke and Pearl 1997).

    A unit is of one of 16 kinds: how its treatment answers to the instrument, and its outcome to the treatment. The
    effect is least and greatest over all mixtures of kinds that give the probabilities of what is seen, a linear
    programme.

    Args:
        joint: P(treatment, outcome | instrument) by instrument, treatment and outcome, all 0 or 1.

    Raises:
        ValueError: no mixture gives these probabilities: the instrument moves the outcome by something else.
    """
    joint = np.asarray(joint, float)
    if joint.shape != (2, 2, 2) or not np.allclose(joint.sum(axis=(1, 2)), 1):
        raise ValueError(
            f"expected probabilities [2, 2, 2] of treatment and outcome that add up to one for each value of the "
            f"instrument, got shape {joint.shape} and sums {joint.sum(axis=tuple(range(1, joint.ndim)))}"
        )
    answers = list(itertools.product((0, 1), repeat=2))  # to 0, to 1
    kinds = list(itertools.product(answers, answers))
    seen = np.zeros((8, 16))
    for column, (takes, responds) in enumerate(kinds):
        for z in (0, 1):
            seen[4 * z + 2 * takes[z] + responds[takes[z]], column] = 1
    effect = np.array([responds[1] - responds[0] for _, responds in kinds], float)
    ends = [linprog(sign * effect, A_eq=seen, b_eq=joint.ravel(), bounds=(0, 1)) for sign in (1, -1)]
    if not all(end.success for end in ends):
        raise ValueError(
            "no hidden causes explain these probabilities by a valid instrument; it moves the outcome by something "
            "else, or the sample is small: smooth the probabilities, or choose another instrument"
        )
    return Bounds(float(ends[0].fun), float(-ends[1].fun))
