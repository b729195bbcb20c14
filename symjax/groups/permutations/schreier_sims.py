"""Strong generators of permutation groups (Sims 1970; in the form of Knuth 1991, Combinatorica 11:33).

Here p q is the permutation that moves point i to p[q[i]].
"""

import dataclasses
import functools
import math

import numpy as np

Permutation = tuple[int, ...]


@dataclasses.dataclass
class _Level:
    """The subgroup that fixes every earlier point: for each image of `point`, one element that moves it there."""

    point: int
    representatives: dict[int, np.ndarray]
    inverses: dict[int, np.ndarray]
    generators: list[np.ndarray]


@dataclasses.dataclass(frozen=True)
class StabiliserChain:
    """Subgroups that fix one more point each, down to the identity; every element is one product of representatives.

    Attributes:
        n: The number of points.
        points: The point that each level moves and the next one fixes.
        representatives: For each level an array [orbit, n]: one element of the subgroup for each image of its point.
    """

    n: int
    points: tuple[int, ...]
    representatives: tuple[np.ndarray, ...]

    @functools.cached_property
    def order(self) -> int:
        """The number of elements: the product of the sizes of the orbits."""
        return math.prod(len(level) for level in self.representatives)

    @functools.cached_property
    def orbits(self) -> np.ndarray:
        """The size of the orbit of each level's point."""
        return np.array([len(level) for level in self.representatives], dtype=np.int32)

    @functools.cached_property
    def table(self) -> np.ndarray:
        """The representatives of all levels as one array [levels, largest orbit, n], the ends of short orbits zero."""
        padded = np.zeros((len(self.orbits), max(self.orbits, default=0), self.n), dtype=int)
        for rows, level in zip(padded, self.representatives, strict=True):
            rows[: len(level)] = level
        return padded

    def contains(self, permutation: np.ndarray) -> bool:
        """Whether the permutation is an element of the group."""
        residue = np.asarray(permutation)
        for point, level in zip(self.points, self.representatives, strict=True):
            match = np.flatnonzero(level[:, point] == residue[point])
            if not len(match):
                return False
            residue = np.argsort(level[match[0]])[residue]
        return bool((residue == np.arange(self.n)).all())


@functools.lru_cache(maxsize=64)
def stabiliser_chain(generators: tuple[Permutation, ...], steps: int | float = math.inf) -> StabiliserChain:
    """Return the chain of the group that the permutations generate, exactly.

    Raises:
        TimeoutError: If it takes more products of permutations than `steps`.
    """
    n = len(generators[0])
    identity = np.arange(n)
    levels = [_Level(point, {point: identity}, {point: identity}, []) for point in range(n)]
    for generator in generators:
        steps = _insert(levels, np.array(generator, dtype=int), steps)
    levels = [level for level in levels if len(level.representatives) > 1]
    tables = tuple(np.stack([*level.representatives.values()]) for level in levels)
    return StabiliserChain(n, tuple(level.point for level in levels), tables)


def _sift(levels: list[_Level], g: np.ndarray) -> np.ndarray | None:
    """Divide g by representatives until none fits; None where only the identity is left."""
    for level in levels:
        image = int(g[level.point])
        if image not in level.inverses:
            return g
        if image != level.point:
            g = level.inverses[image][g]
    return None


def _insert(levels: list[_Level], g: np.ndarray, steps: int | float) -> int | float:
    """Enlarge the group of all levels by g, and return what is left of the steps.

    Each level's subgroup fixes the points of the levels before.
    """
    stack: list[list[np.ndarray]] = []  # what is left to do on each level, from the first on

    def enlarge(h: np.ndarray) -> None:
        if (depth := len(stack)) < len(levels) and _sift(levels[depth:], h) is not None:
            levels[depth].generators.append(h)
            stack.append([h[u] for u in levels[depth].representatives.values()])

    enlarge(g)
    while stack:
        if not stack[-1]:
            stack.pop()
            continue
        if (steps := steps - 1) < 0:
            raise TimeoutError("the chain of stabilisers takes more steps than it may")
        top, h = levels[len(stack) - 1], stack[-1].pop()
        image = int(h[top.point])
        if image in top.representatives:
            enlarge(top.inverses[image][h])
        else:
            top.representatives[image], top.inverses[image] = h, np.argsort(h)
            stack[-1] += [s[h] for s in top.generators]
    return steps
