"""A basis in tiles: the maps between two sums of tensors, one pair of different tensors at a time."""

import dataclasses
import itertools
import math
from typing import Any

import jax
import numpy as np
from jaxtyping import Inexact, Int

from symjax.math import namespace, pick
from symjax.reps import LinearRep, places_in_order, ranks, summands
from symjax.solver.bases.basis import Factored

FEW_PAIRS = 16  # of copies, which are mapped one by one


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Tile:
    """The maps from the copies of one summand to the copies of another.

    Attributes:
        basis: a basis of the maps from one copy to one copy, of `symjax.solver.bases`.
        source: which summand of the input.
        target: which summand of the output.
        copies: how many copies of the target and of the source there are.
    """

    basis: Any
    source: int = dataclasses.field(metadata={"static": True})
    target: int = dataclasses.field(metadata={"static": True})
    copies: tuple[int, int] = dataclasses.field(metadata={"static": True})

    @property
    def dim(self) -> int:
        """The number of maps."""
        return math.prod(self.copies) * self.basis.dim


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class TiledBasis:
    """Tiles that hold maps, and the two representations; maps are listed by tile, copy out, copy in."""

    tiles: tuple[Tile, ...]
    rep_in: LinearRep = dataclasses.field(metadata={"static": True})
    rep_out: LinearRep = dataclasses.field(metadata={"static": True})

    @property
    def dim(self) -> int:
        """The number of maps."""
        return sum(tile.dim for tile in self.tiles)

    @property
    def owners(self) -> Int[np.ndarray, " r"]:
        """Which summand of the output each map reaches."""
        return np.repeat([tile.target for tile in self.tiles], [tile.dim for tile in self.tiles]).astype(int)

    def matrix(self, c: Inexact[Any, "... r"]) -> Inexact[Any, "... o i"]:
        """Return the sum of the maps times the coefficients."""
        return pick(pick(self._sorted_matrix(c), ranks(self.rep_out), -2), ranks(self.rep_in), -1)

    def apply(self, c: Inexact[Any, " r"], x: Inexact[Any, "... i"]) -> Inexact[Any, "... o"]:
        """Return `matrix(c)` times x; between a few large tensors and for fewer vectors than their size, without it."""
        x = pick(x, places_in_order(self.rep_in), -1)
        few = sum(math.prod(tile.copies) for tile in self.tiles) <= FEW_PAIRS
        is_factored = few and any(isinstance(tile.basis, Factored) for tile in self.tiles)
        if is_factored and math.prod(x.shape[:-1]) < max(self.rep_in.size, self.rep_out.size):
            y = self._sorted_product(c, x)
        else:
            w = self._sorted_matrix(c)
            y = x @ namespace(w).swapaxes(w, -1, -2)
        return pick(y, ranks(self.rep_out), -1)

    def coefficients(self, w: Inexact[Any, "... o i"]) -> Inexact[Any, "... r"]:
        """Return the inner products with the maps."""
        xp, lead = namespace(w), w.shape[:-2]
        w = pick(pick(w, places_in_order(self.rep_out), -2), places_in_order(self.rep_in), -1)
        targets, sources = _spans(self.rep_out), _spans(self.rep_in)
        parts = []
        for tile in self.tiles:
            part = w[..., targets[tile.target], sources[tile.source]]
            (co, ci), n_out = tile.copies, part.shape[-2] // tile.copies[0]
            part = xp.moveaxis(part.reshape(*lead, co, n_out, ci, part.shape[-1] // ci), -3, -2)
            parts.append(tile.basis.coefficients(part).reshape(*lead, tile.dim))
        return xp.concatenate([*parts, xp.zeros((*lead, 0), w.dtype)], axis=-1)

    def _sorted_product(self, coefficients: Inexact[Any, " r"], x: Inexact[Any, "... i"]) -> Inexact[Any, "... o"]:
        """Return the mapped vectors, one pair of copies after another; all numbers are listed summand by summand."""
        xp, sources, start = namespace(coefficients, x), _spans(self.rep_in), 0
        parts: dict[int, Any] = {}
        for tile in self.tiles:
            c = coefficients[start : start + tile.dim].reshape(*tile.copies, tile.basis.dim)
            copies = xp.split(x[..., sources[tile.source]], tile.copies[1], axis=-1)
            rows = [sum(_product(tile.basis, *pair) for pair in zip(row, copies, strict=True)) for row in c]
            y = xp.concatenate(rows, axis=-1)
            parts[tile.target] = parts[tile.target] + y if tile.target in parts else y
            start += tile.dim
        dtype = next(iter(parts.values())).dtype
        sizes = [summand.places.size for summand in summands(self.rep_out)]
        zeros = (xp.zeros((*x.shape[:-1], size), dtype) for size in sizes)
        return xp.concatenate([parts.get(t, zero) for t, zero in enumerate(zeros)], axis=-1)

    def _sorted_matrix(self, coefficients: Inexact[Any, "... r"]) -> Inexact[Any, "... o i"]:
        """Return the map between vectors whose numbers are listed summand by summand, copy by copy."""
        xp, lead = namespace(coefficients), coefficients.shape[:-1]
        if not self.tiles:
            return xp.zeros((*lead, self.rep_out.size, self.rep_in.size), coefficients.dtype)
        blocks, start = {}, 0
        for tile in self.tiles:
            c = coefficients[..., start : start + tile.dim].reshape(*lead, *tile.copies, tile.basis.dim)
            w = xp.moveaxis(tile.basis.matrix(c), -2, -3)
            blocks[tile.target, tile.source] = w.reshape(*lead, w.shape[-4] * w.shape[-3], w.shape[-2] * w.shape[-1])
            start += tile.dim

        def part(t: int, s: int) -> Any:
            shape = summands(self.rep_out)[t].places.size, summands(self.rep_in)[s].places.size
            return blocks[t, s] if (t, s) in blocks else xp.zeros((*lead, *shape), coefficients.dtype)

        columns = range(len(summands(self.rep_in)))
        rows = [xp.concatenate([part(t, s) for s in columns], axis=-1) for t in range(len(summands(self.rep_out)))]
        return xp.concatenate(rows, axis=-2)


def _product(basis: Any, c: Inexact[Any, " r"], x: Inexact[Any, "... i"]) -> Inexact[Any, "... o"]:
    if isinstance(basis, Factored):
        return basis.apply(c, x)
    w = basis.matrix(c)
    return x.astype(np.result_type(x.dtype, w.dtype)) @ w.T


def _spans(rep: LinearRep) -> list[slice]:
    ends = np.cumsum([0] + [summand.places.size for summand in summands(rep)])
    return [slice(int(a), int(b)) for a, b in itertools.pairwise(ends)]
