"""32 linear DAGMA fits, d = 20, n = 1000: four graphs, four penalties, data and a bootstrap, beside dagma's.

    python -m venv ~/peers/causal && ~/peers/causal/bin/pip install dagma==1.1.1
    python -m benchmarks.causal.discover --peer-python ~/peers/causal/bin/python

Each side is a fresh process on one core and one thread, one after the other; data are those of both. The peer fits one,
and its time is multiplied by 32. "cold" is the first call with all that it compiles, without imports. Distances are
those of the four graphs at the first penalty, without bootstraps.

CPU seconds on a guest with two cores of an AMD EPYC at a load of 7, 2026-11-29. ER1: the peer 1.17 for one, ours 5.6
cold and 3.4 warm for 32, so 6.7 times less with compilation; distances 0, 0, 0, 0. ER2: 1.52, 6.3 and 3.6, 7.7 times
less; distances 0, 2, 0, 0. An earlier run at a load of 11 had 8.1 and 7.1. Ours is float32, the peer's float64.
"""

import sys
from typing import Any

import numpy as np

from benchmarks.causal.script import run
from benchmarks.peers.dagma_linear import GRAPHS, PENALTIES, distance, make_tables
from benchmarks.timing import Work, beside, once

FITS = 2 * GRAPHS * len(PENALTIES)


def make_ours(density: int) -> Work:
    """Return the work of our side."""
    import jax
    import jax.numpy as jnp

    from symjax.causal.discover import as_graph, bootstrap_covariances, dagma_linear

    edges, tables = zip(*make_tables(density), strict=True)
    data, penalties = jnp.asarray(np.stack(tables), jnp.float32), jnp.asarray(PENALTIES)

    @jax.jit
    def fits(key: jax.Array) -> jax.Array:
        drawn = jax.vmap(lambda k, x: bootstrap_covariances(k, x, 1)[0])(jax.random.split(key, GRAPHS), data)
        covariances = jnp.stack([jax.vmap(lambda x: jnp.cov(x.T, bias=True))(data), drawn])
        by_penalty = jax.vmap(dagma_linear, (None, 0))
        return jax.vmap(jax.vmap(by_penalty, (0, None)), (0, None))(covariances, penalties)

    def describe(weights: jax.Array) -> dict[str, Any]:
        found = [as_graph(np.asarray(w)) for w in weights[0, :, 0]]
        return {"fits": FITS, "distances": [distance(*pair) for pair in zip(found, edges, strict=True)]}

    return Work(lambda: jax.block_until_ready(fits(jax.random.key(0))), lambda: None, describe)


def rows(peer_python: str) -> list[dict[str, Any]]:
    """Return one row for each density: both sides and how many times faster ours is."""
    found = []
    for density in (1, 2):
        peer = once([peer_python, "-m", "benchmarks.peers.dagma_linear", str(density)])
        ours = once([sys.executable, "-m", "benchmarks.causal.discover", "--serve", str(density)])
        found.append(beside(f"{FITS} DAGMA fits, ER{density}", ours, peer, FITS))
    return found


if __name__ == "__main__":
    run(__doc__, "dagma", rows, lambda density: make_ours(int(density)), "jax", "numpy")
