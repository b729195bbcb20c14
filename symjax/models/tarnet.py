"""Outcomes under either arm by one network: TARNet, CFR (arXiv:1606.03976) and Dragonnet (arXiv:1906.02120).

Both arms share a representation of the covariates, so that each learns from the units of the other. CFR is a TARNet
whose loss has beside it a distance between the two arms' representations, `mmd` or `wasserstein`.
"""

from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from symjax.laws import Causality, Law

LEAST = 0.01  # of Dragonnet's propensities g, by (g + LEAST) / (1 + 2 LEAST)
BLUR = 0.1  # of transport plans, of the mean distance
ROUNDS = 20  # of Sinkhorn's iteration


class Potential(NamedTuple):
    """What a network says of units.

    Attributes:
        outcomes: m_0 and m_1, those expected under either arm.
        representation: what both are read from.
        logits: of the propensity g of arm 1; None of a network that has none.
        tilted: m_a + epsilon (1[a = 1] / g - 1[a = 0] / (1 - g)), with epsilon learnt; None as above.
    """

    outcomes: Float[Array, "n 2"]
    representation: Float[Array, "n d"]
    logits: Float[Array, " n"] | None = None
    tilted: Float[Array, "n 2"] | None = None


class TARNet(nn.Module):
    """A shared representation and a head for each of the arms 0 and 1 (Shalit et al. 2017).

    Attributes:
        channels: Width of the representation.
        head_channels: Width of the heads.
        layers: Number of layers of the representation.
        head_layers: Number of hidden layers of each head.
    """

    channels: int = 200
    head_channels: int = 100
    layers: int = 3
    head_layers: int = 3

    def laws(self, x: Float[Any, "n i"]) -> tuple[Law, ...]:
        """No unit sees another."""
        return (Causality(np.eye(x.shape[0])),)

    @nn.compact
    def __call__(self, x: Float[Array, "n i"]) -> Potential:
        """Return what is expected of units with covariates x."""
        for _ in range(self.layers):
            x = _layer(self.channels, x)
        return Potential(_heads(x, self.head_channels, self.head_layers), x)


class Dragonnet(TARNet):
    """A TARNet whose representation tells the treatment too, with a tilt for targeted regularisation (Shi et al. 2019).

    Its attributes are those of `TARNet`.
    """

    head_layers: int = 2

    @nn.compact
    def __call__(self, x: Float[Array, "n i"]) -> Potential:
        """Return what is expected of units with covariates x, of their treatment too."""
        found = super().__call__(x)
        logits = nn.Dense(1, param_dtype=x.dtype)(found.representation)[:, 0]
        epsilon = self.param("epsilon", nn.initializers.zeros, (), x.dtype)
        return found._replace(logits=logits, tilted=found.outcomes + epsilon * clever(logits))


def clever(logits: Float[Array, " n"]) -> Float[Array, "n 2"]:
    """Return (-1 / (1 - g), 1 / g) of the propensity g, held from 0 and 1."""
    g = (nn.sigmoid(logits) + LEAST) / (1 + 2 * LEAST)
    return jnp.stack([-1 / (1 - g), 1 / g], axis=1)


def factual(outcomes: Float[Array, "n 2"], arm: Int[Array, " n"]) -> Float[Array, " n"]:
    """Return the outcome of each unit's own arm."""
    return jnp.take_along_axis(outcomes, arm[:, None], axis=1)[:, 0]


def mmd(features: Float[Array, "n d"], groups: Bool[Array, "2 n"]) -> Float[Array, ""]:
    """Return |mean phi over one group - mean phi over the other|^2 with the kernel exp(-|x - y|^2 / s), biased.

    s is the mean of |x - y|^2 over all pairs; without units in either group it is zero (Gretton et al. 2012, JMLR 13).
    """
    shares, both = _shares(groups, features.dtype)
    square, pairs = _squares(features), jnp.any(groups, axis=0).astype(features.dtype)
    size = jax.lax.stop_gradient(pairs @ square @ pairs / jnp.maximum(jnp.sum(pairs) ** 2, 1))
    signed = shares[1] - shares[0]
    return jnp.where(both, signed @ jnp.exp(-square / jnp.where(size > 0, size, 1)) @ signed, 0)


def wasserstein(features: Float[Array, "n d"], groups: Bool[Array, "2 n"]) -> Float[Array, ""]:
    """Return sum_ij P_ij |x_i - x_j|, with P the plan of Sinkhorn (Cuturi 2013) that carries one group to the other.

    The plan is blurred by a tenth of the mean distance, and counts as constant in derivatives. Without units in either
    group it is zero.
    """
    shares, both = _shares(groups, features.dtype)
    square = _squares(features)
    distance = jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1)), 0)
    fixed = jax.lax.stop_gradient(distance)
    blur = BLUR * shares[0] @ fixed @ shares[1]
    reach = -fixed / jnp.where(blur > 0, blur, 1)
    logs = jnp.where(shares > 0, jnp.log(jnp.where(shares > 0, shares, 1)), -jnp.inf)

    def turn(_: Array, f: Array) -> Array:
        g = -jax.nn.logsumexp(reach + (f + logs[0])[:, None], axis=0)
        return -jax.nn.logsumexp(reach + (g + logs[1])[None], axis=1)

    f = jax.lax.fori_loop(0, ROUNDS, turn, jnp.zeros(len(features), features.dtype))
    g = -jax.nn.logsumexp(reach + (f + logs[0])[:, None], axis=0)
    plan = jnp.exp(reach + (f + logs[0])[:, None] + (g + logs[1])[None])
    return jnp.where(both, jnp.sum(jnp.where(both, jax.lax.stop_gradient(plan), 0) * distance), 0)


def _shares(groups: Array, dtype: Any) -> tuple[Float[Array, "2 n"], Bool[Array, ""]]:
    counts = jnp.sum(groups, axis=1)
    return groups.astype(dtype) / jnp.maximum(counts, 1).astype(dtype)[:, None], jnp.all(counts > 0)


def _squares(x: Float[Array, "n d"]) -> Float[Array, "n n"]:
    return jnp.sum((x[:, None] - x[None]) ** 2, axis=2)


def _heads(x: Float[Array, "n d"], channels: int, layers: int) -> Float[Array, "n 2"]:
    heads = []
    for _ in range(2):
        z = x
        for _ in range(layers):
            z = _layer(channels, z)
        heads.append(nn.Dense(1, param_dtype=x.dtype)(z))
    return jnp.concatenate(heads, axis=1)


def _layer(channels: int, x: Float[Array, "n i"]) -> Float[Array, "n o"]:
    return nn.elu(nn.Dense(channels, param_dtype=x.dtype)(x))
