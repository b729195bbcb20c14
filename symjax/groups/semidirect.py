"""Semidirect products of groups of matrices on one space, such as the rigid motions: translations and rotations."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key, Num

from symjax.groups.group import MatrixGroup, read_only
from symjax.groups.product import DirectProduct
from symjax.groups.words import product

TOLERANCE = 1e-9
LARGEST = 10_000


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
        n, h = (_matrix(group.sample(k, part), jnp) for group, k, part in pairs)
        return product(n, h)


def _matrix(g: Any, xp: Any) -> Any:
    """The matrix of a permutation, (g x)[i] = x[g[i]]; a matrix stays as it is."""
    return xp.eye(len(g))[g] if g.ndim == 1 else g


def _matrices(group: MatrixGroup) -> list[np.ndarray]:
    return [_matrix(h, np).copy() for h in group.generators]


def _check_normal(normal: MatrixGroup, complement: MatrixGroup) -> None:
    """Differentiate and evaluate h n h^-1 on the generators: each must stay in the normal group."""
    tangents, elements = normal.lie_algebra, _matrices(normal)
    moves, others = complement.lie_algebra, _matrices(complement)
    if _rank([*tangents, *moves]) < _rank(tangents) + _rank(moves):
        raise ValueError(f"the Lie algebras of {normal} and {complement} overlap: their product is not semidirect")
    if tangents and elements:
        raise ValueError(f"expected a normal group that is connected or finite, got {normal}; GeneratedGroup takes any")
    images = [b @ a - a @ b for b in moves for a in tangents]
    images += [h @ a @ np.linalg.inv(h) for h in others for a in tangents]
    images += [np.linalg.inv(n) @ b @ n - b for b in moves for n in elements]
    stays = _rank([*tangents, *images]) == _rank(tangents)
    if stays and elements and others:
        members = _finite_elements(elements)
        stays = all(_key(h @ n @ np.linalg.inv(h)) in members for h in others for n in elements)
    if not stays:
        raise ValueError(f"{complement} does not map {normal} into itself by h n h^-1: their product is not semidirect")


def _rank(matrices: Sequence[np.ndarray]) -> int:
    """The dimension of the real span."""
    rows = [np.concatenate([np.real(a).ravel(), np.imag(a).ravel()]) for a in matrices]
    return int(np.linalg.matrix_rank(np.stack(rows), tol=TOLERANCE)) if rows else 0


def _key(matrix: np.ndarray) -> bytes:
    return (np.round(matrix.astype(complex), 6) + 0).tobytes()


def _finite_elements(generators: Sequence[np.ndarray]) -> set[bytes]:
    """All products of the generators, as keys."""
    identity = np.eye(len(generators[0]))
    found, fresh = {_key(identity)}, [identity]
    while fresh and len(found) <= LARGEST:
        g = fresh.pop()
        for h in generators:
            image = h @ g
            if _key(image) not in found:
                found.add(_key(image))
                fresh.append(image)
    if fresh:
        raise ValueError(f"expected a finite normal group of at most {LARGEST} elements; use GeneratedGroup for others")
    return found
