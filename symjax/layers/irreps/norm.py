"""Norms of irreps as Equiformer has them (Liao and Smidt 2023, arXiv:2206.11990; V2 2024, arXiv:2306.12059).

Features are divided by their root mean square v^(1/2), taken so that nothing which vanishes by symmetry, and is
rounding noise, grows: x v / (v + eps)^(3/2). For v >> eps that is x / v^(1/2), but where the reference multiplies
noise by eps^(-1/2), 316 in every norm, this multiplies it by nothing, and has derivatives of every order.
"""

from collections.abc import Sequence
from typing import Any, Literal

import e3nn_jax as e3nn
import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from symjax.groups import O
from symjax.laws import Equivariance, Law
from symjax.layers.irreps.linear import from_blocks, irreps_blocks
from symjax.layers.irreps.so2 import degree_of, natural
from symjax.reps import Irreps

Shared = Literal["degree", "above", "all"]


def normaliser(square: Float[Array, "..."], epsilon: float) -> Float[Array, "..."]:
    """Return v / (v + eps)^(3/2), which is v^(-1/2) for large mean squares v, and zero with its derivative at none."""
    return square / (square + epsilon) ** 1.5


def irreps_layer_norm(
    scales: Sequence[Float[Array, " _"]], bias: Float[Array, " s"], x: e3nn.IrrepsArray, *, epsilon: float = 1e-5
) -> e3nn.IrrepsArray:
    """Return each irrep over the root mean square of its components and channels, times a scale a channel.

    Even scalars are centred first, and get a bias.

    Args:
        scales: for each irrep.
        bias: of all even scalars, in order.
        x: [n, irreps].
        epsilon: mean squares far below are zero.
    """
    blocks, start = [], 0
    for block, scale, (mul, ir) in zip(irreps_blocks(x), scales, x.irreps, strict=True):
        if ir == "0e":
            block = block - jnp.mean(block, axis=2, keepdims=True)
        block = block * normaliser(jnp.mean(block * block, axis=(1, 2), keepdims=True), epsilon) * scale[None, None]
        if ir == "0e":
            block, start = block + bias[None, None, start : start + mul], start + mul
        blocks.append(block)
    return from_blocks(x.irreps, blocks, x)


class IrrepsLayerNorm(nn.Module):
    """`irreps_layer_norm` with its own scales, one at first, and bias, zero at first."""

    def laws(self, x: e3nn.IrrepsArray) -> tuple[Law, ...]:
        """Rotations and reflections turn the input and the output."""
        rep = Irreps(str(x.irreps))
        return (Equivariance(O(3), rep, rep),)

    @nn.compact
    def __call__(self, x: e3nn.IrrepsArray) -> e3nn.IrrepsArray:
        """Return the normalised features."""
        ones, zeros = nn.initializers.ones, nn.initializers.zeros
        scales = [self.param(f"{ir}_{place}", ones, (mul,), x.dtype) for place, (mul, ir) in enumerate(x.irreps)]
        bias = self.param("bias", zeros, (x.irreps.count(e3nn.Irrep(0, 1)),), x.dtype)
        return irreps_layer_norm(scales, bias, x)


def degree_norm(
    scale: Float[Array, "l c"],
    bias: Float[Array, " c"],
    x: Float[Array, "n k c"],
    *,
    shared: Shared,
    centred: bool = True,
    epsilon: float = 1e-5,
) -> Float[Array, "n k c"]:
    """Return features of degrees 0 ... l_max, (l, m) in row l^2 + l + m, over root mean squares of degrees.

    Args:
        scale: of each degree and channel.
        bias: of the scalars.
        x: features.
        shared: which degrees are divided by one root mean square, in which each degree counts alike. "degree": each
            has its own; "above": all above zero have one, the separable layer norm of V2; "all": every one, as in V2's
            RMS norm and, centred, the merged layer norm of V3 (arXiv:2604.09130).
        centred: whether the mean over the channels is taken off the scalars.
        epsilon: mean squares far below are zero.
    """
    if centred:
        x = x.at[:, 0].add(-jnp.mean(x[:, 0], axis=1, keepdims=True))
    degrees = np.sqrt(np.arange(x.shape[1])).astype(int)
    groups = {"degree": np.arange(len(scale)), "above": np.minimum(np.arange(len(scale)), 1), "all": 0 * degrees}
    alike = groups[shared][degrees]
    share = (alike[:, None] == alike) / (2 * degrees + 1)
    share = jnp.asarray(share / share.sum(axis=1, keepdims=True), x.dtype)
    factor = normaliser(jnp.mean(x * x, axis=2) @ share.T, epsilon)
    return (x * factor[..., None] * scale[degrees][None]).at[:, 0].add(bias[None])


class DegreeNorm(nn.Module):
    """`degree_norm` with its own scales, one at first, and bias, zero at first.

    Attributes:
        shared: Which degrees have one root mean square.
        centred: Whether the scalars are centred.
    """

    shared: Shared = "above"
    centred: bool = True

    def laws(self, x: Float[Any, "n k c"]) -> tuple[Law, ...]:
        """Rotations and reflections turn the input and the output."""
        rep = natural(degree_of(x))
        return (Equivariance(O(3), rep, rep),)

    @nn.compact
    def __call__(self, x: Float[Array, "n k c"]) -> Float[Array, "n k c"]:
        """Return the normalised features."""
        shape = (degree_of(x) + 1, x.shape[2])
        scale = self.param("scale", nn.initializers.ones, shape, x.dtype)
        bias = self.param("bias", nn.initializers.zeros, shape[1:], x.dtype)
        return degree_norm(scale, bias, x, shared=self.shared, centred=self.centred)
