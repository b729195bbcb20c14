"""Parameters of plain layers: kernels and biases, so that features may be anything that a kernel can multiply."""

import flax.linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Float

GLOROT = nn.initializers.glorot_uniform()


def kernel(
    layer: nn.Module, name: str, inputs: int, outputs: int, dtype: DTypeLike, *, of: str = "nodes"
) -> Float[Array, "i o"]:
    """Return a linear map owned by a layer.

    Args:
        layer: whose parameter it is.
        name: of the parameter.
        inputs: how many features come.
        outputs: how many numbers it makes of them.
        dtype: of the parameter.
        of: what has these features, for the sentence of the error.

    Raises:
        ValueError: the layer has parameters for another number of features.
    """
    if layer.has_variable("params", name):
        known = layer.get_variable("params", name).shape[0]
        if known != inputs:
            raise ValueError(f"expected {of} with {known} features, which the parameters are for, got {inputs}")
    return layer.param(name, GLOROT, (inputs, outputs), dtype)


def bias(layer: nn.Module, name: str, outputs: int, dtype: DTypeLike) -> Float[Array, "1 o"]:
    """Return numbers that a layer adds to each of its rows, zero at first."""
    return layer.param(name, nn.initializers.zeros, (1, outputs), dtype)
