"""Maps between sums of tensors that are split into irreps: two changes of basis and a small mixing.

A map takes the copies D^m of each irrep on one side to the copies D^m' of the same irrep on the other, by a matrix over
the division algebra D (the real numbers, the complex numbers or the quaternions), and does the same at every place in
the irrep (Schur's lemma).
"""

import dataclasses
import functools
import itertools
import math
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
from jaxtyping import Float, Inexact, Int, Num

from symjax.math import namespace, pick
from symjax.solver.bases.basis import cast

Kind = tuple[int, int]  # of irrep: its dimension over its division algebra, and the units of that


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Split:
    """A change of basis, from the numbers of a sum of tensors to those of its irreps.

    Attributes:
        order: where each number of each copy of each tensor is; the copies of one number follow one another.
        rotations: for each tensor, orthonormal columns, irrep by irrep, and there by place, unit and multiplicity.
        copies: how many copies of each tensor there are.
        parts: for each tensor, which irreps it holds and how often.
    """

    order: Int[Any, " n"]
    rotations: tuple[Num[Any, "_ _"], ...]
    copies: tuple[int, ...] = dataclasses.field(metadata={"static": True})
    parts: tuple[tuple[tuple[int, int], ...], ...] = dataclasses.field(metadata={"static": True})

    def multiplicity(self, irrep: int) -> int:
        """Return how often an irrep occurs in the sum."""
        return sum(c * m for c, parts in zip(self.copies, self.parts, strict=True) for i, m in parts if i == irrep)

    def owners(self, irrep: int) -> Int[np.ndarray, " m"]:
        """Return which tensor holds each copy of an irrep."""
        counts = [sum(c * m for i, m in parts if i == irrep) for c, parts in zip(self.copies, self.parts, strict=True)]
        return np.repeat(np.arange(len(counts)), counts)

    def into(self, x: Inexact[Any, "n b"], kinds: tuple[Kind, ...]) -> list[Inexact[Any, "_ _ b"]]:
        """Return vectors, the columns of x, in irreps: by place, and by unit and copy."""
        xp, width = namespace(x, self.order), x.shape[1]
        x, start = pick(x, self.order, 0), 0
        irreps: list[list[Any]] = [[] for _ in kinds]
        for rotation, copies, parts in self._tensors():
            numbers = x[start : start + len(rotation) * copies].reshape(len(rotation), copies * width)
            start += len(rotation) * copies
            turned = cast(rotation, x).conj().T @ numbers
            for (irrep, many), rows in zip(parts, _rows(parts, kinds), strict=True):
                k, u = kinds[irrep]
                irreps[irrep].append(turned[rows].reshape(k, u, many * copies, width))
        joined = (part[0] if len(part) == 1 else xp.concatenate(part, axis=2) for part in irreps)
        return [part.reshape(k, u * part.shape[2], width) for part, (k, u) in zip(joined, kinds, strict=True)]

    def back(self, irreps: list[Inexact[Any, "_ _ b"]], kinds: tuple[Kind, ...]) -> Inexact[Any, "n b"]:
        """Return the vectors that have these parts in the irreps."""
        xp, width = namespace(*irreps, self.order), irreps[0].shape[2]
        views = [part.reshape(k, u, part.shape[1] // u, width) for part, (k, u) in zip(irreps, kinds, strict=True)]
        starts, numbers = [0] * len(kinds), []
        for rotation, copies, parts in self._tensors():
            turned = [xp.zeros((0, copies * width), irreps[0].dtype)]
            for irrep, many in parts:
                stop, rows = starts[irrep] + many * copies, math.prod(kinds[irrep]) * many
                turned.append(views[irrep][:, :, starts[irrep] : stop].reshape(rows, copies * width))
                starts[irrep] = stop
            joined = turned[1] if len(turned) == 2 else xp.concatenate(turned)
            numbers.append((cast(rotation, joined) @ joined).reshape(len(rotation) * copies, width))
        return pick(xp.concatenate(numbers), namespace(self.order).argsort(self.order), 0)

    def _tensors(self) -> Iterator[tuple[Any, int, tuple[tuple[int, int], ...]]]:
        return zip(self.rotations, self.copies, self.parts, strict=True)


def _rows(parts: tuple[tuple[int, int], ...], kinds: tuple[Kind, ...]) -> Iterator[slice]:
    ends = np.cumsum([0, *(math.prod(kinds[irrep]) * many for irrep, many in parts)])
    return itertools.starmap(slice, itertools.pairwise(ends.tolist()))


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class IsotypicBasis:
    """The maps between the copies of each irrep that both sides hold, ordered by irrep, copy out, copy in and unit.

    Attributes:
        target: the irreps of what goes out.
        source: the irreps of what comes in.
        kinds: the irreps, each held by both.
    """

    target: Split
    source: Split
    kinds: tuple[Kind, ...] = dataclasses.field(metadata={"static": True})

    @functools.cached_property
    def shapes(self) -> tuple[tuple[int, int, int], ...]:
        """The copies that go out and that come in, and the units: the axes of the coefficients of each irrep."""
        sides = self.target.multiplicity, self.source.multiplicity
        return tuple((sides[0](i), sides[1](i), units) for i, (_, units) in enumerate(self.kinds))

    @property
    def dim(self) -> int:
        """The number of maps: the copies that go out times those that come in times the dimension of D."""
        return sum(map(math.prod, self.shapes))

    @property
    def owners(self) -> Int[np.ndarray, " r"]:
        """Which tensor of the output each map reaches."""
        each = (np.repeat(self.target.owners(i), math.prod(shape[1:])) for i, shape in enumerate(self.shapes))
        return np.concatenate([np.zeros(0, int), *each])

    def apply(self, c: Inexact[Any, " r"], x: Inexact[Any, "... i"]) -> Inexact[Any, "... o"]:
        """Return `matrix(c)` times x, without the matrix."""
        if not self.kinds:
            return namespace(c, x).zeros((*x.shape[:-1], len(self.target.order)), x.dtype)
        columns = x.reshape(math.prod(x.shape[:-1]), x.shape[-1]).T
        parts = self.source.into(columns, self.kinds)
        mixed = [mixing @ part for mixing, part in zip(self._mixings(c), parts, strict=True)]
        y = self.target.back(mixed, self.kinds)
        return y.T.reshape(*x.shape[:-1], len(y))

    def matrix(self, c: Inexact[Any, "... r"]) -> Inexact[Any, "... o i"]:
        """Return the sum of the maps times the coefficients."""
        xp, shape = namespace(c), (len(self.target.order), len(self.source.order))
        total = xp.zeros((*c.shape[:-1], *shape), c.dtype)
        for mixing, target, source in zip(self._mixings(c), *self._vectors(c), strict=True):
            mixed = xp.einsum("...xy,kyj->...kxj", mixing, source)
            rows = math.prod(mixed.shape[-3:-1])
            flat = mixed.reshape(*mixed.shape[:-3], rows, mixed.shape[-1])
            total = total + target.reshape(rows, -1).conj().T @ flat
        return total

    def coefficients(self, w: Inexact[Any, "... o i"]) -> Inexact[Any, "... r"]:
        """Return the inner products with the maps."""
        xp, parts = namespace(w), [namespace(w).zeros((*w.shape[:-2], 0), w.dtype)]
        for kind, (o, i, u), target, source in zip(self.kinds, self.shapes, *self._vectors(w), strict=True):
            turned = target.reshape(-1, target.shape[-1]) @ w
            turned = turned.reshape(*w.shape[:-2], *target.shape[:2], w.shape[-1])
            mixing = xp.einsum("...kxj,kyj->...xy", turned, source.conj()).reshape(*w.shape[:-2], u, o, u, i)
            c = _scale(kind) * xp.einsum("...woui,vwu->...oiv", mixing, cast(_right_units(u), w))
            parts.append(c.reshape(*w.shape[:-2], o * i * u))
        return xp.concatenate(parts, axis=-1)

    def _mixings(self, c: Inexact[Any, "... r"]) -> list[Inexact[Any, "..."]]:
        """Return for each irrep the matrix that takes units and copies that come in to those that go out."""
        ends, mixings = np.cumsum([0, *map(math.prod, self.shapes)]), []
        for kind, (o, i, u), start, end in zip(self.kinds, self.shapes, ends[:-1], ends[1:], strict=True):
            part = c[..., start:end].reshape(*c.shape[:-1], o, i, u)
            mixing = namespace(c).einsum("...oiv,vwu->...woui", part, cast(_right_units(u), c))
            mixings.append(_scale(kind) * mixing.reshape(*c.shape[:-1], u * o, u * i))
        return mixings

    def _vectors(self, like: Any) -> tuple[list[Any], list[Any]]:
        """Return what `into` makes of the unit vectors, on the side of the output and on that of the input."""
        dtype = np.result_type(like.dtype, np.float32)  # numpy multiplies nothing shorter
        sides = (side.into(np.eye(len(side.order), dtype=dtype), self.kinds) for side in (self.target, self.source))
        one, two = ([cast(part, like) for part in side] for side in sides)
        return one, two


def _scale(kind: Kind) -> float:
    """Return the entries of the mixing where a map has norm 1."""
    return 1 / math.sqrt(math.prod(kind))


@functools.lru_cache(maxsize=4)
def _right_units(size: int) -> Float[np.ndarray, "u u u"]:
    """Return the multiplications by 1, i, j, k, or the first of them, from the right: [v, w, u] of u v = sum of w."""
    product = np.zeros((4, 4, 4))
    for u in range(4):
        product[u, u, 0] = 1 if u == 0 else -1
        product[u, 0, u] = product[0, u, u] = 1
    for i, j, k in ((1, 2, 3), (2, 3, 1), (3, 1, 2)):
        product[i, j, k], product[j, i, k] = 1, -1
    return np.ascontiguousarray(product.transpose(1, 2, 0)[:size, :size, :size])
