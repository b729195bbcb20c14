"""Stationarity: what comes out at an instant does not depend on when it is, but on the steps before it."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key

from symjax.laws.law import Failure, Point, residual
from symjax.laws.parts import deviation
from symjax.laws.probe import nudge
from symjax.math import namespace
from symjax.reps import Axis

DRAWS = 8  # of other beginnings, in a thorough search


@dataclasses.dataclass(frozen=True)
class Stationarity:
    """f(x)[t] = f(x')[t + s] where x' has s other rows first and loses its last: the same window, the same answer.

    It holds from t = `receptive_field` - 1 on, where the window is whole; before, padding may be seen. Rows are
    instants, along the first axis of every leaf of input and output.

    Raises:
        ValueError: If the receptive field is not at least 1.
    """

    receptive_field: int
    tolerance = None
    constant = False
    rep_out = Axis(0)

    def __post_init__(self) -> None:
        """Refuse a window without instants."""
        if self.receptive_field < 1:
            raise ValueError(f"expected a receptive field of at least 1, got {self.receptive_field}")

    residual = residual

    def elements(self, at: Point, key: Key[Array, ""], *, thorough: bool = False) -> list[tuple[Any, Any]]:
        """Return shifts and rows to begin with: by one instant and by as many as leave a whole window.

        Raises:
            ValueError: If x has no more rows than the receptive field, so that nothing can be shifted.
        """
        rows = len(jax.tree.leaves(at.x)[0])
        if rows <= self.receptive_field:
            raise ValueError(
                f"expected more than {self.receptive_field} instants, of which a window is whole, got {rows}; "
                "check a longer series"
            )
        keys = jax.random.split(key, DRAWS if thorough else 1)
        elsewhere = [nudge(at.x, k, scale=3 * at.reach) for k in keys]
        longest = rows - self.receptive_field
        shifts = range(1, longest + 1) if thorough else {1, longest}
        return [(np.asarray(shift), rows) for rows in elsewhere for shift in shifts]

    def failure(self, fn: Callable[[Any], Any], at: Point, element: tuple[Any, Any]) -> Failure:
        """Return the largest change of an answer by the shift of its window, relative to the size of its channel."""
        shift, before = int(element[0]), element[1]
        first = self.receptive_field - 1
        x = jax.tree.map(lambda a, b: jnp.concatenate([b[:shift], a[:-shift]]), at.x, before)
        got = jax.tree.map(lambda y: y[first + shift :], fn(x))
        wanted, usual = (jax.tree.map(lambda y: y[first : y.shape[0] - shift], tree) for tree in (at.y, at.usual))
        moves = deviation(self.rep_out, got, wanted, usual, near=at.near)
        xp = namespace(*moves)
        return Failure(xp.max(xp.concatenate([xp.ravel(move) for move in moves] + [np.zeros(1)])))

    def __str__(self) -> str:
        return f"stationary after {self.receptive_field} instants"
