"""The equivariant linear maps between two representations, as a value: solved once, applied in compiled code."""

import dataclasses
import functools
import itertools
import math
from typing import Any

import jax
import numpy as np
from jax.core import Tracer
from jaxtyping import Float, Inexact

from symjax.groups import MatrixGroup
from symjax.reps.arrays import namespace
from symjax.reps.atoms import atoms, pick, places_in_order, ranks
from symjax.reps.basis.bases import Factored
from symjax.reps.factors import moving_factors
from symjax.reps.linear import LinearRep

FEW_PAIRS = 16  # of copies, which are mapped one by one


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Block:
    """The maps from the copies of one atom to the copies of another.

    Attributes:
        basis: a basis of the maps from one copy to one copy, of `symjax.reps.basis.bases`.
        source: which atom of the input.
        target: which atom of the output.
        copies: how many copies of the target and of the source there are.
        method: how the basis was found.
        residual: the largest violation of equivariance by a random map of unit coefficients, over all generators.
    """

    basis: Any
    source: int = dataclasses.field(metadata={"static": True})
    target: int = dataclasses.field(metadata={"static": True})
    copies: tuple[int, int] = dataclasses.field(metadata={"static": True})
    method: str = dataclasses.field(metadata={"static": True})
    residual: float = dataclasses.field(metadata={"static": True})

    @property
    def dim(self) -> int:
        """The number of maps."""
        return math.prod(self.copies) * self.basis.dim


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Plan:
    """An orthonormal basis of all linear maps W with rho_out(g) W = W rho_in(g), in blocks.

    A plan is a pytree whose leaves are the arrays of its bases, and two plans are equal where all they hold is.

    Attributes:
        blocks: the blocks that hold maps.
        rep_in: the representation of the input.
        rep_out: the representation of the output.
    """

    blocks: tuple[Block, ...]
    rep_in: LinearRep = dataclasses.field(metadata={"static": True})
    rep_out: LinearRep = dataclasses.field(metadata={"static": True})

    @property
    def dim(self) -> int:
        """The dimension of the space of maps, the length of a vector of coefficients."""
        return sum(block.dim for block in self.blocks)

    @property
    def method(self) -> str:
        """The methods that solved the blocks, e.g. "isotypic"."""
        return "+".join(sorted({block.method for block in self.blocks})) or "none"

    @property
    def residual(self) -> float:
        """The largest violation of equivariance on any generator, relative to the size of a map."""
        return max((block.residual for block in self.blocks), default=0.0)

    @property
    def group(self) -> MatrixGroup:
        """The group of both representations."""
        assert self.rep_out.group is not None
        return self.rep_out.group

    @property
    def advice(self) -> str:
        """Why zero may be the only map between two representations, and what to try."""
        moved = [moving_factors(rep) for rep in (self.rep_in, self.rep_out)]
        if all(moved) and not set.intersection(*moved):
            return (
                "different factors of the group move them; give both the same group, by restrict(rep, subgroup) where "
                "one holds the other"
            )
        return (
            "no part of one transforms like a part of the other; add scalars or products such as T(2) to the input, "
            "choose another output, or ask for less symmetry with a smaller group"
        )

    @functools.cached_property
    def scales(self) -> Float[np.ndarray, " r"]:
        """The deviations of random coefficients with which each atom of the output has the mean square of the input."""
        dims = np.zeros(len(atoms(self.rep_out)))
        np.add.at(dims, [block.target for block in self.blocks], [block.dim for block in self.blocks])
        sizes = np.array([atom.places.size for atom in atoms(self.rep_out)])
        return np.concatenate(
            [np.zeros(0), *(np.full(b.dim, np.sqrt(sizes[b.target] / dims[b.target])) for b in self.blocks)]
        )

    def matrix(self, coefficients: Inexact[Any, "... r"]) -> Inexact[Any, "... o i"]:
        """Return the map with these coefficients, [..., rep_out.size, rep_in.size].

        Raises:
            ValueError: If there are not `dim` coefficients.
        """
        _require(coefficients, (self.dim,), "coefficients")
        with jax.default_matmul_precision("highest"):
            w = self._sorted_matrix(coefficients)
        return pick(pick(w, ranks(self.rep_out), -2), ranks(self.rep_in), -1)

    def apply(self, coefficients: Inexact[Any, " r"], x: Inexact[Any, "... i"]) -> Inexact[Any, "... o"]:
        """Return the map with these coefficients times the vectors along the last axis of x.

        Between a few large tensors and for fewer vectors than their size, no matrix is formed.

        Raises:
            ValueError: If there are not `dim` coefficients or not `rep_in.size` numbers along the last axis of x.
        """
        _require(coefficients, (self.dim,), "coefficients")
        _require(x, (self.rep_in.size,), "vectors")
        x = pick(x, places_in_order(self.rep_in), -1)
        with jax.default_matmul_precision("highest"):
            if self._is_factored and math.prod(x.shape[:-1]) < max(self.rep_in.size, self.rep_out.size):
                y = self._sorted_product(coefficients, x)
            else:
                w = self._sorted_matrix(coefficients)
                y = x @ namespace(w).swapaxes(w, -1, -2)
        return pick(y, ranks(self.rep_out), -1)

    @property
    def _is_factored(self) -> bool:
        few = sum(math.prod(block.copies) for block in self.blocks) <= FEW_PAIRS
        return few and any(isinstance(block.basis, Factored) for block in self.blocks)

    def _sorted_product(self, coefficients: Inexact[Any, " r"], x: Inexact[Any, "... i"]) -> Inexact[Any, "... o"]:
        """Return the mapped vectors, one pair of copies after another; all numbers are listed atom by atom."""
        xp, sources, start = namespace(coefficients, x), _spans(self.rep_in), 0
        parts: dict[int, Any] = {}
        for block in self.blocks:
            c = coefficients[start : start + block.dim].reshape(*block.copies, block.basis.dim)
            copies = xp.split(x[..., sources[block.source]], block.copies[1], axis=-1)
            rows = [sum(_product(block.basis, *pair) for pair in zip(row, copies, strict=True)) for row in c]
            y = xp.concatenate(rows, axis=-1)
            parts[block.target] = parts[block.target] + y if block.target in parts else y
            start += block.dim
        dtype = next(iter(parts.values())).dtype
        sizes = [atom.places.size for atom in atoms(self.rep_out)]
        zeros = (xp.zeros((*x.shape[:-1], size), dtype) for size in sizes)
        return xp.concatenate([parts.get(t, zero) for t, zero in enumerate(zeros)], axis=-1)

    def coefficients(self, w: Inexact[Any, "... o i"]) -> Inexact[Any, "... r"]:
        """Return the inner products of a matrix with the maps of the basis: those of its equivariant part.

        Raises:
            ValueError: If it is not of shape [..., rep_out.size, rep_in.size].
        """
        _require(w, (self.rep_out.size, self.rep_in.size), "matrices")
        xp, lead = namespace(w), w.shape[:-2]
        w = pick(pick(w, places_in_order(self.rep_out), -2), places_in_order(self.rep_in), -1)
        targets, sources = _spans(self.rep_out), _spans(self.rep_in)
        parts = []
        for block in self.blocks:
            tile = w[..., targets[block.target], sources[block.source]]
            (co, ci), n_out = block.copies, tile.shape[-2] // block.copies[0]
            tile = xp.moveaxis(tile.reshape(*lead, co, n_out, ci, tile.shape[-1] // ci), -3, -2)
            with jax.default_matmul_precision("highest"):
                parts.append(block.basis.coefficients(tile).reshape(*lead, block.dim))
        return xp.concatenate([*parts, xp.zeros((*lead, 0), w.dtype)], axis=-1)

    def project(self, w: Inexact[Any, "... o i"]) -> Inexact[Any, "... o i"]:
        """Return the nearest equivariant map to a matrix, in the Frobenius norm."""
        return self.matrix(self.coefficients(w))

    def _sorted_matrix(self, coefficients: Inexact[Any, "... r"]) -> Inexact[Any, "... o i"]:
        """Return the map between vectors whose numbers are listed atom by atom, copy by copy."""
        xp, lead = namespace(coefficients), coefficients.shape[:-1]
        if not self.blocks:
            return xp.zeros((*lead, self.rep_out.size, self.rep_in.size), coefficients.dtype)
        tiles, start = {}, 0
        for block in self.blocks:
            c = coefficients[..., start : start + block.dim].reshape(*lead, *block.copies, block.basis.dim)
            w = xp.moveaxis(block.basis.matrix(c), -2, -3)
            tiles[block.target, block.source] = w.reshape(*lead, w.shape[-4] * w.shape[-3], w.shape[-2] * w.shape[-1])
            start += block.dim

        def tile(t: int, s: int) -> Any:
            shape = atoms(self.rep_out)[t].places.size, atoms(self.rep_in)[s].places.size
            return tiles[t, s] if (t, s) in tiles else xp.zeros((*lead, *shape), coefficients.dtype)

        columns = range(len(atoms(self.rep_in)))
        rows = [xp.concatenate([tile(t, s) for s in columns], axis=-1) for t in range(len(atoms(self.rep_out)))]
        return xp.concatenate(rows, axis=-2)

    @functools.cached_property
    def _content(self) -> tuple:
        return self.rep_in, self.rep_out, tuple((b.target, b.source, b.method, b.basis.dim) for b in self.blocks)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Plan):
            return NotImplemented
        return self._content == other._content and all(map(_same, jax.tree.leaves(self), jax.tree.leaves(other)))

    def __hash__(self) -> int:
        return hash(self._content)

    def __repr__(self) -> str:
        found = f"{self.method}, residual {self.residual:.1e}" if self.dim else self.advice
        return f"Plan({self.rep_in!r} -> {self.rep_out!r}: dim {self.dim}, {found})"


def _product(basis: Any, c: Inexact[Any, " r"], x: Inexact[Any, "... i"]) -> Inexact[Any, "... o"]:
    if isinstance(basis, Factored):
        return basis.apply(c, x)
    w = basis.matrix(c)
    return x.astype(np.result_type(x.dtype, w.dtype)) @ w.T


def _same(a: Any, b: Any) -> bool:
    return a is b or (a.dtype == b.dtype and not isinstance(a, Tracer) and np.array_equal(a, b))


def _require(array: Any, last: tuple[int, ...], what: str) -> None:
    if not isinstance(array, np.ndarray | jax.Array):
        raise TypeError(f"expected {what} as an array, got {array!r}")
    if array.shape[-len(last) :] != last:
        raise ValueError(f"expected {what} of shape [..., {', '.join(map(str, last))}], got {array.shape}")
    if not jax.dtypes.issubdtype(array.dtype, np.inexact):
        raise TypeError(f"expected {what} of real or complex numbers, got {array.dtype}")


def _spans(rep: LinearRep) -> list[slice]:
    ends = np.cumsum([0] + [atom.places.size for atom in atoms(rep)])
    return [slice(int(a), int(b)) for a, b in itertools.pairwise(ends)]
