"""Symmetric and alternating powers: the tensors that a permutation of their slots leaves alone, or gives its sign.

A power sits in V (x) the power below: the basis tensor of a rising list of indices is a sum over its members i of the
basis vector i times the basis tensor of the list without i. Matrices follow from those of the power below, so that the
cost is polynomial in the size, where tensors of k slots have k! orders.
"""

import dataclasses
import functools
import itertools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Inexact, Int

from symjax.groups import MatrixGroup
from symjax.math import Monomial, namespace, promoted, require_memory, unit_like
from symjax.reps.linear import LinearRep, natural

BYTES_A_LIST = 64  # for each index, with a tuple and a place in a dictionary


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
        return _size(self.rep.size, self.power, self.sign)

    def rho(self, g: Any) -> Any:
        """Return the matrix [size, size] of an element."""
        matrix = power = self.rep.rho(g)
        self._require_memory(matrix)
        for k in range(2, self.power + 1):
            power = _raised(matrix, power, _steps(len(matrix), k, self.sign))
        return power

    def drho(self, a: Any) -> Any:
        """Return the matrix [size, size] of a tangent."""
        self._require_memory(unit_like(a))
        return self.dact(a, namespace(a).eye(self.size, dtype=unit_like(a).dtype)).T

    def act(self, g: Any, x: Any) -> Any:
        """Return rho(g) x along the last axis of x."""
        if isinstance(g, np.ndarray) and (monomial := self.monomial(g)) is not None:
            perm, sign = monomial
            x = self._sized(x)
            return namespace(x).take(x, perm, axis=-1) * sign.astype(np.result_type(x.dtype, np.float16))
        return super().act(g, x)

    def dact(self, a: Any, x: Any) -> Any:
        """Return drho(a) x along the last axis of x: a sum over the slots, which all give the same."""
        x = self._sized(x)
        if self.power == 1 or not self.size:
            return self.rep.dact(a, x) if self.size else x
        xp, steps = namespace(a, x), _steps(self.rep.size, self.power, self.sign)
        matrix, x = promoted(self.rep.drho(a), x)
        weight, above_weight = steps.weight.astype(x.dtype), steps.above_weight.astype(x.dtype)
        with jax.default_matmul_precision("highest"):
            split = xp.einsum("...jb,jb->...jb", xp.take(x, steps.above, axis=-1), above_weight)
            split = xp.einsum("ij,...jb->...ib", matrix, split)
        parts = (xp.take(split[..., i, :], below, axis=-1) for i, below in enumerate(steps.below))
        return self.power * sum(xp.einsum("...b,b->...b", part, w) for part, w in zip(parts, weight, strict=True))

    def monomial(self, h: Any) -> Monomial | None:
        """Return the element as a permutation with signs, where it is one of the representation."""
        if (monomial := self.rep.monomial(h)) is None:
            return None
        perm, sign = monomial
        lists = _lists(self.rep.size, self.power, self.sign)
        moved = perm[lists]
        signs = sign[lists].prod(axis=1)
        if self.sign < 0:
            before = moved[:, :, None] > moved[:, None, :]
            signs = signs * (-1.0) ** np.triu(before, 1).sum(axis=(1, 2))
        places = _index(self.rep.size, self.power, self.sign)
        return np.array([places[row] for row in map(tuple, np.sort(moved).tolist())], int), signs

    def _require_memory(self, like: Any) -> None:
        """Refuse matrices for which there is no room, with what is alive at once while they are made."""
        n, k, r = self.rep.size, self.power, self.size
        entries = 2 * n * _size(n, k - 1, self.sign) * r + 4 * r**2
        require_memory(like.dtype.itemsize * entries, f"the matrices of {self}, of {r} x {r} entries,")

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


class _Steps(NamedTuple):
    """How basis tensors lie in V (x) the power below: [i, list] for each index i, with weights, 0 where i is no member.

    `below` lists which tensor the list without i is, `above` which one the list with i is.
    """

    below: Int[np.ndarray, "n r"]
    weight: Float[np.ndarray, "n r"]
    above: Int[np.ndarray, "n s"]
    above_weight: Float[np.ndarray, "n s"]


def _size(n: int, power: int, sign: int) -> int:
    return math.comb(n + power - 1, power) if sign > 0 else math.comb(n, power)


@functools.lru_cache(maxsize=32)
def _lists(n: int, power: int, sign: int) -> Int[np.ndarray, "r k"]:
    """Return the rising lists of indices, without repetitions where the sign is -1."""
    count = _size(n, power, sign)
    require_memory(BYTES_A_LIST * power * count, f"{count} lists of {power} indices")
    choose = itertools.combinations_with_replacement if sign > 0 else itertools.combinations
    return np.array(list(choose(range(n), power)), int).reshape(-1, power)


@functools.lru_cache(maxsize=32)
def _index(n: int, power: int, sign: int) -> dict[tuple[int, ...], int]:
    return {row: i for i, row in enumerate(map(tuple, _lists(n, power, sign).tolist()))}


@functools.lru_cache(maxsize=64)
def _steps(n: int, power: int, sign: int) -> _Steps:
    """Return the steps to a power; a list with m times the index i has weight sqrt(m / power) there, and its sign."""
    places = _index(n, power - 1, sign)
    below, weight = np.zeros((n, _size(n, power, sign)), int), np.zeros((n, _size(n, power, sign)))
    above, above_weight = np.zeros((n, len(places)), int), np.zeros((n, len(places)))
    for row, members in enumerate(_lists(n, power, sign).tolist()):
        for slot, i in enumerate(members):
            if slot and members[slot - 1] == i:
                continue
            rest = places[(*members[:slot], *members[slot + 1 :])]
            below[i, row], above[i, rest] = rest, row
            weight[i, row] = above_weight[i, rest] = sign**slot * math.sqrt(members.count(i) / power)
    return _Steps(below, weight, above, above_weight)


def _raised(matrix: Inexact[Any, "n n"], power: Inexact[Any, "s s"], steps: _Steps) -> Inexact[Any, "r r"]:
    """Return the matrix of a power from that of the power below."""
    xp, weight = namespace(matrix), steps.weight.astype(matrix.dtype)
    columns = xp.stack([power[:, below] * w[None] for below, w in zip(steps.below, weight, strict=True)])
    total = xp.zeros((steps.weight.shape[1],) * 2, matrix.dtype)
    with jax.default_matmul_precision("highest"):
        for row, below, w in zip(matrix, steps.below, weight, strict=True):
            total = total + xp.tensordot(row, columns, 1)[below] * w[:, None]
    return total
