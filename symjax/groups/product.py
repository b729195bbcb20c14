"""Direct products, whose elements are tuples of one element per factor."""

import dataclasses
import functools
import math
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Key

from symjax.groups.group import MatrixGroup, require_matrices


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class DirectProduct(MatrixGroup):
    """The direct product of groups, `G1 * G2 * ...`; products among the factors are flattened."""

    groups: Sequence[MatrixGroup]

    def __post_init__(self) -> None:
        """Flatten, and refuse a product of nothing or of what has no generators."""
        require_matrices(*self.groups)
        nested = (group.groups if isinstance(group, DirectProduct) else (group,) for group in self.groups)
        object.__setattr__(self, "groups", sum(map(tuple, nested), ()))
        if not self.groups:
            raise ValueError("expected at least one group to multiply, got none")

    def __repr__(self) -> str:
        return " * ".join(map(repr, self.groups)) if len(self.groups) > 1 else f"DirectProduct({self.groups!r})"

    @property
    def d(self) -> int:
        """The dimension of the tensor product of the factors' defining representations."""
        return math.prod(group.d for group in self.groups)

    @property
    def components(self) -> int:
        """The product of the factors' numbers; the last factor's component counts fastest."""
        return math.prod(group.components for group in self.groups)

    @property
    def identity(self) -> tuple[Any, ...]:
        """The factors' identities."""
        return tuple(group.identity for group in self.groups)

    @functools.cached_property
    def lie_algebra(self) -> tuple[Any, ...]:
        """A tangent of one factor at a time, zero in the others."""
        zeros = tuple(np.zeros((group.d, group.d)) for group in self.groups)
        return self._one_at_a_time(zeros, [group.lie_algebra for group in self.groups])

    @functools.cached_property
    def generators(self) -> tuple[Any, ...]:
        """A generator of one factor at a time, the identity in the others."""
        return self._one_at_a_time(self.identity, [group.generators for group in self.groups])

    @functools.cached_property
    def _content(self) -> tuple:
        return tuple(group._content for group in self.groups)

    def _one_at_a_time(self, neutral: tuple[Any, ...], by_factor: list[tuple[Any, ...]]) -> tuple[Any, ...]:
        return tuple((*neutral[:i], x, *neutral[i + 1 :]) for i, factor in enumerate(by_factor) for x in factor)

    def sample(self, key: Key[Array, ""], component: int = 0) -> tuple[Any, ...]:
        """Return a tuple of independent elements of the factors."""
        parts = np.unravel_index(component, [group.components for group in self.groups])
        keys = jax.random.split(key, len(self.groups))
        return tuple(group.sample(k, int(part)) for group, k, part in zip(self.groups, keys, parts, strict=True))
