"""Effects with what each unit contributes to their error: standard errors, intervals, resampling by weights."""

from collections.abc import Callable, Mapping
from functools import partial
from statistics import NormalDist
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

NO_FACTS: Mapping[str, Array] = {}


class Effect(NamedTuple):
    """An estimate.

    Attributes:
        value: of one effect, or of several.
        influence: psi of each unit, so that the error of the value is near the weighted mean of psi.
        facts: what a reader should know: "converged", "clipped", "first_stage_f" and the like.
    """

    value: Float[Array, "..."]
    influence: Float[Array, "n ..."]
    facts: Mapping[str, Array] = NO_FACTS


def standard_error(
    effect: Effect, weights: Float[Array, " n"] | None = None, clusters: Int[Array, " n"] | None = None
) -> Float[Array, "..."]:
    """Return the root of sum_g (sum_{i in g} w_i psi_i)^2 / (sum_i w_i)^2, over clusters g or single units.

    Units of one cluster may depend on each other as they like; clusters are independent. With G clusters the sum is
    multiplied by G / (G - 1), and without them by n / (n - 1), n being the number of units of positive weight.

    Args:
        effect: with its influences.
        weights: of the units; None: ones.
        clusters: the number of each unit's cluster, less than n.
    """
    n = effect.influence.shape[0]
    w = jnp.ones(n, effect.influence.dtype) if weights is None else weights
    parts = w.reshape(-1, *[1] * (effect.influence.ndim - 1)) * effect.influence
    there = w > 0
    if clusters is not None:
        parts = jax.ops.segment_sum(parts, clusters, n)
        there = jax.ops.segment_sum(w, clusters, n) > 0
    count = jnp.sum(there).astype(w.dtype)
    return jnp.sqrt(count / jnp.maximum(count - 1, 1) * jnp.sum(parts**2, axis=0)) / jnp.sum(w)


def interval(
    effect: Effect,
    weights: Float[Array, " n"] | None = None,
    clusters: Int[Array, " n"] | None = None,
    *,
    level: float = 0.95,
) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """Return the ends of a normal interval of `level` around the effect itself, an average where it is one."""
    reach = NormalDist().inv_cdf(0.5 + level / 2) * standard_error(effect, weights, clusters)
    return effect.value - reach, effect.value + reach


def influences(
    scores: Callable[[Float[Array, " k"]], Float[Array, "n k"]], root: Float[Array, " k"], weights: Float[Array, " n"]
) -> Float[Array, "n k"]:
    """Return what each unit contributes to the error of the numbers at which the weighted mean scores vanish.

    It is -(d mean score / d theta)^-1 score; errors of what is estimated first are passed on to what builds on it, if
    all stand in one vector (Stefanski and Boos 2002).

    Args:
        scores: of each unit, by the numbers.
        root: the numbers.
        weights: of the units.
    """
    slope = jax.jacfwd(lambda theta: weights @ scores(theta) / jnp.sum(weights))(root)
    return -scores(root) @ jnp.linalg.pinv(slope).T


@partial(jax.jit, static_argnames="folds")
def folds_by_arm(key: Key[Array, ""], arm: Int[Array, " n"], folds: int) -> Int[Array, " n"]:
    """Return a fold for each unit, random, with the units of every arm spread evenly over the folds.

    Args:
        key: of the order in which units are dealt out.
        arm: of each unit; zeros for a dose.
        folds: how many.
    """
    order = jnp.lexsort((jax.random.uniform(key, arm.shape), arm))
    return jnp.zeros(len(arm), int).at[order].set(jnp.arange(len(arm)) % folds)


def bootstrap_weights(key: Key[Array, ""], arm: Int[Array, " n"], draws: int) -> Float[Array, "draws n"]:
    """Return how often each unit is drawn in each bootstrap sample, with replacement within its arm.

    Every sample has as many units of each arm as the data have.

    Args:
        key: of the draws.
        arm: of each unit; zeros for a dose.
        draws: how many samples.
    """
    n = len(arm)
    order = jnp.argsort(arm)
    counts = jnp.bincount(arm, length=n)
    start = jnp.cumsum(counts) - counts

    def draw(key: Array) -> Array:
        place = start[arm] + jnp.floor(jax.random.uniform(key, (n,)) * counts[arm].astype(float)).astype(int)
        return jnp.zeros(n).at[order[place]].add(1.0)

    chunk = min(draws, 64)
    keys = jax.random.split(key, -(-draws // chunk) * chunk)  # whole chunks: one program, not two
    return jax.lax.map(draw, keys, batch_size=chunk)[:draws]
