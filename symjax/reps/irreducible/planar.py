"""Irreps of the groups of the plane, SO(2), O(2), C(k) and D(k): turns by a multiple of the angle; and angles."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from symjax.groups import MatrixGroup
from symjax.math import namespace
from symjax.reps.linear import LinearRep


@dataclasses.dataclass(frozen=True, repr=False)
class Turns(LinearRep):
    """A turn by `frequency` times the angle of a matrix of the plane; frequency 1 is V.

    With g = R(t) diag(s, 1) for an angle t and a sign s, rho(g) = R(m t) diag(s, 1). Where m times every angle is a
    half turn, each coordinate is an irrep by itself: `parity` "o" is the first, which mirrors negate, "e" the second.
    """

    frequency: int
    group: MatrixGroup
    parity: str = ""

    @property
    def size(self) -> int:
        """Two, or one where the parity says which of both."""
        return 1 if self.parity else 2

    def rho(self, g: Any) -> Any:
        """Return the matrix of an element."""
        xp = namespace(g)
        turn = xp.stack([xp.stack([g[1, 1], g[0, 1]]), xp.stack([-g[0, 1], g[1, 1]])])
        with jax.default_matmul_precision("highest"):
            c, s = xp.linalg.matrix_power(turn, self.frequency)[:, 0]
        sign = g[0, 0] * g[1, 1] - g[0, 1] * g[1, 0]
        if self.parity:
            return (c * sign if self.parity == "o" else c).reshape(1, 1)
        return xp.stack([xp.stack([c * sign, -s]), xp.stack([s * sign, c])])

    def drho(self, a: Any) -> Any:
        """Return the matrix of a tangent."""
        return self.frequency * a if not self.parity else namespace(a).zeros((1, 1), a.dtype)

    @property
    def text(self) -> str:
        """The call that makes it."""
        parity = self.parity if self.group.components == 2 else ""
        return f'irreps("{self.frequency}{parity}", {self.group!r})'

    def __repr__(self) -> str:
        return self.text


@dataclasses.dataclass(frozen=True)
class Angles:
    """Angles in radians, to each of which a turn of the plane adds its own."""

    def act(self, g: Float[Array, "2 2"], x: Float[Array, "..."]) -> Float[Array, "..."]:
        """Return every angle with that of g added."""
        return x + jnp.arctan2(g[1, 0], g[0, 0]).astype(x.dtype)

    def __str__(self) -> str:
        return "angles"
