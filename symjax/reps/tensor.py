"""Tensors: the defining representation V, scalars, T(p, q), determinants, and restriction to a subgroup."""

import dataclasses
import functools
import operator
from typing import Any, SupportsIndex

import numpy as np

from symjax.groups import DirectProduct, MatrixGroup, PermutationGroup, as_matrix, factors_of, tangent_rank
from symjax.math import Monomial, namespace
from symjax.reps.linear import LinearRep, Product, Pullback, product_of, pullback


@dataclasses.dataclass(frozen=True, repr=False)
class Defining(LinearRep):
    """V, the vectors on which the matrices of the group act."""

    group: MatrixGroup | None = None

    @property
    def size(self) -> int:
        """The number of coordinates."""
        return self.require_group().d

    def rho(self, g: Any) -> Any:
        """Return the matrix of an element."""
        return as_matrix(g)

    def drho(self, a: Any) -> Any:
        """Return the matrix of a tangent."""
        return a

    def act(self, g: Any, x: Any) -> Any:
        """Return rho(g) x along the last axis of x."""
        return namespace(g, x).take(self._sized(x), g, axis=-1) if g.ndim == 1 else super().act(g, x)

    def monomial(self, h: Any) -> Monomial | None:
        """Return the element as a permutation with signs, where it is one."""
        return (np.asarray(h), np.ones(len(h))) if h.ndim == 1 else super().monomial(h)

    def bind(self, group: MatrixGroup) -> LinearRep:
        """Return this as a representation of `group`."""
        if isinstance(group, DirectProduct):
            factors = [pullback(Defining(part), group, factor=i) for i, part in enumerate(group.groups)]
            return product_of(factors, group)
        return Defining(group)

    def regroup(self, group: MatrixGroup) -> LinearRep:
        """Return this as a representation of another group."""
        return Defining(group)

    @property
    def text(self) -> str:
        """The expression without its group."""
        return "V"


@dataclasses.dataclass(frozen=True, repr=False)
class Determinant(LinearRep):
    """det(g), the one number that reflections negate; `Det * T(p)` are pseudo-tensors."""

    group: MatrixGroup | None = None

    @property
    def size(self) -> int:
        """One."""
        return 1

    def rho(self, g: Any) -> Any:
        """Return the matrix of an element."""
        xp = namespace(g)
        return xp.linalg.det(as_matrix(g)).reshape(1, 1)

    def drho(self, a: Any) -> Any:
        """Return the matrix of a tangent."""
        return a.trace().reshape(1, 1)

    def bind(self, group: MatrixGroup) -> LinearRep:
        """Return this as a representation of `group`."""
        if isinstance(group, DirectProduct):
            raise ValueError(f"{group} has a determinant for each factor; write Det(group) of the factor that is meant")
        return Determinant(group)

    def regroup(self, group: MatrixGroup) -> LinearRep:
        """Return this as a representation of another group."""
        return Determinant(group)

    @property
    def text(self) -> str:
        """The expression without its group."""
        return "Det"


V = Defining()
Scalar = Product((), None)
Det = Determinant()


def T(p: SupportsIndex, q: SupportsIndex = 0) -> LinearRep:
    """Give the tensors of p vectors and q dual vectors, V**p * V.T**q, of size d^(p + q); of none, the scalar.

    Raises:
        TypeError: If p or q is no integer.
        ValueError: If one is negative.
    """
    try:
        vectors, duals = operator.index(p), operator.index(q)
    except TypeError:
        raise TypeError(f"expected integers p and q of at least 0, got T({p!r}, {q!r})") from None
    return V**vectors * V.T**duals


def restrict(rep: LinearRep, subgroup: MatrixGroup) -> LinearRep:
    """Return rho(h) for the elements h of a subgroup only.

    That it is a subgroup is tested as far as generators tell: permutations are looked up in the group, other elements
    are compared by determinant only.

    Raises:
        ValueError: If the matrices of the subgroup have another size or kind, move in ways that the group does not, or
            are permutations or of determinants that the group does not have.
    """
    group = rep.require_group()
    sizes, own_sizes = ([part.d for part in factors_of(g)] for g in (subgroup, group))
    if sizes != own_sizes or (group.is_unitary and not subgroup.is_unitary) or (group.is_real > subgroup.is_real):
        raise ValueError(f"{subgroup} is no subgroup of {group}: expected matrices of its size and kind")
    if tangent_rank(group.lie_algebra) < tangent_rank((*group.lie_algebra, *subgroup.lie_algebra)):
        raise ValueError(f"{subgroup} is no subgroup of {group}: a tangent of it is none of the group")
    if not all(map(_may_hold, factors_of(group), factors_of(subgroup))):
        raise ValueError(f"{subgroup} is no subgroup of {group}: a generator of it is no element of the group")

    return rep.map_leaves(functools.partial(_restricted, subgroup), subgroup)


def _restricted(subgroup: MatrixGroup, leaf: LinearRep) -> LinearRep:
    if isinstance(leaf, Pullback) and isinstance(subgroup, DirectProduct):
        return Pullback(leaf.rep.regroup(subgroup.groups[leaf.factor]), subgroup, leaf.factor)
    return leaf.regroup(subgroup)


def _may_hold(group: MatrixGroup, subgroup: MatrixGroup) -> bool:
    """Return whether the generators of another group look like elements of this one."""
    if all(h.ndim == 1 for h in (group.identity, *subgroup.generators)):
        permutations = group if isinstance(group, PermutationGroup) else PermutationGroup(group.generators)
        return all(map(permutations.contains, subgroup.generators))
    own, other = ([np.linalg.det(as_matrix(h)) for h in g.generators] for g in (group, subgroup))
    traceless = np.allclose([np.trace(a) for a in group.directions], 0, atol=1e-9)
    powers = [k for k in (1, 2) if traceless and np.allclose(np.power(own, k), 1, atol=1e-9)]
    return not powers or np.allclose(np.power(other, powers[0]), 1, atol=1e-9)
