"""Permutation groups in layers: wreath products, and shifts with turns of a square lattice."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, Key

from symjax.groups.permutations.permutation import NamedPermutationGroup, PermutationGroup


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class Wreath(NamedPermutationGroup):
    """The wreath product of permutation groups: the outer one permutes blocks, a copy of the inner one acts in each.

    Place a of block b is number b m + a, where the inner group permutes m things; all n m places of n blocks together
    carry |inner|^n |outer| permutations, as of the leaves of a tree.

    Raises:
        TypeError: If one of the two is no `PermutationGroup`.
    """

    inner: PermutationGroup
    outer: PermutationGroup

    def _generate(self) -> Sequence[Sequence[int]]:
        if not all(isinstance(group, PermutationGroup) for group in (self.inner, self.outer)):
            raise TypeError(f"expected groups of permutations, got {self.inner!r} and {self.outer!r}")
        places = np.arange(self.inner.d * self.outer.d).reshape(self.outer.d, self.inner.d)
        inside = [
            np.concatenate([places[:block], places[block][None, h], places[block + 1 :]])
            for block in _one_of_each_orbit(self.outer)
            for h in self.inner.generators
        ]
        return [moved.ravel().tolist() for moved in [*inside, *(places[h] for h in self.outer.generators)]]

    @property
    def order(self) -> int:
        """|inner|^n |outer| for n blocks."""
        return self.inner.order**self.outer.d * self.outer.order

    def uniform(self, key: Key[Array, ""]) -> Int[Array, " n"]:
        """Return a random element, each with the same probability."""
        outside, inside = jax.random.split(key)
        within = jax.vmap(self.inner.uniform)(jax.random.split(inside, self.outer.d))
        return (self.outer.uniform(outside)[:, None] * self.inner.d + within).ravel()


def _one_of_each_orbit(group: PermutationGroup) -> Iterator[int]:
    """The smallest thing of each set of things that the group can bring to one another's places."""
    seen = set()
    for first in range(group.d):
        if first not in seen:
            yield first
            reached = [first]
            while reached:
                thing = reached.pop()
                seen.add(thing)
                reached += [row[thing] for row in group.permutations if row[thing] not in seen]


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class ZksZnxZn(NamedPermutationGroup):
    """The shifts of an n x n torus and its rotations by full turns / k (k = 1, 2, 4), which permute k images of n x n.

    Image r is what a filter turned by r steps sees (Cohen and Welling 2016, arXiv:1602.07576), so the group of k n^2
    elements acts on its own k n^2 elements: place (r, x, y) is number (r n + x) n + y.
    """

    k: int
    n: int

    def _generate(self) -> Sequence[Sequence[int]]:
        if self.k not in (1, 2, 4) or self.n < 1:
            raise ValueError(f"expected rotations by full turns / k for k = 1, 2 or 4 and n >= 1, got {self!r}")
        steps = [(1 % self.k, 0, 0), (0, 1 % self.n, 0), (0, 0, 1 % self.n)]
        return [np.asarray(self._permutation(*step, np)).tolist() for step in steps]

    @property
    def order(self) -> int:
        """The number of places, k n^2."""
        return self.k * self.n**2

    def uniform(self, key: Key[Array, ""]) -> Int[Array, " n"]:
        """Return a random element, each with the same probability."""
        turn, shift = jax.random.split(key)
        x, y = jax.random.randint(shift, (2,), 0, self.n)
        return self._permutation(jax.random.randint(turn, (), 0, self.k), x, y, jnp)

    def _permutation(self, turns: Any, x: Any, y: Any, xp: Any) -> Any:
        """Turn first, then shift: (r, p) goes to (r + turns, R^turns p + (x, y))."""
        quarter = np.array([[0, -1], [1, 0]])
        powers = np.stack([np.linalg.matrix_power(quarter, 4 // self.k * r) for r in range(self.k)])
        r, px, py = xp.unravel_index(xp.arange(self.order), (self.k, self.n, self.n))
        (a, b), (c, d) = xp.asarray(powers)[turns]
        return (((r + turns) % self.k) * self.n + (a * px + b * py + x) % self.n) * self.n + (
            c * px + d * py + y
        ) % self.n
