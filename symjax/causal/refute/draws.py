"""Tables of random rows, weights and noise, made on the host: an array a refuter, all of it fixed by the key.

`jax.random.permutation` takes 3 ms for 5000 rows on a CPU; numpy's generator takes 0.1 and needs no compilation.
"""

from collections.abc import Callable

import jax
import numpy as np
from jaxtyping import Array, Float, Int, Key

FEW = 20  # different values of a treatment up to which it has arms


def generator(key: Key[Array, ""]) -> np.random.Generator:
    """Return a generator on the host that the key alone fixes."""
    return np.random.default_rng(np.asarray(jax.random.key_data(key)).ravel())


def permutations(rng: np.random.Generator, size: int, n: int) -> Int[np.ndarray, "size n"]:
    """Return random orders of n rows."""
    return rng.permuted(np.broadcast_to(np.arange(n, dtype=np.int32), (size, n)), axis=1)


def arms(treatment: np.ndarray) -> list[Int[np.ndarray, " rows"]]:
    """Return the rows of each arm; all rows as one where the treatment takes many values."""
    values, inverse = np.unique(treatment, return_inverse=True)
    if len(values) > FEW:
        return [np.arange(len(treatment))]
    return [np.flatnonzero(inverse == k) for k in range(len(values))]


def subsets(
    key: Key[Array, ""], treatment: np.ndarray, share: float, clusters: np.ndarray | None = None
) -> Callable[[int], Float[np.ndarray, "size n"]]:
    """Return what draws weights: 1 for the same share of each arm, at least one row of it, and 0 for the others.

    Where there are clusters, whole ones are drawn.
    """

    def draw(rng: np.random.Generator, size: int, n: int) -> np.ndarray:
        kept = np.zeros(n)
        kept[: max(1, round(share * n))] = 1
        return rng.permuted(np.broadcast_to(kept, (size, n)), axis=1)

    return _by_arm(key, treatment, clusters, draw)


def resamples(
    key: Key[Array, ""], treatment: np.ndarray, clusters: np.ndarray | None = None
) -> Callable[[int], Float[np.ndarray, "size n"]]:
    """Return what draws how often each row comes, with replacement, as many rows of each arm as there are.

    Where there are clusters, whole ones are drawn.
    """

    def draw(rng: np.random.Generator, size: int, n: int) -> np.ndarray:
        drawn = rng.integers(n, size=(size, n)) + n * np.arange(size)[:, None]
        return np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)

    return _by_arm(key, treatment, clusters, draw)


def _by_arm(
    key: Key[Array, ""], treatment: np.ndarray, clusters: np.ndarray | None, draw: Callable[..., np.ndarray]
) -> Callable[[int], np.ndarray]:
    """Each arm has a generator of its own, so that the draws are the same whatever the size of chunks.

    Clusters have an arm where all of their rows have one.
    """
    if clusters is not None:
        levels, first, numbers = np.unique(clusters, return_index=True, return_inverse=True)
        whole = np.array_equal(treatment[first][numbers], treatment)
        drawn = _by_arm(key, treatment[first] if whole else np.zeros(len(levels)), None, draw)
        return lambda size: drawn(size)[:, numbers]
    parts = arms(treatment)
    generators = generator(key).spawn(len(parts))

    def weights(size: int) -> np.ndarray:
        found = np.empty((size, len(treatment)))
        for rows, rng in zip(parts, generators, strict=True):
            found[:, rows] = draw(rng, size, len(rows))
        return found

    return weights
