"""Permutation-equivariant and invariant linear maps of sets (Zaheer et al. 2017, arXiv:1703.06114, eq. 4)."""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from symjax.groups import S
from symjax.laws import Equivariance, Law
from symjax.reps import Axis


def set_mean(x: Float[Array, "n ..."], mask: Bool[Array, " n"] | None = None) -> Float[Array, "..."]:
    """Return the mean over the members of a set, those that the mask leaves; zero for an empty set."""
    if mask is None:
        return x.sum(axis=0) / max(1, len(x))
    there = mask.reshape(-1, *(1 for _ in x.shape[1:]))
    return jnp.sum(jnp.where(there, x, 0), axis=0) / jnp.maximum(1, mask.sum()).astype(x.dtype)


def deepsets_linear(
    own: Float[Array, "i o"],
    mean: Float[Array, "i o"],
    bias: Float[Array, " o"],
    x: Float[Array, "n i"],
    mask: Bool[Array, " n"] | None = None,
) -> Float[Array, "n o"]:
    """Return y_a = x_a own + (mean_b x_b) mean + bias, every S(n)-equivariant affine map of n copies of R^i to R^o.

    Padding, where the mask is False, adds nothing and comes out as zero.
    """
    y = x @ own + (set_mean(x, mask) @ mean + bias)[None]
    return y if mask is None else jnp.where(mask[:, None], y, 0)


class DeepSetsLinear(nn.Module):
    """`deepsets_linear` with its own weights.

    Attributes:
        features: Channels that come out.
    """

    features: int

    def laws(self, x: Float[Any, "n i"]) -> tuple[Law, ...]:
        """The order of the members means nothing."""
        return (Equivariance(S(x.shape[0]), Axis(0), Axis(0)),)

    @nn.compact
    def __call__(self, x: Float[Array, "n i"], mask: Bool[Array, " n"] | None = None) -> Float[Array, "n o"]:
        """Return the features of every member."""
        shape, init = (x.shape[-1], self.features), nn.initializers.lecun_normal()
        own, mean = (self.param(name, init, shape, x.dtype) for name in ("own", "mean"))
        bias = self.param("bias", nn.initializers.zeros, (self.features,), x.dtype)
        return deepsets_linear(own, mean, bias, x, mask)
