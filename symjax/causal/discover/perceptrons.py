"""One perceptron a column, each of all others: what smooth discovery fits where effects are not linear."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key


class Perceptrons(NamedTuple):
    """f_j(x) = out_j . sigmoid(sum_i x_i hidden[i, j] + bias_j) + shift_j, i other than j."""

    hidden: Float[Array, "d d h"]
    bias: Float[Array, "d h"]
    out: Float[Array, "d h"]
    shift: Float[Array, " d"]

    @classmethod
    def init(cls, key: Key[Array, ""], columns: int, width: int, dtype: jnp.dtype) -> "Perceptrons":
        """Return networks that see nothing yet: first layers zero, last ones random."""
        d, h = columns, width
        out = jax.random.uniform(key, (d, h), dtype, -1, 1) / jnp.sqrt(jnp.asarray(h, dtype))
        return cls(jnp.zeros((d, d, h), dtype), jnp.zeros((d, h), dtype), out, jnp.zeros(d, dtype))

    def seen(self) -> Float[Array, "d d h"]:
        """Return the first weights without those of a column on itself."""
        return jnp.where(jnp.eye(len(self.hidden), dtype=bool)[:, :, None], 0, self.hidden)

    def __call__(self, x: Float[Array, "n d"]) -> Float[Array, "n d"]:
        """Return every column as its network has it."""
        hidden = jax.nn.sigmoid(jnp.einsum("ni,ijh->njh", x, self.seen()) + self.bias[None])
        return jnp.einsum("njh,jh->nj", hidden, self.out) + self.shift[None]

    def strength(self) -> Float[Array, "d d"]:
        """Return the squared norms of the first weights, by cause and effect."""
        return jnp.sum(self.seen() ** 2, axis=2)

    def squares(self) -> Float[Array, ""]:
        """Return the sum of all squared weights, without biases."""
        return jnp.sum(self.hidden**2) + jnp.sum(self.out**2)
