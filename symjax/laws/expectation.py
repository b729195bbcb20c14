"""Laws that hold on average: a single call of a random function breaks them, its expectation does not."""

import dataclasses
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key, PyTree

from symjax.laws.law import EXPLAINED, Failure, Law, Point, residual
from symjax.laws.parts import deviation
from symjax.reps import Rep, Trivial

CHUNK = 64  # draws at a time
ERRORS = 5.0  # standard errors of the difference of two means


@dataclasses.dataclass(frozen=True)
class Expectation:
    """The mean of f((x, key)) over keys obeys a law of x, as the mean of so many draws shows.

    It is checked at a pair of an input and a key, of which the function makes its output. The mean is unlawful where
    its residual is larger than five standard errors, which fall with the square root of `draws`. The report says
    besides how far a single call is from the mean: its standard deviation, relative to the size of what it returns.

    >>> Expectation(Causality.past(4), draws=100)
    Expectation(law=Causality: 4 outputs see 10 of 16 pairs, draws=100)

    Raises:
        ValueError: If there are fewer than two draws.
    """

    law: Law
    draws: int = 512

    def __post_init__(self) -> None:
        """Refuse what has no spread."""
        if self.draws < 2:
            raise ValueError(f"expected at least 2 draws, got {self.draws}")

    @property
    def tolerance(self) -> float | None:
        """That of the law."""
        return self.law.tolerance

    @property
    def constant(self) -> bool:
        """As the law says."""
        return self.law.constant

    @property
    def rep_out(self) -> Rep:
        """As the law says."""
        return getattr(self.law, "rep_out", Trivial())

    residual = residual

    def elements(self, at: Point, key: Key[Array, ""], *, thorough: bool = False) -> list[tuple[Any, Any]]:
        """Return the elements of the law, each with the key of its draws.

        Raises:
            TypeError: If the input is no pair of an input and a key.
        """
        if not (isinstance(at.x, tuple) and len(at.x) == 2 and _is_key(at.x[1])):
            raise TypeError("expected a pair (x, key) with a key of jax.random.key, as the function takes it")
        elements = self.law.elements(at._replace(x=at.x[0]), key, thorough=thorough)
        return [(element, jax.random.fold_in(key, i)) for i, element in enumerate(elements)]

    def failure(self, fn: Callable[[Any], Any], at: Point, element: tuple[Any, Any]) -> Failure:
        """Return how far the mean is from lawful, what sampling explains of that, and the spread of a single call."""
        g, key = element
        ours, theirs = (partial(_moments, fn, jax.random.split(k, self.draws)) for k in jax.random.split(key))
        mean, deviations = ours(at.x[0])
        single = jax.tree.map(lambda m, d: jnp.abs(m) + d, mean, deviations)  # the size of what a call returns
        failed = self.law.failure(lambda x: theirs(x)[0], at._replace(x=at.x[0], y=mean, usual=single), g)
        apart = deviation(self.rep_out, jax.tree.map(jnp.add, mean, deviations), mean, single)
        spread = jnp.max(jnp.concatenate([jnp.ravel(leaf) for leaf in apart]), initial=0)
        explained = ERRORS * math.sqrt(2 / self.draws) * spread
        return Failure(failed.residual, jnp.maximum(failed.rounding, explained / EXPLAINED), spread)

    def __str__(self) -> str:
        return f"{self.law}, in the mean of {self.draws} draws"


@partial(jax.jit, static_argnums=0)
def _moments(fn: Callable[[Any], Any], keys: Key[Array, " m"], x: Any) -> tuple[PyTree, PyTree]:
    """Return the mean and the standard deviation of f((x, key)) over keys."""
    draws = jax.lax.map(lambda key: fn((x, key)), keys, batch_size=min(CHUNK, len(keys)))
    return tuple(jax.tree.map(partial(of, axis=0), draws) for of in (jnp.mean, jnp.std))


def _is_key(key: Any) -> bool:
    return jnp.issubdtype(getattr(key, "dtype", np.float64), jax.dtypes.prng_key)
