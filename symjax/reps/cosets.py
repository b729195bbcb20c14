"""Induced representations of finite groups, and their special cases on functions of the group and of its cosets."""

import dataclasses
import functools
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Inexact, Int, Shaped

from symjax.groups import DirectProduct, MatrixGroup, Trivial, as_matrix, element_key, factors_of, finite_elements
from symjax.math import Monomial, namespace, promoted
from symjax.reps.linear import LinearRep, Product, product_of, pullback

SAME = 1e-6  # entries of one element, after rounding in every product that made it


@dataclasses.dataclass(frozen=True, repr=False)
class Induced(LinearRep):
    """What a representation of a subgroup H becomes on the whole finite group G: one copy for each coset t H.

    With g t_i = t_j h, rho(g) carries copy i to copy j by rho_H(h). The first coset is H itself; numbers are listed
    coset by coset.
    """

    rep: LinearRep
    group: MatrixGroup

    def __post_init__(self) -> None:
        """Find the cosets, so that what has none is refused here."""
        _cosets(self.group, self.rep.require_group())

    @property
    def size(self) -> int:
        """The number of cosets times the size of the representation of the subgroup."""
        return len(self._cosets.first) * self.rep.size

    @functools.cached_property
    def _cosets(self) -> "_Cosets":
        return _cosets(self.group, self.rep.require_group())

    @functools.cached_property
    def _inverses(self) -> Shaped[np.ndarray, "h m m"]:
        return np.stack([np.linalg.inv(self.rep.rho(h)) for h in self._cosets.subgroup])

    def rho(self, g: Any) -> Any:
        """Return the matrix [size, size] of an element."""
        xp = namespace(g)
        source, inner = self._sources(g)
        blocks = xp.asarray(self._inverses)[inner]
        places = xp.eye(len(source), dtype=blocks.dtype)[source]
        return (places[:, None, :, None] * blocks[:, :, None, :]).reshape(self.size, self.size)

    def drho(self, a: Any) -> Any:
        """Return zeros: a finite group has no tangents."""
        return namespace(a).zeros((self.size, self.size))

    def monomial(self, h: Any) -> Monomial | None:
        """Return the permutation of the cosets where the subgroup acts trivially on one number."""
        if isinstance(self.rep, Product) and not self.rep.factors:
            return np.asarray(self._sources(h)[0]), np.ones(self.size)
        return super().monomial(h)

    def _sources(self, g: Any) -> tuple[Any, Any]:
        """Return for each coset j which i has g t_i in t_j H, and the number of the inverse of h in H."""
        xp, cosets = namespace(g), self._cosets
        inverse, elements = promoted(xp.linalg.inv(as_matrix(g)), xp.asarray(cosets.elements))
        moved = inverse @ elements[cosets.first]

        def nearest(element: Any) -> Any:
            return xp.argmin(xp.abs(element[None] - elements).max(axis=(-2, -1)))

        if xp is np:
            numbers = np.array([cosets.index.get(element_key(element), -1) for element in moved])
            numbers[numbers < 0] = [nearest(element) for element in moved[numbers < 0]]
            if np.abs(moved - elements[numbers]).max() > SAME:
                raise ValueError(f"{self} has no matrix for {g}, which is no element of {self.group}")
        else:
            numbers = jax.lax.map(nearest, moved)
        return xp.asarray(cosets.coset)[numbers], xp.asarray(cosets.inner)[numbers]

    @property
    def text(self) -> str:
        """The call that makes it."""
        return f"induced({self.rep}, {self.group})"

    def __repr__(self) -> str:
        return self.text


def induced(rep: LinearRep, group: MatrixGroup) -> LinearRep:
    """Return the representation of a finite group that one of a subgroup of it induces.

    Raises:
        ValueError: If the group is a product, not finite or of over 10,000 elements, or if the other is no
            subgroup of it.
    """
    return Induced(rep, group)


def quotient(group: MatrixGroup, subgroup: MatrixGroup) -> LinearRep:
    """Return the permutations of the cosets of a subgroup of a finite group.

    Those of a direct product are pairs of cosets of its factors, where the subgroup is a product of subgroups of them.

    Raises:
        ValueError: If the group, or a factor of it, is not finite or of over 10,000 elements, or if the other is no
            subgroup of it, or of a direct product none that is a product.
    """
    if not isinstance(group, DirectProduct):
        return Induced(Product((), subgroup), group)
    parts = factors_of(group), factors_of(subgroup)
    if len(parts[0]) != len(parts[1]):
        raise ValueError(f"expected a product of subgroups of the factors of {group}, got {subgroup}")
    points = (quotient(*pair) for pair in zip(*parts, strict=True))
    return product_of([pullback(rep, group, factor=i) for i, rep in enumerate(points)], group)


def regular(group: MatrixGroup) -> LinearRep:
    """Return the permutations of the elements of a finite group by multiplication from the left.

    Raises:
        ValueError: If the group, or a factor of a direct product, is not finite or of over 10,000 elements.
    """
    nothing = [Trivial(part.d) for part in factors_of(group)]
    return quotient(group, DirectProduct(nothing) if isinstance(group, DirectProduct) else nothing[0])


class _Cosets(NamedTuple):
    """The elements of a finite group as matrices, and for each its coset t_i H and which h of H makes it t_i h.

    `first` lists which element each t_i is, `index` the number of each element by its key.
    """

    elements: Shaped[np.ndarray, "N d d"]
    subgroup: Shaped[np.ndarray, "h d d"]
    first: Int[np.ndarray, " c"]
    coset: Int[np.ndarray, " N"]
    inner: Int[np.ndarray, " N"]
    index: dict[bytes, int]


@functools.lru_cache(maxsize=64)
def _cosets(group: MatrixGroup, subgroup: MatrixGroup) -> _Cosets:
    members, inner_members = _elements(group), _elements(subgroup)
    elements, inside = list(members.values()), list(inner_members.values())
    index = {key: i for i, key in enumerate(members)}
    if group.d != subgroup.d or not inner_members.keys() <= index.keys():
        raise ValueError(f"{subgroup} is no subgroup of {group}: expected some of its matrices")
    coset, inner = np.full((2, len(elements)), -1)
    first = []
    for i, element in enumerate(elements):
        if coset[i] < 0:
            together = [index[element_key(element @ h)] for h in inside]
            coset[together], inner[together] = len(first), np.arange(len(inside))
            first.append(i)
    return _Cosets(np.stack(elements), np.stack(inside), np.array(first), coset, inner, index)


def _elements(group: MatrixGroup) -> dict[bytes, Inexact[np.ndarray, "d d"]]:
    """Return all elements as matrices, by their keys, the identity first.

    Raises:
        ValueError: If the group is a direct product, or not finite, or too large to list.
    """
    if isinstance(group, DirectProduct) or group.lie_algebra:
        raise ValueError(f"expected a finite group of matrices or permutations, got {group}")
    try:
        return finite_elements(group.generators, group.d)
    except ValueError as reason:
        raise ValueError(f"{group} has no list of elements: {reason}") from None
