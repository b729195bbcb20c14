"""A transformer of one layer without norms, small enough to be read (Nanda et al. 2023, arXiv:2301.05217)."""

import functools
from typing import Any

import flax.linen as nn
from jaxtyping import Array, Float

from symjax.laws import Causality, Law
from symjax.layers.sequence import CausalAttention, causal_mask


class Transformer(nn.Module):
    """h <- x + position, h <- h + attention(h), h <- h + W' relu(W h + b) + b', and a linear read-out.

    The authors' has no biases in its attention and its read-out. Hidden neurons are sown as "neurons".

    Attributes:
        features: Numbers that come out of an instant, such as the logits of a token.
        heads: Of the attention; divides the number of channels.
        hidden: Neurons of the perceptron.
        queries: Of how many instants, the last ones, the output is wanted; of all by default. Costs in proportion.
    """

    features: int
    heads: int = 4
    hidden: int = 512
    queries: int | None = None

    def laws(self, x: Float[Any, "t c"]) -> tuple[Law, ...]:
        """Nothing sees the future."""
        return (Causality(causal_mask(x.shape[0], queries=self.queries)),)

    @nn.compact
    def __call__(self, x: Float[Array, "t c"]) -> Float[Array, "q o"]:
        """Return the features of the instants that are asked for, from those of embedded tokens."""
        dense = functools.partial(nn.Dense, param_dtype=x.dtype)
        small = nn.initializers.normal(x.shape[-1] ** -0.5)
        h = x + self.param("positions", small, x.shape, x.dtype)
        heard = CausalAttention(self.heads, queries=self.queries, name="attention")(h)
        h = h[-len(heard) :] + heard
        neurons = nn.relu(dense(self.hidden, name="up")(h))
        self.sow("intermediates", "neurons", neurons)
        h = h + dense(x.shape[-1], name="down")(neurons)
        return dense(self.features, name="read_out")(h)
