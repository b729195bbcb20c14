"""Functions of two residues by their frequencies, and what a network that adds uses of them (arXiv:2301.05217)."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float


def fourier_basis(p: int) -> Float[np.ndarray, "p p"]:
    """Return the orthonormal rows 1, cos(2 pi x / p), sin(2 pi x / p), ..., for even p (-1)^x as the last."""
    angles = 2 * np.pi * np.outer(np.arange(1, p // 2 + 1), np.arange(p)) / p
    waves = np.stack([np.cos(angles), np.sin(angles)], axis=1).reshape(-1, p)
    rows = np.concatenate([np.ones((1, p)), waves])[:p]
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def frequencies(p: int) -> Bool[np.ndarray, "k p"]:
    """Return which rows of `fourier_basis` have frequency k = 0, ..., p // 2."""
    return np.arange(p // 2 + 1)[:, None] == (np.arange(p) + 1)[None] // 2


def frequency_shares(neurons: Float[Array, "p p h"]) -> Float[Array, "k h"]:
    """Return the share of each neuron's variance over all pairs (x, y) that is of frequency k = 0, ..., p // 2 alone.

    That is its part in the span of u(x), u(y), u(x) v(y) with u, v in {cos, sin} of 2 pi k / p; none for k = 0.
    """
    p = len(neurons)
    basis, is_of = (jnp.asarray(rows, neurons.dtype) for rows in (fourier_basis(p), frequencies(p)))
    power = jnp.einsum("ax,by,xyh->abh", basis, basis, neurons) ** 2
    both = jnp.einsum("ia,jb,abh->ijh", is_of, is_of, power.at[0, 0].set(0))
    own = both[0] + both[:, 0] + jnp.einsum("kkh->kh", both)
    total = power.at[0, 0].set(0).sum(axis=(0, 1))
    return own / jnp.where(total > 0, total, 1)[None]


def of_sum(function: Float[Array, "p p c"], keep: Bool[Array | np.ndarray, " k"]) -> Float[Array, "p p c"]:
    """Return the part of a function of (x, y) that depends on x + y mod p alone, by the frequencies to keep."""
    p = len(function)
    rows = jnp.asarray(fourier_basis(p), function.dtype)[:, (np.arange(p)[:, None] + np.arange(p)[None]) % p]
    kept = jnp.asarray(keep, function.dtype) @ jnp.asarray(frequencies(p), function.dtype) / p
    return jnp.einsum("f,fxy,fab,abc->xyc", kept, rows, rows, function)


def restricted(logits: Float[Array, "p p c"], key: Bool[Array | np.ndarray, " k"]) -> Float[Array, "p p c"]:
    """Return what is left of logits if they keep their mean and the key frequencies of x + y, and nothing else."""
    return of_sum(logits, jnp.asarray(key).at[0].set(True))


def excluded(logits: Float[Array, "p p c"], key: Bool[Array | np.ndarray, " k"]) -> Float[Array, "p p c"]:
    """Return logits without the key frequencies of x + y."""
    return logits - of_sum(logits, jnp.asarray(key).at[0].set(False))
