"""Permutations of n things and cyclic shifts of t instants."""

import dataclasses
import functools
import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, Key

from symjax.groups.group import MatrixGroup, check_counts, positional_repr, read_only, samples
from symjax.groups.permutations.schreier_sims import StabiliserChain, stabiliser_chain

MOST_NUMBERED = 2**31


def is_permutation(row: np.ndarray) -> bool:
    """Whether the array lists each of 0, ..., n - 1 once."""
    integers = row.ndim == 1 and (row.dtype.kind in "iu" or not row.size)
    return integers and bool((np.sort(row) == np.arange(len(row))).all())


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class PermutationGroup(MatrixGroup):
    """The group that some permutations of n things generate; an element lists which thing comes to each place.

    Raises:
        ValueError: If there is no permutation, or one is none of 0, ..., n - 1 with the n of the first.
    """

    permutations: Sequence[Any]

    def __post_init__(self) -> None:
        """Refuse what does not permute; drop the identity where others remain."""
        rows = [np.asarray(row) for row in self.permutations]
        if not rows:
            raise ValueError("expected at least one permutation, got none; the identity is `(0, 1, ..., n - 1)`")
        for row in rows:
            if row.shape != rows[0].shape or not is_permutation(row):
                raise ValueError(f"expected every generator to permute 0, ..., {rows[0].size - 1}, got {row.tolist()}")
        identity = tuple(range(rows[0].size))
        moving = tuple(row for row in dict.fromkeys(tuple(row.tolist()) for row in rows) if row != identity)
        object.__setattr__(self, "permutations", moving or (identity,))

    @property
    def d(self) -> int:
        """The number of things."""
        return len(self.permutations[0])

    @property
    def lie_algebra(self) -> tuple[np.ndarray, ...]:
        """None: the group is finite."""
        return ()

    @functools.cached_property
    def generators(self) -> tuple[np.ndarray, ...]:
        """The permutations as integer arrays [n]; the identity only where it is alone."""
        return read_only(np.array(row, dtype=np.int64) for row in self.permutations)

    @property
    def chain(self) -> StabiliserChain:
        """Stabilisers of one thing after another, from which follow the order, membership and uniform elements."""
        return stabiliser_chain(tuple(map(tuple, self.permutations)))

    @property
    def order(self) -> int:
        """The number of elements."""
        return self.chain.order

    def contains(self, permutation: Int[np.ndarray, " n"]) -> bool:
        """Return whether a permutation of as many things is an element."""
        return self.chain.contains(permutation)

    def uniform(self, key: Key[Array, ""]) -> Int[Array, " n"]:
        """Return a random element, each with the same probability."""
        orbits = jnp.asarray(self.chain.orbits)
        return self._product(jax.random.randint(key, orbits.shape, 0, orbits))

    def element(self, number: Int[Array, ""] | int) -> Int[Array, " n"]:
        """Return element number i = 0, ..., order - 1, each another one; numbers count modulo the order.

        The digits of i in mixed radix, whose bases are the sizes of the orbits in the chain of stabilisers, choose one
        representative of each level. Traceable: `jax.vmap(group.element)(jnp.arange(group.order))` is the whole group.

        Raises:
            ValueError: If there are more elements than an int32 counts.
        """
        if self.order > MOST_NUMBERED:
            raise ValueError(
                f"expected a group of at most 2^31 elements to number, got {self} of {self.order}; "
                "`uniform` draws some of them"
            )
        orbits = self.chain.orbits
        values = np.cumprod([1, *orbits], dtype=np.int64)[:-1].astype(np.int32)
        return self._product(jnp.asarray(number, jnp.int32) // values % orbits)

    def _product(self, digits: Int[Array, " levels"]) -> Int[Array, " n"]:
        """Return the product of one representative of each level."""
        factors = jnp.asarray(self.chain.table)[jnp.arange(len(digits)), digits]
        return jax.lax.scan(lambda g, h: (g[h], None), jnp.arange(self.d), factors)[0]

    def sample(self, key: Key[Array, ""], component: int = 0) -> Int[Array, " n"]:
        """Return `uniform`, but never the identity where there are other elements: every function obeys that one."""
        g = self.uniform(key)
        return jnp.where(jnp.all(g == jnp.arange(self.d)), jnp.asarray(self.generators[0]), g)


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class NamedPermutationGroup(PermutationGroup):
    """A permutation group whose generators follow from other fields."""

    permutations: Sequence[Any] = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        """Fill in the generators."""
        check_counts(self, least=0)
        object.__setattr__(self, "permutations", self._generate())
        super().__post_init__()

    def _generate(self) -> Sequence[Sequence[int]]:
        raise NotImplementedError


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class S(NamedPermutationGroup):
    """S(n), the permutations of n things; an element lists which thing comes to each place."""

    n: int

    def _generate(self) -> Sequence[Sequence[int]]:
        cycle, places = np.roll(np.arange(self.n), 1), np.arange(self.n)
        return cycle.tolist(), [*places[:2][::-1].tolist(), *places[2:].tolist()]

    @property
    def order(self) -> int:
        """The number of elements, n!."""
        return math.factorial(self.n)

    def contains(self, permutation: Int[np.ndarray, " n"]) -> bool:
        """Return that every permutation is an element."""
        return True

    def uniform(self, key: Key[Array, ""]) -> Int[Array, " n"]:
        """Return a random permutation, each with the same probability."""
        return jax.random.permutation(key, jnp.arange(self.n))


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class Alt(NamedPermutationGroup):
    """Alt(n), the even permutations of n things."""

    n: int

    def _generate(self) -> Sequence[Sequence[int]]:
        if self.n < 3:
            return [range(self.n)]
        first = 1 - self.n % 2  # the longest cycle of odd length
        return [1, 2, 0, *range(3, self.n)], [*range(first), *range(first + 1, self.n), first]

    @property
    def order(self) -> int:
        """n!/2, and 1 for fewer than two things."""
        return max(1, math.factorial(self.n) // 2)

    def uniform(self, key: Key[Array, ""]) -> Int[Array, " n"]:
        """Return a random even permutation, each with the same probability."""
        g = jax.random.permutation(key, jnp.arange(self.n))
        inversions = jnp.sum(jnp.triu(g[:, None] > g[None, :]))
        return jnp.where(inversions % 2 == 1, jnp.concatenate([g[:-2], g[-2:][::-1]]), g)


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class Z(NamedPermutationGroup):
    """Z(n), the cyclic shifts of n places."""

    n: int

    def _generate(self) -> Sequence[Sequence[int]]:
        return [np.roll(np.arange(self.n), 1).tolist()]

    @property
    def order(self) -> int:
        """One shift for each place."""
        return self.n

    def uniform(self, key: Key[Array, ""]) -> Int[Array, " n"]:
        """Return a random shift, each with the same probability."""
        return jnp.roll(jnp.arange(self.n), jax.random.randint(key, (), 0, self.n))


@dataclasses.dataclass(frozen=True, repr=False)
class TimeShifts:
    """The cyclic shifts of `length` instants; an element is the number of instants to move later."""

    length: int
    components = 1
    generators = (np.array(1),)
    __post_init__ = check_counts
    __repr__ = positional_repr
    samples = samples

    def sample(self, key: Key[Array, ""], component: int = 0) -> Int[Array, ""]:
        """Return a random shift, for length > 1 never the identity, which every function obeys."""
        return jax.random.randint(key, (), min(1, self.length - 1), max(1, self.length))
