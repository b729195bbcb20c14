"""Permutations of n things and cyclic shifts of t instants."""

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, Key

from symjax.groups.group import positional_repr


@dataclasses.dataclass(frozen=True, repr=False)
class S:
    """S(n), the permutations of n things; an element lists which thing comes to each place."""

    n: int
    components = 1
    __repr__ = positional_repr

    def sample(self, key: Key[Array, ""], component: int = 0) -> Int[Array, " n"]:
        """Return a random permutation, for n > 1 never the identity, which every function obeys."""
        places = jnp.arange(self.n)
        permutation = jax.random.permutation(key, places)
        return jnp.where(jnp.all(permutation == places), jnp.roll(places, 1), permutation)


@dataclasses.dataclass(frozen=True, repr=False)
class TimeShifts:
    """The cyclic shifts of `length` instants; an element is the number of instants to move later."""

    length: int
    components = 1
    __repr__ = positional_repr

    def sample(self, key: Key[Array, ""], component: int = 0) -> Int[Array, ""]:
        """Return a random shift, for length > 1 never the identity, which every function obeys."""
        return jax.random.randint(key, (), min(1, self.length - 1), max(1, self.length))
