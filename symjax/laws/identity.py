"""Identity: what comes out is what went in, as of an inverse after its map, or of an intervention that does nothing."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key

from symjax.laws.law import Failure, Point, residual
from symjax.laws.parts import deviation
from symjax.math import namespace
from symjax.reps import Trivial


@dataclasses.dataclass(frozen=True)
class Identity:
    """f(x) = x."""

    tolerance = None
    constant = False
    rep_out = Trivial()

    residual = residual

    def elements(self, at: Point, key: Key[Array, ""], *, thorough: bool = False) -> list[np.ndarray]:
        """Return the one thing to try."""
        return [np.zeros(())]

    def failure(self, fn: Callable[[Any], Any], at: Point, element: np.ndarray) -> Failure:
        """Return the largest change, relative to the size of the input."""
        moves = deviation(self.rep_out, at.y, at.x, at.x, near=at.near)
        xp = namespace(*moves)
        return Failure(xp.max(xp.concatenate([xp.ravel(jnp.abs(move)) for move in moves] + [np.zeros(1)])))

    def __str__(self) -> str:
        return "gives back what it is given"
