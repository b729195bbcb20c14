"""Symmetric and alternating powers: the tensors that a permutation of their slots leaves alone, or gives its sign."""

import dataclasses
import functools
import itertools
import math
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from symjax.groups import MatrixGroup
from symjax.math import namespace, unit_like
from symjax.reps.linear import LinearRep, natural, product_of

MOST_BYTES = 2**31


@dataclasses.dataclass(frozen=True, repr=False)
class Power(LinearRep):
    """The symmetric (`sign=1`) or alternating (`sign=-1`) tensors of a power of a representation.

    Coordinates belong to the orthonormal basis of symmetrised products of basis vectors, one for each rising list of
    indices, C(n + k - 1, k) or C(n, k) of them (binomial coefficients).
    """

    rep: LinearRep
    power: int
    sign: int

    def __post_init__(self):
        assert self.sign in (1, -1)
        if natural(self.power) < 1:
            raise ValueError(f"expected a power of at least 1, got {self.power}")

    @property
    def group(self) -> MatrixGroup | None:
        """The group of the representation."""
        return self.rep.group

    @property
    def size(self) -> int:
        """The number of rising lists of indices."""
        n, k = self.rep.size, self.power
        return math.comb(n + k - 1, k) if self.sign > 0 else math.comb(n, k)

    def rho(self, g: Any) -> Any:
        """Return the matrix [size, size] of an element."""
        return self._inside(lambda tensors, x: tensors.act(g, x), g)

    def drho(self, a: Any) -> Any:
        """Return the matrix [size, size] of a tangent."""
        return self._inside(lambda tensors, x: tensors.dact(a, x), a)

    def _inside(self, act: Callable, moved_by: Any) -> Any:
        n, k = self.rep.size, self.power
        if self.size * n**k * 8 > MOST_BYTES:
            raise ValueError(
                f"the {self.size} basis tensors of {self}, {n}^{k} numbers each, do not fit in memory: they take "
                f"{self.size * n**k * 8 / 2**30:.3g} GiB, expected at most {MOST_BYTES / 2**30:.0f} GiB"
            )
        tensors = product_of([self.rep] * self.power, self.group)
        frame = _frame(n, k, self.sign)
        frame = namespace(moved_by).asarray(frame, dtype=unit_like(moved_by).dtype)
        with jax.default_matmul_precision("highest"):
            return frame @ act(tensors, frame).T

    @property
    def T(self) -> LinearRep:
        """The power of the dual."""
        return dataclasses.replace(self, rep=self.rep.T)

    def map_leaves(self, change: Callable[[LinearRep], LinearRep], group: MatrixGroup | None) -> LinearRep:
        """Return the power of the changed representation."""
        return dataclasses.replace(self, rep=self.rep.map_leaves(change, group))

    @property
    def text(self) -> str:
        """The call that makes it."""
        return f"{'symmetric' if self.sign > 0 else 'alternating'}({self.rep.text}, {self.power})"


def symmetric(rep: LinearRep, power: int) -> LinearRep:
    """Return the symmetric power, the tensors with t[i, j, ...] = t[j, i, ...], of size C(n + power - 1, power)."""
    return Power(rep, power, 1)


def alternating(rep: LinearRep, power: int) -> LinearRep:
    """Return the alternating power, the tensors with t[i, j, ...] = -t[j, i, ...], of size C(n, power)."""
    return Power(rep, power, -1)


@functools.lru_cache(maxsize=32)
def _frame(n: int, power: int, sign: int) -> Float[np.ndarray, "r N"]:
    """Return the orthonormal basis as rows over all lists of indices, in row-major order."""
    choose = itertools.combinations_with_replacement if sign > 0 else itertools.combinations
    lists = list(choose(range(n), power))
    frame = np.zeros((len(lists), *(n,) * power))
    for row, indices in enumerate(lists):
        for order in itertools.permutations(range(power)):
            parity = np.linalg.det(np.eye(power)[list(order)]) if sign < 0 else 1.0
            frame[(row, *(indices[i] for i in order))] += parity
    frame = frame.reshape(len(lists), n**power)
    return frame / np.linalg.norm(frame, axis=1, keepdims=True)
