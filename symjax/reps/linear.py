"""Linear representations, frozen values with an algebra: `V * V + 2 * V`, `V.T`, `V >> V`, `V**3`.

One is abstract until it is given a group, like `(V * V + 2 * V)(SO(3))`; giving one returns a new value (Finzi, Welling
and Wilson 2021, arXiv:2104.09459, section 4).
"""

import abc
import dataclasses
import operator
from collections.abc import Callable
from typing import Any, SupportsIndex

import numpy as np

from symjax.groups import MatrixGroup
from symjax.reps.arrays import Monomial, along_last, namespace, signed_permutation


class LinearRep(abc.ABC):
    """A representation on vectors of `size` numbers: rho(g) for elements, drho(a) for tangents, act on a last axis."""

    group: MatrixGroup | None

    @property
    @abc.abstractmethod
    def size(self) -> int:
        """The number of coordinates; only known once the group is."""

    @abc.abstractmethod
    def rho(self, g: Any) -> Any:
        """Return the matrix [size, size] of an element."""

    @abc.abstractmethod
    def drho(self, a: Any) -> Any:
        """Return the matrix [size, size] of a tangent, d/dt rho(exp(t a)) at t = 0."""

    def map_leaves(self, change: Callable[["LinearRep"], "LinearRep"], group: MatrixGroup | None) -> "LinearRep":
        """Return the same expression of `group` with `change` applied to its leaves, of which this is one."""
        return change(self)

    def bind(self, group: MatrixGroup) -> "LinearRep":
        """Return this leaf as a representation of `group`; the same where it has its group already."""
        return self

    def act(self, g: Any, x: Any) -> Any:
        """Return rho(g) x along the last axis of x."""
        matrix = self.rho(g)
        return along_last(matrix, self._sized(x))

    def dact(self, a: Any, x: Any) -> Any:
        """Return drho(a) x along the last axis of x."""
        return along_last(self.drho(a), self._sized(x))

    def monomial(self, h: Any) -> Monomial | None:
        """Return (perm, sign) with (rho(h) x)[i] = sign[i] x[perm[i]], or None where rho(h) is no such matrix."""
        return signed_permutation(np.asarray(self.rho(h)))

    def expand(self) -> "LinearRep":
        """Return an equal representation, coordinate by coordinate, made of smaller leaves; itself if there is none."""
        return self

    @property
    def T(self) -> "LinearRep":
        """The dual, rho(g)^-T; the representation itself where it is orthogonal."""
        return self if self.group is not None and self.group.is_orthogonal else Dual(self)

    def __call__(self, group: MatrixGroup) -> "LinearRep":
        """Return this representation of `group`.

        Raises:
            TypeError: If that is no group of matrices.
            ValueError: If it already has another group.
        """
        if not isinstance(group, MatrixGroup):
            raise TypeError(f"expected a group of matrices or permutations, got {group!r}")
        if self.group is not None and self.group != group:
            raise ValueError(f"{self} has a group already, so {group} needs pullback (a product of it) or restrict")
        return self if self.group is not None else self.map_leaves(lambda leaf: leaf.bind(group), group)

    def __add__(self, other: "LinearRep | int") -> "LinearRep":
        terms, group = factors.align(self, algebra.scalars(other))
        return algebra.sum_of([(term, 1) for term in terms], group)

    def __radd__(self, other: int) -> "LinearRep":
        return algebra.scalars(other) + self

    def __mul__(self, other: "LinearRep | int") -> "LinearRep":
        if isinstance(other, LinearRep):
            return algebra.product_of(*factors.align(self, other))
        return algebra.sum_of([(self, natural(other))], self.group)

    def __rmul__(self, other: int) -> "LinearRep":
        return self * other

    def __pow__(self, power: int) -> "LinearRep":
        return algebra.product_of([self] * natural(power), self.group)

    def __rshift__(self, other: "LinearRep") -> "LinearRep":
        """Return the representation of the matrices that map from this one to the other."""
        return other * self.T

    def __lshift__(self, other: "LinearRep") -> "LinearRep":
        return self * other.T

    def __repr__(self) -> str:
        return self.text if self.group is None else f"{bracketed(self.text)}({self.group!r})"

    @property
    @abc.abstractmethod
    def text(self) -> str:
        """The expression without its group."""

    def require_group(self) -> MatrixGroup:
        """Return the group.

        Raises:
            ValueError: If there is none yet.
        """
        if self.group is None:
            raise ValueError(f"{self} has no group yet; give it one, as in T(2)(SO(3))")
        return self.group

    def _sized(self, x: Any) -> Any:
        if x.shape[-1:] != (self.size,):
            raise ValueError(f"{self} acts on {self.size} numbers along the last axis, but the array has {x.shape}")
        return x


def bracketed(text: str) -> str:
    """Return an expression as it is written inside a product."""
    return f"({text})" if set(text) & set("+*") else text


def natural(number: SupportsIndex) -> int:
    """Return a multiplicity, a power or a number of channels.

    Raises:
        TypeError: If it is no integer.
        ValueError: If it is negative.
    """
    try:
        count = operator.index(number)
    except TypeError:
        raise TypeError(f"expected an integer of at least 0, got {number!r}") from None
    if count < 0:
        raise ValueError(f"expected an integer of at least 0, got {number}")
    return count


@dataclasses.dataclass(frozen=True, repr=False)
class Dual(LinearRep):
    """The dual of a leaf: rho(g)^-T, drho -> -drho^T."""

    rep: LinearRep

    @property
    def group(self) -> MatrixGroup | None:
        """The group that acts."""
        return self.rep.group

    @property
    def size(self) -> int:
        """The number of coordinates."""
        return self.rep.size

    def rho(self, g: Any) -> Any:
        """Return the matrix of an element."""
        matrix = self.rep.rho(g)
        return namespace(matrix).linalg.inv(matrix).T

    def drho(self, a: Any) -> Any:
        """Return the matrix of a tangent."""
        return -self.rep.drho(a).T

    def monomial(self, h: Any) -> Monomial | None:
        """Return the element as a permutation with signs, where it is one."""
        return self.rep.monomial(h)

    @property
    def T(self) -> LinearRep:
        """The dual."""
        return self.rep

    def bind(self, group: MatrixGroup) -> LinearRep:
        """Return this as a representation of `group`."""
        return self.rep.bind(group).T

    @property
    def text(self) -> str:
        """The expression without its group."""
        return f"{bracketed(self.rep.text)}.T"


def moved(rep: LinearRep, x: Any) -> list[Any]:
    """Return drho(a) x for each tangent, then rho(h) x for each generator."""
    group = rep.require_group()
    return [rep.dact(a, x) for a in group.directions] + [rep.act(h, x) for h in group.generators]


def monomials(rep: LinearRep) -> list[Monomial] | None:
    """Return the generators as permutations with signs, or None where some element is more than that."""
    group, probe = rep.require_group(), np.random.default_rng(0).standard_normal(rep.size)
    if any(np.any(rep.dact(a, probe)) for a in group.directions):
        return None
    found = []
    for h in group.generators:
        if (monomial := rep.monomial(h)) is None:
            return None
        found.append(monomial)
    return found


def permutes(rep: LinearRep) -> bool:
    """Return whether every element permutes the coordinates, so that functions of one number at a time are lawful."""
    found = monomials(rep)
    return found is not None and all((sign > 0).all() for _, sign in found)


from symjax.reps import algebra, factors  # noqa: E402  the operators above make sums, products and pullbacks
