"""Formulas for effects in terms of what is observed: they print, as text or LaTeX, and evaluate."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float


class Joint(NamedTuple):
    """A table over discrete variables, one axis each; probabilities, or values of a formula."""

    axes: tuple[str, ...]
    values: Float[np.ndarray, "..."]

    def marginal(self, kept: Iterable[str]) -> "Joint":
        """Return the sums over all other axes, with the kept ones in the order of this table."""
        left = set(kept)
        axes = tuple(axis for axis in self.axes if axis in left)
        return Joint(axes, self.values.sum(axis=tuple(k for k, axis in enumerate(self.axes) if axis not in left)))

    def along(self, axes: tuple[str, ...]) -> Float[np.ndarray, "..."]:
        """Return the values with these axes in this order, of length one where this table lacks them."""
        own = [axis for axis in axes if axis in self.axes]
        values = self.values.transpose([self.axes.index(axis) for axis in own])
        return values.reshape([values.shape[own.index(axis)] if axis in own else 1 for axis in axes])


class Estimand:
    """A formula: `P`, `Sum`, `Product` or `Fraction`."""

    @property
    def free(self) -> frozenset[str]:
        """The variables that its value depends on."""
        raise NotImplementedError

    @property
    def mentioned(self) -> frozenset[str]:
        """All its variables, those that are summed over too."""
        return self.free

    def evaluate(self, joint: Joint) -> Joint:
        """Return its value for all values of its free variables, from the joint probabilities of all variables.

        A quotient of two zeros, where a condition has no probability, is zero.
        """
        raise NotImplementedError

    def write(self, names: Mapping[str, str], latex: bool) -> str:
        """Return it as text or LaTeX, with these names of the variables."""
        raise NotImplementedError

    def latex(self) -> str:
        """Return it as LaTeX."""
        return self.write({name: name for name in self.free}, True)

    def __str__(self) -> str:
        return self.write({name: name for name in self.free}, False)


@dataclasses.dataclass(frozen=True)
class P(Estimand):
    """The probability of some variables given others, P(y, z | x)."""

    variables: frozenset[str]
    given: frozenset[str] = frozenset()

    @property
    def free(self) -> frozenset[str]:
        """All its variables."""
        return self.variables | self.given

    def evaluate(self, joint: Joint) -> Joint:
        """Return the conditional probabilities."""
        both = joint.marginal(self.free)
        if not self.given:
            return both
        return _joined(_quotient, both, joint.marginal(self.given))

    def write(self, names: Mapping[str, str], latex: bool) -> str:
        """Return it as text or LaTeX."""
        bar = (r" \mid " if latex else " | ") if self.given else ""
        return f"P({_listed(self.variables, names)}{bar}{_listed(self.given, names)})"


@dataclasses.dataclass(frozen=True)
class Sum(Estimand):
    """The sum of a formula over all values of some variables."""

    over: frozenset[str]
    of: Estimand

    @property
    def free(self) -> frozenset[str]:
        """Those of the summand that are not summed over."""
        return self.of.free - self.over

    @property
    def mentioned(self) -> frozenset[str]:
        """Those of the summand, and those summed over."""
        return self.of.mentioned | self.over

    def evaluate(self, joint: Joint) -> Joint:
        """Return the sums; a variable that the summand lacks counts its values."""
        of = self.of.evaluate(joint)
        sizes = dict(zip(joint.axes, joint.values.shape, strict=True))
        count = np.prod([sizes[name] for name in self.over - set(of.axes)])
        summed = of.marginal(set(of.axes) - self.over)
        return Joint(summed.axes, count * summed.values)

    def write(self, names: Mapping[str, str], latex: bool) -> str:
        """Return it as text or LaTeX; a summed variable that has a namesake outside gets a prime."""
        inner = dict(names)
        for name in self.over:
            inner[name] = name
            while inner[name] in names.values():
                inner[name] += "'"
        sign = rf"\sum_{{{_listed(self.over, inner)}}}" if latex else f"sum over {_listed(self.over, inner)} of"
        return f"{sign} {_bracketed(self.of, inner, latex)}"


@dataclasses.dataclass(frozen=True)
class Product(Estimand):
    """The product of formulas; one where there are none."""

    factors: tuple[Estimand, ...]

    @property
    def free(self) -> frozenset[str]:
        """Those of the factors."""
        return frozenset().union(*(factor.free for factor in self.factors))

    @property
    def mentioned(self) -> frozenset[str]:
        """Those of the factors."""
        return frozenset().union(*(factor.mentioned for factor in self.factors))

    def evaluate(self, joint: Joint) -> Joint:
        """Return the products."""
        value = Joint((), np.array(1.0))
        for factor in self.factors:
            value = _joined(np.multiply, value, factor.evaluate(joint))
        return value

    def write(self, names: Mapping[str, str], latex: bool) -> str:
        """Return it as text or LaTeX."""
        between = r" \, " if latex else " "
        return between.join(_bracketed(factor, names, latex) for factor in self.factors) or "1"


@dataclasses.dataclass(frozen=True)
class Fraction(Estimand):
    """The quotient of two formulas."""

    numerator: Estimand
    denominator: Estimand

    @property
    def free(self) -> frozenset[str]:
        """Those of both."""
        return self.numerator.free | self.denominator.free

    @property
    def mentioned(self) -> frozenset[str]:
        """Those of both."""
        return self.numerator.mentioned | self.denominator.mentioned

    def evaluate(self, joint: Joint) -> Joint:
        """Return the quotients."""
        return _joined(_quotient, self.numerator.evaluate(joint), self.denominator.evaluate(joint))

    def write(self, names: Mapping[str, str], latex: bool) -> str:
        """Return it as text or LaTeX."""
        above, below = (part.write(names, latex) for part in (self.numerator, self.denominator))
        return rf"\frac{{{above}}}{{{below}}}" if latex else f"[{above}] / [{below}]"


def product(factors: Iterable[Estimand]) -> Estimand:
    """Return the product of formulas, without brackets inside."""
    flat = [part for factor in factors for part in factors_of(factor)]
    return flat[0] if len(flat) == 1 else Product(tuple(flat))


def summed(over: Iterable[str], factors: Iterable[Estimand]) -> Estimand:
    """Return the sum of a product, with what does not depend on the variables pulled out, and sums of one dropped."""
    left, inside = set(over), list(factors)
    while found := next(((v, f) for v in sorted(left) if (f := _alone(v, inside)) is not None), None):
        v, factor = found
        left.remove(v)
        inside.remove(factor)
        if factor.variables != {v}:
            inside.append(P(factor.variables - {v}, factor.given))
    outside = [factor for factor in inside if not factor.free & left]
    if not left:
        return product(inside)
    return product([*outside, Sum(frozenset(left), product(factor for factor in inside if factor.free & left))])


def fraction(numerator: Estimand, denominator: Estimand) -> Estimand:
    """Return a quotient without the factors that both have."""
    above, below = factors_of(numerator), factors_of(denominator)
    for factor in list(below):
        if factor in above:
            above.remove(factor)
            below.remove(factor)
    return Fraction(product(above), product(below)) if below else product(above)


def factors_of(estimand: Estimand) -> list[Estimand]:
    """Return the factors of a product, or the one formula."""
    return list(estimand.factors) if isinstance(estimand, Product) else [estimand]


def _alone(name: str, factors: list[Estimand]) -> P | None:
    """Return the factor whose probabilities of `name` add up to one without changing any other factor."""
    having = [factor for factor in factors if name in factor.free]
    if len(having) == 1 and isinstance(having[0], P) and name in having[0].variables:
        return having[0]
    return None


def _joined(operation: Callable, a: Joint, b: Joint) -> Joint:
    axes = (*a.axes, *(axis for axis in b.axes if axis not in a.axes))
    return Joint(axes, operation(a.along(axes), b.along(axes)))


def _quotient(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, b = np.broadcast_arrays(a, b)
    return np.divide(a, b, out=np.zeros(a.shape), where=b != 0)


def _listed(variables: frozenset[str], names: Mapping[str, str]) -> str:
    return ", ".join(names[name] for name in sorted(variables))


def _bracketed(estimand: Estimand, names: Mapping[str, str], latex: bool) -> str:
    written = estimand.write(names, latex)
    return f"[{written}]" if isinstance(estimand, Sum) else written
