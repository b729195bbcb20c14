"""Equivariant maps between two representations, by their irreps (Schur's lemma).

Both representations are decomposed on their own, so the cost is that of their sizes, not of the product of their sizes.
A map takes the copies D^m of each irrep of the one to the copies of the same irrep in the other, by a matrix over the
division algebra D, and does the same at every place in the irrep.
"""

import dataclasses
import functools
import itertools
import math
from typing import Any

import jax
import numpy as np
from jaxtyping import Float, Inexact, Num

from symjax.reps.arrays import namespace
from symjax.reps.basis.bases import Unsolved, cast
from symjax.reps.basis.decompose import Irrep, Isotypic, decompose
from symjax.reps.linear import LinearRep

SAME, APART = 1e-10, 1e-7  # levels of one irrep and of two, relative to the largest
ACCURACY = 1e-10
SEEDS = 8


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class IrrepBlock:
    """The maps between the copies of one irrep: by place k in it, copy (o, i), and unit u of the division algebra.

    Attributes:
        target: orthonormal columns in the space of what goes out.
        source: orthonormal columns in the space of what comes in.
        units: `units[v]` is the multiplication by unit v from the right.
    """

    target: Num[Any, "n_out k o u"]
    source: Num[Any, "n_in k i u"]
    units: Float[Any, "u u u"]

    @property
    def shape(self) -> tuple[int, int, int]:
        """The copies that go out and that come in, and the units: the axes of the block's coefficients."""
        return self.target.shape[2], self.source.shape[2], len(self.units)

    @property
    def scale(self) -> float:
        """The entries of the mixing where the map has norm 1."""
        return 1 / math.sqrt(self.source.shape[1] * len(self.units))

    def mixing(self, c: Inexact[Any, "... r"]) -> Inexact[Any, "... x y"]:
        """Return the matrix that takes copies and units that come in to those that go out."""
        o, i, u = self.shape
        mixing = namespace(c).einsum("...oiv,vwu->...owiu", c.reshape(*c.shape[:-1], o, i, u), cast(self.units, c))
        return self.scale * mixing.reshape(*c.shape[:-1], o * u, i * u)

    def matrix(self, c: Inexact[Any, "... r"]) -> Inexact[Any, "... n_out n_in"]:
        """Return the sum of the block's maps times the coefficients."""
        xp, mixing = namespace(c), self.mixing(c)
        target, source = _columns(cast(self.target, c)), _columns(cast(self.source, c))
        mixed = xp.einsum("...xy,jky->...kxj", mixing, source.conj())
        rows = math.prod(mixed.shape[-3:-1])
        return target.reshape(len(target), -1) @ mixed.reshape(*mixed.shape[:-3], rows, len(source))

    def coefficients(self, w: Inexact[Any, "... n_out n_in"]) -> Inexact[Any, "... r"]:
        """Return the inner products with the block's maps."""
        xp, (o, i, u) = namespace(w), self.shape
        target, source = _columns(cast(self.target, w)), _columns(cast(self.source, w))
        turned = (target.reshape(len(target), -1).conj().T @ w).reshape(*w.shape[:-2], *target.shape[1:], w.shape[-1])
        mixing = xp.einsum("...kxj,jky->...xy", turned, source).reshape(*w.shape[:-2], o, u, i, u)
        c = self.scale * xp.einsum("...owiu,vwu->...oiv", mixing, cast(self.units, w))
        return _joined(c, 3)

    def apply(self, c: Inexact[Any, " r"], x: Inexact[Any, "... n_in"]) -> Inexact[Any, "... n_out"]:
        """Return the map times x: a change of basis, the mixing, and another change of basis."""
        target, source = _columns(cast(self.target, x)), _columns(cast(self.source, x))
        places = (x @ source.reshape(len(source), -1).conj()).reshape(*x.shape[:-1], *source.shape[1:])
        mixed = places @ namespace(c).swapaxes(self.mixing(c), -1, -2)
        return _joined(mixed, 2) @ target.reshape(len(target), -1).T


def _columns(vectors: Num[Any, "n k m u"]) -> Num[Any, "n k x"]:
    return vectors.reshape(*vectors.shape[:2], -1)


def _joined(x: Num[Any, "..."], axes: int) -> Num[Any, "... x"]:
    """Return the array with its last axes as one; the size is spelt out because a batch may be empty."""
    return x.reshape(*x.shape[:-axes], math.prod(x.shape[-axes:]))


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class IsotypicBasis:
    """Maps between the copies of each shared irrep; `shape` is (n_out, n_in)."""

    blocks: tuple[IrrepBlock, ...]
    shape: tuple[int, int] = dataclasses.field(metadata={"static": True})

    @property
    def dim(self) -> int:
        """The number of maps: the copies that go out times those that come in times the dimension of D."""
        return sum(math.prod(block.shape) for block in self.blocks)

    def matrix(self, c: Inexact[Any, "... r"]) -> Inexact[Any, "... o i"]:
        """Return the sum of the maps times the coefficients."""
        start = namespace(c).zeros((*c.shape[:-1], *self.shape), c.dtype)
        return sum((block.matrix(part) for block, part in zip(self.blocks, self._split(c), strict=True)), start=start)

    def coefficients(self, w: Inexact[Any, "... o i"]) -> Inexact[Any, "... r"]:
        """Return the inner products with the maps."""
        parts = [block.coefficients(w) for block in self.blocks]
        return namespace(w).concatenate([_joined(w, 2)[..., :0], *parts], axis=-1)

    def apply(self, c: Inexact[Any, " r"], x: Inexact[Any, "... i"]) -> Inexact[Any, "... o"]:
        """Return `matrix(c)` times x, without the matrix."""
        start = namespace(c, x).zeros((*x.shape[:-1], self.shape[0]), x.dtype)
        return sum((block.apply(part, x) for block, part in zip(self.blocks, self._split(c), strict=True)), start=start)

    def _split(self, c: Inexact[Any, "... r"]) -> list[Any]:
        ends = np.cumsum([0, *(math.prod(block.shape) for block in self.blocks)])
        return [c[..., start:end] for start, end in itertools.pairwise(ends)]


def solve(rep_in: LinearRep, rep_out: LinearRep, seed: int = 0) -> IsotypicBasis:
    """Return an orthonormal basis of the maps from one representation to another.

    Raises:
        Unsolved: If the algebra of a representation is not closed under the adjoint, or this seed tells the irreps
            apart too badly.
    """
    return _paired(_certified(rep_in, seed), _certified(rep_out, seed))


def isotypic(rep: LinearRep) -> Isotypic:
    """Return the irreps in a representation, with dimension, multiplicity and kind.

    >>> from symjax.groups import SO
    >>> from symjax.reps.tensor import V
    >>> isotypic((V * V)(SO(3))).irreps[1]
    Irrep(dimension=3, multiplicity=1, kind='real')

    Raises:
        ValueError: If the matrices are not closed under the adjoint, so that the representation may be no sum of
            irreps, or if no random element tells its irreps apart.
    """
    reason = None
    for seed in range(SEEDS):
        try:
            return _certified(rep, seed)
        except Unsolved as error:
            reason = error
    raise ValueError(f"{rep} could not be split into irreps: {reason}")


@functools.lru_cache(maxsize=128)
def _certified(rep: LinearRep, seed: int) -> Isotypic:
    """Return the irreps, after a test on random vectors that all that should commute with the generators does."""
    found, group = decompose(rep, seed), rep.group
    assert group is not None
    basis, rng = _paired(found, found), np.random.default_rng(seed)
    c, x = rng.standard_normal(basis.dim), rng.standard_normal((2, rep.size))
    mapped = basis.apply(c, x)
    moves = [functools.partial(rep.dact, a) for a in group.directions]
    moves += [functools.partial(rep.act, h) for h in group.generators]
    for move in moves:
        first, last = basis.apply(c, move(x)), move(mapped)
        if np.max(np.abs(first - last)) > ACCURACY * max(1.0, float(np.max(np.abs(last)))):
            raise Unsolved("what should commute with the group does not")
    return found


def _paired(source: Isotypic, target: Isotypic) -> IsotypicBasis:
    blocks = [
        IrrepBlock(target.irreps[t].vectors, source.irreps[s].vectors, _right_units(source.irreps[s].vectors.shape[3]))
        for t, s in _shared(target, source)
    ]
    return IsotypicBasis(tuple(blocks), (target.size, source.size))


def _right_units(size: int) -> Float[np.ndarray, "u u u"]:
    """Return the multiplications by 1, i, j, k, or the first of them, from the right: [v, w, u] of u v = sum of w."""
    product = np.zeros((4, 4, 4))
    for u in range(4):
        product[u, u, 0] = 1 if u == 0 else -1
        product[u, 0, u] = product[0, u, u] = 1
    for i, j, k in ((1, 2, 3), (2, 3, 1), (3, 1, 2)):
        product[i, j, k], product[j, i, k] = 1, -1
    return np.ascontiguousarray(product.transpose(1, 2, 0)[:size, :size, :size])


def _shared(target: Isotypic, source: Isotypic) -> list[tuple[int, int]]:
    """Return the pairs of equal irreps, by the levels and links that the random elements have in them."""
    scale = max(target.levels, source.levels)
    pairs = []
    for t, out in enumerate(target.irreps):
        for s, into in enumerate(source.irreps):
            if len(out.levels) != len(into.levels):
                continue
            distance = float(np.max(np.abs(out.levels - into.levels))) / scale
            if distance < SAME:
                _require_equal(out, into, max(target.links, source.links))
                pairs.append((t, s))
            elif distance < APART:
                raise Unsolved("two irreps are neither equal nor clearly different")
    return pairs


def _require_equal(a: Irrep, b: Irrep, scale: float) -> None:
    if a.vectors.shape[3] != b.vectors.shape[3] or np.max(np.abs(a.links - b.links)) > 1e-6 * scale:
        raise Unsolved("two irreps have equal levels, but differ otherwise")
