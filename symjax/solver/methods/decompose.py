"""The irreps in a representation, from the eigenspaces of one random Hermitian element of its algebra.

On the copies D^m of an irrep of dimension k over its division algebra D (the real numbers, the complex numbers or the
quaternions) an element of the algebra acts by a k x k matrix over D. A generic Hermitian one has k eigenvalues, each on
a space D^m, and a second element links these spaces to one another, in the same way in every representation.
"""

import dataclasses
import functools
import math

import numpy as np
from jaxtyping import Float, Num

from symjax.math import require_memory
from symjax.reps import LinearRep
from symjax.solver.bases import Unsolved
from symjax.solver.linalg import canonical_rotation, eigh
from symjax.solver.methods.algebra_words import Words, check_adjoint

LARGEST = 4096  # coordinates
BYTES = 6 * 16  # for each entry of a matrix, of which some complex ones are alive at once
SAME, APART = 1e-11, 3e-7  # eigenvalues, relative to the largest, of one space and of two
ZERO, CLEAR = 1e-7, 1e-5  # parts of a second element, relative to its largest
KINDS = {1: "real", 2: "complex", 4: "quaternionic"}


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Irrep:
    """All copies of one irrep in a representation.

    Attributes:
        vectors: orthonormal columns, by place in the irrep, copy and unit of the division algebra.
        levels: the eigenvalue of the random element at each place; with the links, what tells this irrep from others.
        links: how strongly a second random element links each place to each other.
        is_real: whether the matrices of the group are real.
    """

    vectors: Num[np.ndarray, "n k m u"]
    levels: Float[np.ndarray, " k"]
    links: Float[np.ndarray, "k k"]
    is_real: bool

    @property
    def dimension(self) -> int:
        """The number of coordinates of one copy, complex ones where the group is complex."""
        return self.vectors.shape[1] * self.vectors.shape[3]

    @property
    def multiplicity(self) -> int:
        """The number of copies."""
        return self.vectors.shape[2]

    @property
    def kind(self) -> str:
        """What commutes with the irrep: real, complex or quaternionic numbers."""
        return KINDS[self.vectors.shape[3]] if self.is_real else "complex"

    def __repr__(self) -> str:
        return f"Irrep(dimension={self.dimension}, multiplicity={self.multiplicity}, kind={self.kind!r})"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Isotypic:
    """A representation of `size` coordinates split into irreps; `levels` and `links` scale those of the irreps."""

    size: int
    irreps: tuple[Irrep, ...]
    levels: float
    links: float

    @functools.cached_property
    def rotation(self) -> Num[np.ndarray, "n n"]:
        """The vectors of all irreps, as columns: irrep by irrep, and there by place, unit and copy."""
        return np.concatenate([irrep.vectors.swapaxes(2, 3).reshape(self.size, -1) for irrep in self.irreps], axis=1)

    @property
    def widths(self) -> list[int]:
        """The number of columns of each irrep."""
        return [math.prod(irrep.vectors.shape[1:]) for irrep in self.irreps]

    def __repr__(self) -> str:
        return f"Isotypic({', '.join(map(repr, self.irreps))})"


def decompose(rep: LinearRep, seed: int) -> Isotypic:
    """Return the irreps in a representation, smaller ones first.

    Raises:
        Unsolved: If the representation is too large, its algebra is not closed under the adjoint, or this seed tells
            its irreps apart too badly.
    """
    if rep.size > LARGEST:
        raise Unsolved(f"{rep.size} coordinates are more than the {LARGEST} of an eigendecomposition")
    require_memory(BYTES * rep.size**2, f"matrices of {rep.size} x {rep.size} numbers", Unsolved)
    check_adjoint(rep)
    group = rep.require_group()
    words = Words(group, seed)
    element = words.hermitian(rep)
    if group.is_real and np.iscomplexobj(element):
        raise Unsolved("a real group acts by complex matrices")
    levels, vectors = eigh(element)
    spaces = _Spaces(rep, words, levels, vectors)
    irreps = [spaces.irrep(members, parents) for members, parents in spaces.trees()]
    irreps.sort(key=lambda irrep: (irrep.dimension, irrep.levels[0]))
    return Isotypic(rep.size, tuple(irreps), float(np.max(np.abs(levels))), spaces.scale)


class _Spaces:
    """The eigenspaces of the random element, and how a second element links them."""

    def __init__(self, rep: LinearRep, words: Words, levels: np.ndarray, vectors: np.ndarray):
        self.rep, self.words, self.vectors = rep, words, vectors
        starts = _starts(levels)
        self.slices = [slice(*ends) for ends in zip(starts, [*starts[1:], len(levels)], strict=True)]
        self.levels = np.array([levels[s].mean() for s in self.slices])
        self.moved = words.generic(rep, vectors.T, 0).T
        # an element maps one space into another by a scaled isometry: one vector of each space shows all scales
        images = np.abs(vectors.conj().T @ self.moved[:, starts]) ** 2
        self.links = np.sqrt(np.add.reduceat(images, starts, axis=0))
        self.scale = float(np.max(self.links))

    def trees(self) -> list[tuple[list[int], list[int]]]:
        """Return, for each irrep, its spaces and the one that each was reached from by the strongest links (Prim)."""
        left, trees = np.ones(len(self.slices), bool), []
        while left.any():
            root = int(np.argmax(left))
            members, parents, strongest, origin = [], [], np.where(left, 0.0, -1.0), np.zeros(len(left), int)
            strongest[root] = np.inf
            while strongest[best := int(np.argmax(strongest))] > CLEAR * self.scale:
                members.append(best)
                parents.append(int(origin[best]))
                left[best], strongest[best] = False, -1.0
                better = left & (self.links[:, best] > strongest)
                strongest, origin = np.where(better, self.links[:, best], strongest), np.where(better, best, origin)
            trees.append((members, parents))
        return trees

    def irrep(self, members: list[int], parents: list[int]) -> Irrep:
        """Return the irrep on these spaces, with bases that the second element identifies."""
        root = members[0]
        frame = _adapted(self._units(root), canonical_rotation(self.vectors[:, self.slices[root]]))
        bases = {root: frame.reshape(len(frame), -1)}
        for space, parent in zip(members[1:], parents[1:], strict=True):
            bases[space] = self._isometry(space, parent) @ bases[parent]
        order = sorted(members)
        vectors = [(self.vectors[:, self.slices[a]] @ bases[a]).reshape(-1, *frame.shape[1:]) for a in order]
        links = self.links[np.ix_(order, order)]
        return Irrep(np.stack(vectors, axis=1), self.levels[order], links, not np.iscomplexobj(self.vectors))

    def _isometry(self, space: int, parent: int) -> np.ndarray:
        block = self.vectors[:, self.slices[space]].conj().T @ self.moved[:, self.slices[parent]]
        isometry = block / self.links[space, parent]
        _require_one(isometry.conj().T @ isometry, "a link between two eigenspaces is no isometry")
        _require_one(isometry @ isometry.conj().T, "two eigenspaces of an irrep differ in size")
        return isometry

    def _units(self, space: int) -> Num[np.ndarray, "u s s"]:
        """Return 1 and the imaginary units of the division algebra, as they act on a space."""
        inside = self.vectors[:, self.slices[space]]
        one = np.eye(inside.shape[1])
        units = [one]
        for which in range(3):
            moved = self.moved[:, self.slices[space]] if which == 0 else self.words.generic(self.rep, inside.T, which).T
            block = inside.conj().T @ moved
            scalar = np.trace(block) / len(one)
            imaginary = (block - block.T) / 2 if np.isrealobj(block) else np.zeros_like(block)
            _require_zero(block - imaginary - scalar * one, self.scale, "an eigenspace is shared by several irreps")
            units = _extended(units, imaginary, self.scale)
            if len(units) == 1:
                break
        return np.stack(units)


def _starts(levels: Float[np.ndarray, " n"]) -> list[int]:
    """Return where each eigenspace begins among the rising eigenvalues."""
    steps = np.diff(levels) / max(float(np.max(np.abs(levels))), np.finfo(float).tiny)
    if np.any((steps > SAME) & (steps < APART)):
        raise Unsolved("two eigenvalues are neither equal nor apart")
    return [0, *(np.flatnonzero(steps >= APART) + 1).tolist()]


def _extended(units: list[np.ndarray], imaginary: np.ndarray, scale: float) -> list[np.ndarray]:
    """Return the units with what is new in an imaginary element; a second imaginary unit brings the third."""
    new = imaginary - sum(np.vdot(unit, imaginary) / len(unit) * unit for unit in units)
    size = np.linalg.norm(new) / np.sqrt(len(new))
    if size < ZERO * scale:
        return units
    if size < CLEAR * scale or len(units) == 4:
        raise Unsolved("what commutes with an irrep is no division algebra, or not clearly")
    unit = new / size
    extended = [*units, unit] if len(units) == 1 else [*units, unit, units[1] @ unit]
    for unit in extended[1:]:
        _require_one(-unit @ unit, "an imaginary unit does not square to -1")
    return extended


def _adapted(units: Num[np.ndarray, "u s s"], start: Num[np.ndarray, "s s"]) -> Num[np.ndarray, "s m u"]:
    """Return an orthonormal basis of a space that consists of vectors and their products with the units.

    The vectors are as many columns of the orthonormal `start` as it takes, each without what is spanned already.
    """
    size = units.shape[1]
    if len(units) == 1:
        return start[:, :, None]
    if size % len(units):
        raise Unsolved(f"an eigenspace of dimension {size} is none over {KINDS[len(units)]} numbers")
    copies = np.zeros((size, 0, len(units)))
    while copies.shape[1] * len(units) < size:
        spanned = copies.reshape(size, -1)
        outside = np.eye(size) - spanned @ spanned.T
        vector = outside @ start[:, copies.shape[1]]
        copy = (units @ (vector / np.linalg.norm(vector))).T
        copies = np.concatenate([copies, copy[:, None]], axis=1)
    return copies


def _require_one(matrix: np.ndarray, otherwise: str) -> None:
    _require_zero(matrix - np.eye(len(matrix)), 1.0, otherwise)


def _require_zero(matrix: np.ndarray, scale: float, otherwise: str) -> None:
    if np.max(np.abs(matrix)) > CLEAR * scale:
        raise Unsolved(otherwise)
