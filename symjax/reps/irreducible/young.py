"""Irreps of S(n) in Young's orthogonal form (James and Kerber 1981, The Representation Theory of the Symmetric Group).

Coordinates belong to the standard tableaux of a partition. The swap of the numbers i and i + 1 takes a tableau to 1/r
times itself plus sqrt(1 - 1/r^2) times the one with both swapped, where r is the axial distance from i to i + 1.
"""

import dataclasses
import functools
import math
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from symjax.groups import MatrixGroup, in_form_of
from symjax.math import namespace, require_memory
from symjax.reps.linear import LinearRep

BYTES = 64  # for each entry of a swap, and for each number of a tableau

Tableau = tuple[tuple[int, int], ...]
"""The row and the column of each number."""


@dataclasses.dataclass(frozen=True, repr=False)
class Specht(LinearRep):
    """The irrep of S(n) that a partition of n names: (n,) is trivial, (1, ..., 1) the sign, (n - 1, 1) moves n points.

    Raises:
        ValueError: If the numbers are no falling positive ones whose sum is n.
    """

    partition: tuple[int, ...]
    group: MatrixGroup

    def __post_init__(self) -> None:
        """Refuse what is no partition."""
        parts = list(self.partition)
        if parts != sorted(parts, reverse=True) or min(parts, default=1) < 1 or sum(parts) != self.group.d:
            raise ValueError(f"expected falling positive numbers whose sum is {self.group.d}, got {parts}")

    @property
    def size(self) -> int:
        """The number of standard tableaux, by the lengths of their hooks (Frame, Robinson and Thrall 1954)."""
        return _count(self.partition)

    def rho(self, g: Any) -> Any:
        """Return the matrix of a permutation, a product of swaps of neighbours that sort it."""
        g, swaps = in_form_of(self.group, g), _swaps(self.partition)
        xp, matrix = namespace(g), namespace(g).eye(self.size, dtype=float)
        for last in range(len(g) - 1, 0, -1):
            for i, swap in enumerate(swaps[:last]):
                is_high = g[i] > g[i + 1]
                if xp is np and not is_high:
                    continue
                order = [*range(i), i + 1, i, *range(i + 2, len(g))]
                with jax.default_matmul_precision("highest"):
                    swapped = matrix @ xp.asarray(swap, dtype=matrix.dtype)
                matrix, g = xp.where(is_high, swapped, matrix), xp.where(is_high, g[np.array(order)], g)
        return matrix

    def drho(self, a: Any) -> Any:
        """Return zeros: a finite group has no tangents."""
        return namespace(a).zeros((self.size, self.size), a.dtype)

    @property
    def text(self) -> str:
        """The call that makes it."""
        return f'irreps("{list(self.partition)}", {self.group!r})'

    def __repr__(self) -> str:
        return self.text


def _count(partition: tuple[int, ...]) -> int:
    columns = [sum(width > column for width in partition) for column in range(max(partition, default=0))]
    hooks = (width - j + columns[j] - i - 1 for i, width in enumerate(partition) for j in range(width))
    return math.factorial(sum(partition)) // math.prod(hooks)


@functools.lru_cache(maxsize=64)
def _tableaux(partition: tuple[int, ...]) -> dict[Tableau, int]:
    """Return the standard tableaux, numbered; the numbers rise along rows and columns."""
    count, n = _count(partition), sum(partition)
    require_memory(BYTES * count * n * (count + n), f"the swaps of {count} standard tableaux of {list(partition)}")
    return {tableau: i for i, tableau in enumerate(_filled(partition))}


def _filled(partition: tuple[int, ...]) -> Iterator[Tableau]:
    if not sum(partition):
        yield ()
    for row, width in enumerate(partition):
        if width > (partition[row + 1] if row + 1 < len(partition) else 0):
            smaller = (*partition[:row], width - 1, *partition[row + 1 :])
            for tableau in _filled(smaller):
                yield (*tableau, (row, width - 1))


@functools.lru_cache(maxsize=64)
def _swaps(partition: tuple[int, ...]) -> Float[np.ndarray, "n m m"]:
    """Return the matrices of the swaps of neighbours."""
    tableaux = _tableaux(partition)
    matrices = np.zeros((max(sum(partition) - 1, 0), len(tableaux), len(tableaux)))
    for tableau, place in tableaux.items():
        for i, matrix in enumerate(matrices):
            (row, column), (next_row, next_column) = tableau[i : i + 2]
            distance = (next_column - next_row) - (column - row)
            matrix[place, place] = 1 / distance
            if abs(distance) > 1:
                other = tableaux[(*tableau[:i], tableau[i + 1], tableau[i], *tableau[i + 2 :])]
                matrix[other, place] = np.sqrt(1 - 1 / distance**2)
    return matrices
