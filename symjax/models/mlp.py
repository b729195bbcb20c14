"""The multilayer perceptron, the baseline that knows no symmetry."""

import flax.linen as nn
from jaxtyping import Array, Float


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

    @nn.compact
    def __call__(self, x: Float[Array, "... i"]) -> Float[Array, "... o"]:
        """Return the mapped vectors."""
        for _ in range(self.layers):
            x = nn.swish(nn.Dense(self.channels, param_dtype=x.dtype)(x))
        return nn.Dense(self.features, param_dtype=x.dtype)(x)
