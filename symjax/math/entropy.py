"""Cross-entropy that keeps its digits where a network is sure of the right class."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int


def cross_entropy(logits: Float[Array, "*n c"], labels: Int[Array, "*n"]) -> Float[Array, "*n"]:
    """Return -log softmax(logits)[label] = log(1 + sum_{c != label} exp(logits_c - logits_label)).

    As a difference of logits and their log-sum-exp, a loss below 1e-7 is 0 or a multiple of 1.2e-7 in single precision,
    and so is its derivative by the right logit: training then jumps (Nanda et al. 2023 compute it in double precision).
    Here both are sums of the small terms, and relative errors stay those of the arithmetic.
    """
    is_label = labels[..., None] == jnp.arange(logits.shape[-1], dtype=labels.dtype).reshape(*[1] * labels.ndim, -1)
    margins = logits - jnp.where(is_label, logits, 0).sum(axis=-1, keepdims=True)
    largest = jax.lax.stop_gradient(margins.max(axis=-1))  # 0 where the right class wins
    others = jnp.where(is_label, 0, jnp.exp(margins - largest[..., None])).sum(axis=-1)
    return largest + jnp.log1p(others + jnp.expm1(-largest))
