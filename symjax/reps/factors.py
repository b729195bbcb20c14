"""Representations of the factors of a direct product, as representations of the whole."""

import dataclasses
from typing import Any

from symjax.groups import DirectProduct, MatrixGroup
from symjax.reps.arrays import Monomial
from symjax.reps.linear import LinearRep


@dataclasses.dataclass(frozen=True, repr=False)
class Pullback(LinearRep):
    """A leaf of one factor as a representation of a direct product: the other factors do nothing."""

    rep: LinearRep
    group: DirectProduct
    factor: int

    @property
    def size(self) -> int:
        """The number of coordinates."""
        return self.rep.size

    def rho(self, g: Any) -> Any:
        """Return the matrix of an element."""
        return self.rep.rho(g[self.factor])

    def drho(self, a: Any) -> Any:
        """Return the matrix of a tangent."""
        return self.rep.drho(a[self.factor])

    def act(self, g: Any, x: Any) -> Any:
        """Return rho(g) x along the last axis of x."""
        return self.rep.act(g[self.factor], x)

    def dact(self, a: Any, x: Any) -> Any:
        """Return drho(a) x along the last axis of x."""
        return self.rep.dact(a[self.factor], x)

    def monomial(self, h: Any) -> Monomial | None:
        """Return the element as a permutation with signs, where it is one."""
        return self.rep.monomial(h[self.factor])

    def expand(self) -> LinearRep:
        """Return the same of the smaller leaves that the leaf is made of."""
        return expand_inside(self, self.rep)

    @property
    def T(self) -> LinearRep:
        """The dual."""
        return dataclasses.replace(self, rep=self.rep.T)

    @property
    def text(self) -> str:
        """The expression without its group; of equal factors, with which one it is."""
        is_alone = self.group.groups.count(self.group.groups[self.factor]) == 1
        return repr(self.rep) if is_alone else f"{self.rep!r}[{self.factor}]"


def expand_inside(wrapper: Any, leaf: LinearRep) -> LinearRep:
    """Return what a leaf expands to, with each smaller leaf wrapped in its stead; the wrapper if there is none."""
    expanded = leaf.expand()
    if expanded is leaf:
        return wrapper
    return expanded.map_leaves(lambda part: dataclasses.replace(wrapper, rep=part), wrapper.group)


def align(*reps: LinearRep) -> tuple[list[LinearRep], MatrixGroup | None]:
    """Return the representations as ones of a common group, and that group.

    Abstract ones take the group of the others. Representations of different groups become ones of the direct product,
    on which each factor moves its own: the one of the groups that has all factors, else a new one. A factor of several
    groups is in it as often as in the one that has it most.
    """
    groups: list[MatrixGroup] = []
    for rep in reps:
        groups += [rep.group] if rep.group is not None and rep.group not in groups else []
    if len(groups) > 1:
        merged: list[MatrixGroup] = []
        for own in map(factors_of, groups):
            merged += [part for i, part in enumerate(own) if own[: i + 1].count(part) > merged.count(part)]
        whole = (own for own in groups if isinstance(own, DirectProduct) and len(own.groups) == len(merged))
        groups = [next(whole, DirectProduct(tuple(merged)))]
    if not groups:
        return list(reps), None
    return [rep(groups[0]) if rep.group is None else pullback(rep, groups[0]) for rep in reps], groups[0]


def bound(*reps: LinearRep) -> tuple[list[LinearRep], MatrixGroup]:
    """Return what `align` returns.

    Raises:
        TypeError: If one is no linear representation.
        ValueError: If none of the representations has a group.
    """
    if strangers := [rep for rep in reps if not isinstance(rep, LinearRep)]:
        raise TypeError(f"expected a linear representation such as T(2)(SO(3)), got {strangers[0]!r}")
    aligned, group = align(*reps)
    if group is None:
        raise ValueError(f"{' and '.join(map(str, reps))} have no group yet; give them one, as in T(2)(SO(3))")
    return aligned, group


def pullback(rep: LinearRep, group: MatrixGroup, *, factor: int | None = None) -> LinearRep:
    """Return a representation of one factor of a direct product (or of several) as one of the whole product.

    Args:
        rep: the representation.
        group: the direct product; the representation's own group is returned unchanged.
        factor: which factor acts, needed where two factors are equal.

    Raises:
        ValueError: If the group of `rep` is no factor, or is several and `factor` does not choose one of them.
    """
    own = rep.require_group()
    if own == group:
        return rep
    if not isinstance(group, DirectProduct):
        raise ValueError(f"expected {own} to be one factor of a direct product, got {group}")

    def move(leaf: LinearRep) -> LinearRep:
        part, inner = (leaf.factor, leaf.rep) if isinstance(leaf, Pullback) else (0, leaf)
        return Pullback(inner, group, _place(factors_of(own), part, group, factor))

    return rep.map_leaves(move, group)


def moving_factors(rep: LinearRep) -> set[int]:
    """Return which factors of a direct product move the leaves of a representation, all for a leaf of the product."""
    found: set[int] = set()

    def look(leaf: LinearRep) -> LinearRep:
        found.update([leaf.factor] if isinstance(leaf, Pullback) else range(len(factors_of(leaf.require_group()))))
        return leaf

    rep.map_leaves(look, rep.group)
    return found


def factors_of(group: MatrixGroup) -> tuple[MatrixGroup, ...]:
    """Return the factors of a direct product; the group itself if it is none."""
    return tuple(group.groups) if isinstance(group, DirectProduct) else (group,)


def _place(own: tuple[MatrixGroup, ...], part: int, group: DirectProduct, factor: int | None) -> int:
    """Return which factor of a product is the given part: of several equal ones, the first is the first, and so on."""
    wanted = own[part]
    found = [i for i, other in enumerate(group.groups) if other == wanted]
    if factor is not None and factor in found and own.count(wanted) == 1:
        return factor
    if factor is None and len(found) == own.count(wanted):
        return found[own[:part].count(wanted)]
    raise ValueError(f"expected {wanted} to be one factor of {group}, or factor= to say which of several")
