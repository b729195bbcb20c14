"""Linear graphs by smooth optimisation: DAGMA (Bello et al. 2022, arXiv:2209.08037), many fits in one program.

A fit sees the data by their covariance alone, so that penalties, data sets and bootstraps are a batch of matrices. On
standardised columns such methods lose what variances give away: print `varsortability` and the baselines beside them.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

STAGES = ((1.0, 1.0), (0.1, 0.9), (0.01, 0.8), (0.001, 0.7))  # weight of the score, and s of the log-determinant
STEPS = 3000  # of each stage
RATE = 2e-3
DECAY = (0.9, 0.999)  # of Adam's means


def dagma_linear(covariance: Float[Array, "d d"], penalty: float | Float[Array, ""] = 0.03) -> Float[Array, "d d"]:
    """Return the weights W[i, j] of causes i on effects j in a linear model, near acyclic; vmap it over both arguments.

    Along a central path, mu falling and s with it, Adam minimises

        mu (tr((I - W)' S (I - W)) / 2 + penalty |W|_1) - log det(s I - W o W) + d log s

    whose last terms vanish exactly for acyclic W. A step that leaves the domain of the determinant is taken back and
    halves the rate.

    Args:
        covariance: S, of centred columns.
        penalty: on the sum of absolute weights.
    """
    d = len(covariance)
    eye = jnp.eye(d, dtype=covariance.dtype)
    w = jnp.zeros_like(covariance)
    for mu, s in STAGES:
        w = _stage(covariance, penalty, w, mu, s, eye)
    return w


def _stage(covariance: Array, penalty: float | Array, w: Array, mu: float, s: float, eye: Array) -> Array:
    def step(t: Array, state: tuple[Array, ...]) -> tuple[Array, ...]:
        w, kept, mean, square, rate = state
        inverse = jnp.linalg.inv(s * eye - w * w)
        inside = jnp.all(inverse > -1e-6) & jnp.all(jnp.isfinite(inverse))
        gradient = mu * (covariance @ (w - eye) + penalty * jnp.sign(w)) + 2 * w * inverse.T
        gradient = gradient * (1 - eye)
        first, second = DECAY
        mean_, square_ = first * mean + (1 - first) * gradient, second * square + (1 - second) * gradient**2
        count = (t + 1).astype(w.dtype)
        move = mean_ / (1 - first**count) / (jnp.sqrt(square_ / (1 - second**count)) + 1e-8)
        ahead = w - rate * move
        rate = jnp.where(inside, rate, rate / 2)
        back = jnp.zeros_like(mean)
        return (
            jnp.where(inside, ahead, kept),
            jnp.where(inside, w, kept),
            jnp.where(inside, mean_, back),
            jnp.where(inside, square_, square),
            rate,
        )

    zero = jnp.zeros_like(w)
    return jax.lax.fori_loop(0, STEPS, step, (w, w, zero, zero, jnp.asarray(RATE, w.dtype)))[1]


def as_graph(weights: Float[np.ndarray, "d d"], threshold: float = 0.3) -> Bool[np.ndarray, "d d"]:
    """Return the edges whose weights pass a threshold, without the weakest of every cycle that is left."""
    found = np.abs(weights) > threshold
    while (cyclic := _in_cycles(found)).any():
        found[np.unravel_index(np.argmin(np.where(cyclic, np.abs(weights), np.inf)), found.shape)] = False
    return found


def edge_frequencies(weights: Float[np.ndarray, "b d d"], threshold: float = 0.3) -> Float[np.ndarray, "d d"]:
    """Return how often each edge is there over a batch of fits, such as bootstraps."""
    return np.mean([as_graph(np.asarray(one), threshold) for one in weights], axis=0)


def _in_cycles(edges: Bool[np.ndarray, "d d"]) -> Bool[np.ndarray, "d d"]:
    reach = np.eye(len(edges), dtype=bool) | edges
    for _ in range(int(np.ceil(np.log2(max(2, len(edges))))) + 1):
        reach = (reach.astype(int) @ reach.astype(int)) > 0
    return edges & reach.T
