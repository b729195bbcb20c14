"""Variables of few values, whose counterfactuals need a named coupling, for data do not identify them."""

import dataclasses
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from symjax.causal.scm.mechanisms import Causes, Row, Units

Coupling = Literal["gumbel", "monotone"]


@dataclasses.dataclass(frozen=True)
class Categorical:
    """P(V_k = c | causes) = softmax_c(bias_k + sum_j weights[k, j, V_j]), values 0 to m - 1.

    The coupling says which noise makes a value, and so what would have been under other causes, which the probabilities
    leave open: "monotone", one uniform number against the cumulative probabilities, so that a unit keeps its rank; or
    "gumbel", the largest of logits with Gumbel noise (Oberst and Sontag 2019, arXiv:1905.05824), so that a value
    changes only to one that became more likely.

    Attributes:
        weights: logits by variable, cause, value of the cause, and value.
        bias: logits by variable and value.
        coupling: see above.
    """

    weights: Float[Array, "d d m m"]
    bias: Float[Array, "d m"]
    coupling: Coupling
    invertible: ClassVar[bool] = False

    def draw(self, key: Key[Array, ""], n: int) -> Float[Array, "n d ..."]:
        """Return uniform numbers, or Gumbel noise for each value."""
        d, m = self.bias.shape
        if self.coupling == "monotone":
            return jax.random.uniform(key, (n, d), self.bias.dtype)
        return jax.random.gumbel(key, (n, d, m), self.bias.dtype)

    def logits(self, k: Any, causes: Causes, x: Units) -> Float[Array, "n m"]:
        """Return log-probabilities of the values of k."""
        m = self.bias.shape[-1]
        weights = jnp.where(causes[:, None, None], self.weights[k], 0)
        own = jax.nn.one_hot(x.astype(int), m, dtype=self.bias.dtype)
        return jax.nn.log_softmax(jnp.einsum("njv,jvm->nm", own, weights) + self.bias[k][None])

    def predict(self, k: Any, causes: Causes, x: Units, noise: Float[Array, "n ..."]) -> Row:
        """Return the value that the noise chooses."""
        logits = self.logits(k, causes, x)
        if self.coupling == "monotone":
            chosen = jnp.sum(noise[:, None] > jnp.cumsum(jnp.exp(logits), axis=1)[:, :-1], axis=1)
        else:
            chosen = jnp.argmax(logits + noise, axis=1)
        return chosen.astype(self.bias.dtype)

    def posterior(self, key: Key[Array, ""], k: Any, causes: Causes, x: Units, value: Row) -> Float[Array, "n ..."]:
        """Return noise that could have chosen the values, drawn from its distribution given that it did."""
        logits, chosen = self.logits(k, causes, x), value.astype(int)
        if self.coupling == "monotone":
            ends = jnp.pad(jnp.cumsum(jnp.exp(logits), axis=1), ((0, 0), (1, 0)))
            low, high = (jnp.take_along_axis(ends, chosen[:, None] + step, axis=1)[:, 0] for step in (0, 1))
            return low + (high - low) * jax.random.uniform(key, low.shape, low.dtype)
        top, rest = jax.random.split(key)
        largest = jax.random.gumbel(top, chosen.shape, logits.dtype)[:, None]  # of all values: their sum is one
        free = jax.random.gumbel(rest, logits.shape, logits.dtype) + logits
        below = -jnp.logaddexp(-free, -largest)  # truncated at the largest (Maddison et al. 2014)
        own = jax.nn.one_hot(chosen, logits.shape[1], dtype=bool)
        return jnp.where(own, largest, below) - logits


jax.tree_util.register_dataclass(Categorical, data_fields=["weights", "bias"], meta_fields=["coupling"])
