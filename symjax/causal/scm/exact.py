"""Exact answers: finite models by enumeration of their noise, linear-Gaussian ones by its posterior."""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

Values = Mapping[str, Any]
Number = float | Fraction


class FiniteModel(NamedTuple):
    """A model whose noise takes few values.

    Attributes:
        exogenous: the probabilities of the values of each noise; fractions stay exact.
        mechanisms: by variable, causes first, functions of all values before it, noise included.
    """

    exogenous: Mapping[str, Mapping[Any, Number]]
    mechanisms: Mapping[str, Callable[[Values], Any]]

    def worlds(self) -> Iterator[tuple[dict[str, Any], Number]]:
        """Yield all values of the noise, with their probabilities."""
        for combination in itertools.product(*(table.items() for table in self.exogenous.values())):
            values = dict(zip(self.exogenous, (value for value, _ in combination), strict=True))
            yield values, math.prod((chance for _, chance in combination), start=Fraction(1))

    def solve(self, noise: Values, do: Values | None = None) -> dict[str, Any]:
        """Return the values of all variables in a world; what is done may be a function of the noise's world."""
        done, values = do or {}, dict(noise)
        for name, mechanism in self.mechanisms.items():
            chosen = done[name] if name in done else mechanism(values)
            values[name] = chosen(noise) if callable(chosen) else chosen
        return values

    def probability(self, targets: Sequence[tuple[Values, Values]], evidence: Values | None = None) -> Number:
        """Return the probability that every event (do, values) holds at once in worlds that fit the evidence.

        Raises:
            ValueError: no world fits the evidence.
        """
        both: Number = Fraction(0)
        total: Number = Fraction(0)
        for noise, chance in self.worlds():
            if not _holds(evidence or {}, self.solve(noise)):
                continue
            total += chance
            if all(_holds(event, self.solve(noise, do)) for do, event in targets):
                both += chance
        if not total:
            raise ValueError(f"no world of the model fits the evidence {dict(evidence or {})}")
        return both / total

    def nested(self, name: str, do: Values) -> Callable[[Values], Any]:
        """Return what a variable is in a world under an intervention, to be set in another one: Y(x, M(x'))."""
        return lambda noise: self.solve(noise, do)[name]

    def mean(self, name: str, do: Values | None = None, evidence: Values | None = None) -> Number:
        """Return the mean of a variable under an intervention, among units that fit the evidence."""
        fitting = [(noise, p) for noise, p in self.worlds() if _holds(evidence or {}, self.solve(noise))]
        total = sum((p for _, p in fitting), start=Fraction(0))
        if not total:
            raise ValueError(f"no world of the model fits the evidence {dict(evidence or {})}")
        return sum((p * self.solve(noise, do)[name] for noise, p in fitting), start=Fraction(0)) / total


def causation(model: FiniteModel, cause: str, effect: str) -> dict[str, Number]:
    """Return the probabilities of necessity, sufficiency and both of a binary cause (Pearl 2009, definitions 9.2.1-3).

    PN = P(Y_0 = 0 | X = 1, Y = 1), PS = P(Y_1 = 1 | X = 0, Y = 0), PNS = P(Y_1 = 1, Y_0 = 0); "ETT" is the effect of
    the treated, E[Y_1 - Y_0 | X = 1].
    """
    without, with_it = ({cause: 0}, {effect: 0}), ({cause: 1}, {effect: 1})
    return {
        "PN": model.probability([without], {cause: 1, effect: 1}),
        "PS": model.probability([with_it], {cause: 0, effect: 0}),
        "PNS": model.probability([with_it, without]),
        "ETT": model.mean(effect, {cause: 1}, {cause: 1}) - model.mean(effect, {cause: 0}, {cause: 1}),
    }


def causation_bounds(joint: Float[np.ndarray, "x y"], under: tuple[float, float]) -> dict[str, tuple[float, float]]:
    """Return what data and an experiment allow for PN, PS and PNS of binary X and Y (Tian and Pearl 2000, eqs. 12-14).

    Args:
        joint: P(X = x, Y = y).
        under: P(Y = 1 | do(X = 0)) and P(Y = 1 | do(X = 1)).
    """
    y0, y1 = under
    (p00, p01), (p10, p11) = np.asarray(joint, float)
    y = p01 + p11
    pns = max(0, y1 - y0, y - y0, y1 - y), min(y1, 1 - y0, p11 + p00, y1 - y0 + p10 + p01)
    pn = max(0, (y - y0) / p11), min(1, (1 - y0 - p00) / p11)
    ps = max(0, (y1 - y) / p00), min(1, (y1 - p11) / p00)
    return {name: (float(low), float(high)) for name, (low, high) in {"PN": pn, "PS": ps, "PNS": pns}.items()}


class GaussianAnswer(NamedTuple):
    """The counterfactual distribution of the variables of a linear model: their means and covariance."""

    mean: Float[np.ndarray, " d"]
    covariance: Float[np.ndarray, "d d"]
    noise_mean: Float[np.ndarray, " d"]


def linear_gaussian(
    weights: Float[np.ndarray, "d d"],
    intercept: Float[np.ndarray, " d"],
    scale: Float[np.ndarray, " d"],
    evidence: Mapping[int, float],
    do: Mapping[int, float],
) -> GaussianAnswer:
    """Return what the variables would have been under an intervention, given what is known of some of them.

    With V = W V + c + N the noise given the evidence is normal, and the counterfactual is a linear map of it.

    Args:
        weights: W[k, j], of cause j on k.
        intercept: c.
        scale: standard deviations of N.
        evidence: values by number of the variable; any subset.
        do: what is set.
    """
    d = len(intercept)
    total, seen = np.linalg.inv(np.eye(d) - weights), sorted(evidence)
    mean, root = total @ intercept, total * scale
    known = root[seen]
    gain = np.linalg.pinv(known)
    z_mean = gain @ (np.array([evidence[k] for k in seen], float) - mean[seen]) if seen else np.zeros(d)
    z_covariance = np.eye(d) - gain @ known if seen else np.eye(d)
    cut = np.array(weights, float)
    start, spread = np.array(intercept, float), np.diag(np.array(scale, float))
    for k, value in do.items():
        cut[k], start[k], spread[k] = 0, value, 0
    after = np.linalg.inv(np.eye(d) - cut)
    map_ = after @ spread
    return GaussianAnswer(after @ start + map_ @ z_mean, map_ @ z_covariance @ map_.T, scale * z_mean)


def _holds(event: Values, values: Values) -> bool:
    return all(values[name] == wanted for name, wanted in event.items())
