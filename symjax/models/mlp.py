"""The multilayer perceptron, the baseline that knows no symmetry."""

from typing import Any

import flax.linen as nn
import numpy as np
from jaxtyping import Array, Float

from symjax.laws import Causality, Law


class MLP(nn.Module):
    """Swish layers and a linear one.

    Attributes:
        features: Numbers that come out.
        channels: Width of the hidden layers.
        layers: Number of hidden layers.
    """

    features: int
    channels: int = 384
    layers: int = 3

    def laws(self, x: Float[Any, "... i"]) -> tuple[Law, ...]:
        """It knows no symmetry; all it promises is that no row sees another."""
        return (Causality(np.eye(x.shape[0])),) if len(x.shape) > 1 else ()

    @nn.compact
    def __call__(self, x: Float[Array, "... i"]) -> Float[Array, "... o"]:
        """Return the mapped vectors."""
        for _ in range(self.layers):
            x = nn.swish(nn.Dense(self.channels, param_dtype=x.dtype)(x))
        return nn.Dense(self.features, param_dtype=x.dtype)(x)
