"""Equivariant maps between two representations, by their irreps (Schur's lemma).

The tensors of both sides are decomposed one by one, so the cost is that of their sizes, not of products of their sizes,
and equal irreps are recognised across all of them.
"""

import functools
import math
from collections.abc import Callable
from typing import NamedTuple, TypeVar

import numpy as np
from jaxtyping import Int

from symjax.math import patience
from symjax.reps import LinearRep, bound, moved, summands
from symjax.solver.bases import IsotypicBasis, Split, Unsolved
from symjax.solver.methods.decompose import Irrep, Isotypic, decompose

SAME, APART = 1e-10, 1e-7  # levels of one irrep and of two, relative to the largest
ACCURACY = 1e-10
SEEDS = 8

Result = TypeVar("Result")
Tensor = tuple[Isotypic, Int[np.ndarray, "_ _"]]


class SharedIrrep(NamedTuple):
    """An irrep of two representations, and how often it is in each."""

    dimension: int
    copies_in: int
    copies_out: int


def solve(rep_in: LinearRep, rep_out: LinearRep, seed: int = 0) -> IsotypicBasis:
    """Return an orthonormal basis of the maps from one representation to another.

    Raises:
        Unsolved: If the algebra of a representation is not closed under the adjoint, or this seed tells the irreps
            apart too badly.
    """
    source, target = ([(_certified(part, seed), places) for part, places in summands(rep)] for rep in (rep_in, rep_out))
    return _paired(source, target)


def irreps_of(rep: LinearRep) -> tuple[Irrep, ...]:
    """Return the irreps in a representation, with dimension, multiplicity and kind, smaller ones first.

    >>> from symjax.groups import SO
    >>> from symjax.reps import V
    >>> irreps_of((V * V)(SO(3)))[1]
    Irrep(dimension=3, multiplicity=1, kind='real')

    Raises:
        ValueError: If the matrices are not closed under the adjoint, so that the representation may be no sum of
            irreps, or if no random element tells its irreps apart.
    """
    [rep], _ = bound(rep)
    return _by_some_seed(lambda seed: _certified(rep, seed).irreps, rep)


def shared_irreps(rep_in: LinearRep, rep_out: LinearRep) -> tuple[SharedIrrep, ...]:
    """Return the irreps that two representations of one group share: what equivariant maps between them mix.

    Raises:
        ValueError: As `irreps_of`, for either.
    """
    (rep_in, rep_out), _ = bound(rep_in, rep_out)
    basis = _by_some_seed(lambda seed: solve(rep_in, rep_out, seed), rep_in, rep_out)
    sides = zip(basis.kinds, basis.shapes, strict=True)
    return tuple(SharedIrrep(math.prod(kind), copies_in, copies_out) for kind, (copies_out, copies_in, _) in sides)


def _by_some_seed(split: Callable[[int], Result], *reps: LinearRep) -> Result:
    reason = None
    with patience(f"splitting {' and '.join(map(str, reps))} into irreps"):
        for seed in range(SEEDS):
            try:
                return split(seed)
            except Unsolved as error:
                reason = error
    raise ValueError(f"{' and '.join(map(str, reps))} could not be split into irreps: {reason}")


@functools.lru_cache(maxsize=128)
def _certified(rep: LinearRep, seed: int) -> Isotypic:
    """Return the irreps, after a test on random vectors that all that should commute with the generators does."""
    split = decompose(rep, seed)
    whole = [(split, np.arange(rep.size)[None])]
    basis, rng = _paired(whole, whole), np.random.default_rng(seed)
    c, x = rng.standard_normal(basis.dim), rng.standard_normal((2, rep.size))
    for source, last in zip(moved(rep, x), moved(rep, basis.apply(c, x)), strict=True):
        first = basis.apply(c, source)
        if not np.max(np.abs(first - last)) <= ACCURACY * max(1.0, float(np.max(np.abs(last)))):
            raise Unsolved("what should commute with the group does not")
    return split


def _paired(source: list[Tensor], target: list[Tensor]) -> IsotypicBasis:
    """Return the maps between sums of tensors, each given with its irreps and where the numbers of its copies are."""
    classes = _classes([split for split, _ in target + source])
    labels = {irrep: label for label, members in enumerate(classes) for irrep in members}
    sides = [{labels[irrep] for split, _ in side for irrep in split.irreps} for side in (target, source)]
    shared = sorted(set.intersection(*sides))
    kinds = tuple(classes[label][0].vectors.shape[1::2] for label in shared)
    numbers = {irrep: shared.index(label) for irrep, label in labels.items() if label in shared}
    return IsotypicBasis(_split(target, numbers), _split(source, numbers), kinds)


def _split(side: list[Tensor], numbers: dict[Irrep, int]) -> Split:
    """Return the change of basis of one side, to the irreps that are numbered."""
    order, rotations, parts = [np.zeros(0, int)], [], []
    for split, places in side:
        kept = [irrep in numbers for irrep in split.irreps]
        order.append(places.T.ravel())
        rotations.append(split.rotation if all(kept) else split.rotation[:, np.repeat(kept, split.widths)])
        held = (irrep for irrep in split.irreps if irrep in numbers)
        parts.append(tuple((numbers[irrep], irrep.multiplicity) for irrep in held))
    copies = tuple(len(places) for _, places in side)
    return Split(np.concatenate(order), tuple(rotations), copies, tuple(parts))


def _classes(tensors: list[Isotypic]) -> list[list[Irrep]]:
    """Return equal irreps together, by the levels and links that the random elements have in them."""
    levels, links = (max((getattr(split, of) for split in tensors), default=0.0) for of in ("levels", "links"))
    classes: list[list[Irrep]] = []
    for irrep in (irrep for split in tensors for irrep in split.irreps):
        home = next((members for members in classes if _are_equal(members[0], irrep, levels, links)), None)
        if home is None:
            classes.append(home := [])
        home.append(irrep)
    return classes


def _are_equal(a: Irrep, b: Irrep, levels: float, links: float) -> bool:
    if a is b:
        return True
    if len(a.levels) != len(b.levels):
        return False
    distance = float(np.max(np.abs(a.levels - b.levels))) / levels
    if SAME <= distance < APART:
        raise Unsolved("two irreps are neither equal nor clearly different")
    if distance >= APART:
        return False
    if a.vectors.shape[3] != b.vectors.shape[3] or np.max(np.abs(a.links - b.links)) > 1e-6 * links:
        raise Unsolved("two irreps have equal levels, but differ otherwise")
    return True
