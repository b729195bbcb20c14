"""Features with their channels last: the group mixes the axis before."""

import dataclasses
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Inexact

from symjax.reps.linear import LinearRep


@dataclasses.dataclass(frozen=True)
class Columns:
    """A linear representation along the last axis but one: x [..., k, c] moves to rho(g) x, each channel a column."""

    rep: LinearRep

    def act(self, g: Any, x: Inexact[Array, "... k c"]) -> Inexact[Array, "... k c"]:
        """Return x with every column moved by g."""
        return jnp.swapaxes(self.rep.act(g, jnp.swapaxes(x, -1, -2)), -1, -2)

    def __str__(self) -> str:
        return f"columns of {self.rep}"
