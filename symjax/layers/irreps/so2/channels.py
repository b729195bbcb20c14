"""Linear maps of features of one multiplicity, [n, (l_max + 1)^2, c]."""

import math
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jax.lax import Precision
from jaxtyping import Array, Float

from symjax.groups import O
from symjax.laws import Equivariance, Law
from symjax.layers.irreps.so2.convolution import degree_of, natural


def degrees_linear(matrices: Float[Array, "l c o"], x: Float[Array, "n k c"]) -> Float[Array, "n k o"]:
    """Return y_l = x_l W_l / sqrt(c): one matrix between the channels of each degree."""
    blocks = [
        jnp.matmul(x[:, degree**2 : (degree + 1) ** 2], matrix, precision=Precision.HIGHEST)
        for degree, matrix in enumerate(matrices)
    ]
    return jnp.concatenate(blocks, axis=1) / math.sqrt(x.shape[2])


class DegreesLinear(nn.Module):
    """`degrees_linear` with its own matrices, standard normal at first, and a bias of the scalars.

    Attributes:
        features: Channels of the output.
    """

    features: int

    def laws(self, x: Float[Any, "n k c"]) -> tuple[Law, ...]:
        """Rotations and reflections turn the features."""
        return (Equivariance(O(3), natural(degree_of(x)), natural(degree_of(x))),)

    @nn.compact
    def __call__(self, x: Float[Array, "n k c"]) -> Float[Array, "n k o"]:
        """Return the mapped features."""
        shape = degree_of(x) + 1, x.shape[2], self.features
        y = degrees_linear(self.param("matrices", nn.initializers.normal(1.0), shape, x.dtype), x)
        bias = self.param("bias", nn.initializers.zeros, (1, self.features), x.dtype)
        return y.at[:, 0].add(bias)
