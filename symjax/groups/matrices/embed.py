"""Groups that act on some coordinates of a larger space and leave the others alone."""

import dataclasses
import functools
from types import ModuleType
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key, Shaped

from symjax.groups.group import DirectProduct, MatrixGroup, check_counts, read_only, require_matrices
from symjax.groups.matrices.euclidean import SO, O
from symjax.groups.matrices.finite import D


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class Embed(MatrixGroup):
    """A group that acts on the coordinates start, start + 1, ... of R^d, as many as it has, and on no others.

    Raises:
        ValueError: If those coordinates are not among 0, ..., d - 1.
        TypeError: If the group is a direct product, whose elements are no matrices.
    """

    group: MatrixGroup
    d: int
    start: int = 0

    def __post_init__(self) -> None:
        """Refuse what does not fit."""
        require_matrices(self.group)
        if isinstance(self.group, DirectProduct):
            raise TypeError(
                f"expected a group of matrices or permutations to embed, got the direct product {self.group}"
            )
        check_counts(self, least=0)
        if not 0 <= self.start <= self.start + self.group.d <= self.d:
            last = self.start + self.group.d - 1
            raise ValueError(f"{self.group} cannot act on the coordinates {self.start} to {last} of {self.d}")

    @property
    def components(self) -> int:
        """As many as the embedded group has."""
        return self.group.components

    @functools.cached_property
    def lie_algebra(self) -> tuple[np.ndarray, ...]:
        """The tangents, zero on the other coordinates."""
        return read_only(np.pad(tangent, self._margins) for tangent in self.group.lie_algebra)

    @functools.cached_property
    def generators(self) -> tuple[np.ndarray, ...]:
        """The generators, the identity on the other coordinates."""
        return read_only(self._extend(h, np) for h in self.group.generators)

    def sample(self, key: Key[Array, ""], component: int = 0) -> Shaped[Array, "..."]:
        """Return a random element of the embedded group, the identity on the other coordinates."""
        return self._extend(self.group.sample(key, component), jnp)

    @property
    def _margins(self) -> tuple[int, int]:
        """The numbers of coordinates before and after those that move."""
        return self.start, self.d - self.start - self.group.d

    def _extend(self, g: Any, xp: ModuleType) -> Any:
        before, after = self._margins
        if g.ndim == 1:
            return xp.concatenate([xp.arange(before), g + before, xp.arange(self.d - after, self.d)])
        rest = np.diag([1.0] * before + [0.0] * len(g) + [1.0] * after)
        return xp.pad(g, self._margins) + xp.asarray(rest, dtype=g.dtype)


def SO2eR3() -> Embed:
    """Return the rotations of space about its third axis."""
    return Embed(SO(2), 3)


def O2eR3() -> Embed:
    """Return the rotations of space about its third axis and the reflections in planes that hold it."""
    return Embed(O(2), 3)


def DkeR3(k: int) -> Embed:
    """Return the symmetries of a regular polygon of k corners, acting on the first two axes of space."""
    return Embed(D(k), 3)
