"""Semidirect products of groups of matrices on one space, such as the rigid motions: translations and rotations."""

import dataclasses
import functools

import jax
import numpy as np
from jaxtyping import Array, Key, Num

from symjax.groups.group import DirectProduct, MatrixGroup, read_only, require_matrices
from symjax.groups.listing import as_matrix, element_key, finite_elements, tangent_rank
from symjax.groups.words import product


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class SemiDirectProduct(MatrixGroup):
    """The products n h of elements of two groups of d x d matrices, where h n h^-1 is in the first group again.

    The two should share the identity only: the dimension of the Lie algebra and the number of components are products
    of theirs. Permutations count as matrices here.

    Raises:
        ValueError: If the groups act on spaces of different size, their Lie algebras overlap, the second does not map
            the first into itself, or this cannot be told: the first group must be connected or finite.
    """

    normal: MatrixGroup
    complement: MatrixGroup

    def __post_init__(self) -> None:
        """Check on the generators that the complement maps the normal group into itself."""
        require_matrices(self.normal, self.complement)
        if self.normal.d != self.complement.d or any(
            isinstance(g, DirectProduct) for g in (self.normal, self.complement)
        ):
            raise ValueError(f"expected two groups of matrices on one space, got {self.normal} and {self.complement}")
        _check_normal(self.normal, self.complement)

    @property
    def d(self) -> int:
        """The dimension of the space that both groups act on."""
        return self.normal.d

    @property
    def components(self) -> int:
        """The product of the two numbers; the complement's component counts fastest."""
        return self.normal.components * self.complement.components

    @functools.cached_property
    def lie_algebra(self) -> tuple[np.ndarray, ...]:
        """The tangents of both."""
        return (*self.normal.lie_algebra, *self.complement.lie_algebra)

    @functools.cached_property
    def generators(self) -> tuple[np.ndarray, ...]:
        """The generators of both, as matrices."""
        return read_only([*_matrices(self.normal), *_matrices(self.complement)])

    def sample(self, key: Key[Array, ""], component: int = 0) -> Num[Array, "d d"]:
        """Return n h for independent elements of both groups: uniform where both are."""
        parts = divmod(component, self.complement.components)
        pairs = zip((self.normal, self.complement), jax.random.split(key), parts, strict=True)
        n, h = (as_matrix(group.sample(k, part)) for group, k, part in pairs)
        return product(n, h)


def _matrices(group: MatrixGroup) -> list[np.ndarray]:
    return [as_matrix(h).copy() for h in group.generators]


def _check_normal(normal: MatrixGroup, complement: MatrixGroup) -> None:
    """Differentiate and evaluate h n h^-1 on the generators: each must stay in the normal group."""
    tangents, elements = normal.lie_algebra, _matrices(normal)
    moves, others = complement.lie_algebra, _matrices(complement)
    if tangent_rank([*tangents, *moves]) < tangent_rank(tangents) + tangent_rank(moves):
        raise ValueError(f"the Lie algebras of {normal} and {complement} overlap: their product is not semidirect")
    if tangents and elements:
        raise ValueError(f"expected a normal group that is connected or finite, got {normal}; GeneratedGroup takes any")
    images = [b @ a - a @ b for b in moves for a in tangents]
    images += [h @ a @ np.linalg.inv(h) for h in others for a in tangents]
    images += [np.linalg.inv(n) @ b @ n - b for b in moves for n in elements]
    stays = tangent_rank([*tangents, *images]) == tangent_rank(tangents)
    if stays and elements and others:
        members = finite_elements(elements, normal.d)
        stays = all(element_key(h @ n @ np.linalg.inv(h)) in members for h in others for n in elements)
    if not stays:
        raise ValueError(f"{complement} does not map {normal} into itself by h n h^-1: their product is not semidirect")
