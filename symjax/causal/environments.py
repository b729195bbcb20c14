"""What a loss returns by environment: risks, slopes, moments of gradients and features, each a sum and a count.

Each function gives one half of a rule in `invariance`, from values of single examples, and the rule is the other: an
objective of the means of all examples on all devices. A loss returns what `Environments.risks` makes, and with it what
the rule's penalty reads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Key, PyTree

from symjax.math import segment_sum

Pairs = dict[str, tuple[Array, Array]]


class Environments(NamedTuple):
    """Which environment each example of a shard is of.

    Attributes:
        index: a number in [0, number) for each example.
        number: how many environments there are in all the data.
        mask: which examples are real; all by default.
    """

    index: Int[Array | np.ndarray, " b"]
    number: int
    mask: Bool[Array | np.ndarray, " b"] | None = None

    def total(self, values: Float[Array, "b ..."]) -> tuple[Float[Array, "e ..."], Float[Array, "e ..."]]:
        """Return the sums of values [b ...] by environment [e ...] and the counts [e 1 ...], as a loss returns them."""
        sums, sizes = self._sums(values), self._sums(jnp.ones(values.shape[:1], values.dtype))
        return sums, sizes.reshape(-1, *(1 for _ in values.shape[1:]))

    def risks(self, losses: Float[Array, " b"]) -> Pairs:
        """Return "risk" [e], the losses, and "share" [e], which part of all examples is of each environment."""
        sums, sizes = self.total(losses)
        return {"risk": (sums, sizes), "share": (sizes, sizes.sum())}

    def halved(self, half: Int[Array | np.ndarray, " b"]) -> Environments:
        """Return each environment cut in two: half 0 or 1 of environment e is number 2 e + half."""
        return Environments(2 * self.index + half, 2 * self.number, self.mask)

    def _sums(self, values: Float[Array, "b ..."]) -> Float[Array, "e ..."]:
        mask = None if self.mask is None else jnp.asarray(self.mask)
        return segment_sum(values, jnp.asarray(self.index), self.number, mask=mask)


def logit_slopes(logits: Float[Array, " b"], labels: Float[Array | np.ndarray, " b"], of: Environments) -> Pairs:
    """Return "slope" [e] of the logistic loss at labels 0 and 1, d/ds loss(s z, y) at s = 1: (sigmoid(z) - y) z."""
    return {"slope": of.total((jax.nn.sigmoid(logits) - labels) * logits)}


def output_slopes(
    loss: Callable[[Array, PyTree], Float[Array, ""]], outputs: Float[Array, "b ..."], targets: PyTree, of: Environments
) -> Pairs:
    """Return "slope" [e] of any loss of an output and a target, d/ds loss(s z, y) at s = 1, differentiated for it."""

    def slope(output: Array, target: PyTree) -> Float[Array, ""]:
        return jax.grad(lambda s: loss(s * output, target))(jnp.ones((), output.dtype))

    return {"slope": of.total(jax.vmap(slope)(outputs, targets))}


def head_gradients(residuals: Float[Array, " b"], features: Float[Array, "b d"]) -> Float[Array, "b p"]:
    """Return r (h, 1), the gradient by weights and bias of a last layer of one output, from r = d loss / d output."""
    with_bias = jnp.concatenate([features, jnp.ones_like(features[:, :1])], axis=1)
    return residuals[:, None] * with_bias


def gradient_moments(gradients: Float[Array, "b p"], of: Environments) -> Pairs:
    """Return "gradient" and "square" [e p], the first two moments of the gradients of single examples."""
    return {"gradient": of.total(gradients), "square": of.total(gradients**2)}


def feature_moments(features: Float[Array, "b d"], of: Environments) -> Pairs:
    """Return "feature" [e d] and "product" [e d d], the first two moments of features."""
    return {"feature": of.total(features), "product": of.total(features[:, :, None] * features[:, None, :])}


def kernel_embedding(
    features: Float[Array, "b d"], of: Environments, *, key: Key[Array, ""], size: int = 256, gamma: float = 1.0
) -> Pairs:
    """Return "embedding" [e size]: random Fourier features of the Gaussian kernel exp(-gamma |x - y|^2).

    phi(x) = sqrt(2 / size) cos(W x + b), W ~ N(0, 2 gamma), b ~ U(0, 2 pi): phi(x) . phi(y) is the kernel, up to an
    error of order 1 / sqrt(size) (Rahimi & Recht 2007, NeurIPS). The kernel itself joins pairs of examples, which may
    lie on two devices; phi has a mean. Give one key in every step and shard, not the one that a loss is called with.
    """
    frequencies, phases = jax.random.split(key)
    w = (2 * gamma) ** 0.5 * jax.random.normal(frequencies, (features.shape[1], size), features.dtype)
    b = jax.random.uniform(phases, (1, size), features.dtype, 0, 2 * jnp.pi)
    return {"embedding": of.total((2 / size) ** 0.5 * jnp.cos(features @ w + b))}
