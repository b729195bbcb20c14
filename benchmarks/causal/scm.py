"""Linear structural models of 20 variables: refits with an average effect, and counterfactuals, beside dowhy.gcm's.

    python -m venv ~/peers/causal && ~/peers/causal/bin/pip install dowhy==0.14
    python -m benchmarks.causal.scm --peer-python ~/peers/causal/bin/python

Each side is a fresh process on one core and one thread; data (2000 rows) and graph are those of both. "refits": 200
bootstraps, each a model fitted and the effect of V0 on V19 in it; the peer makes 20, and its time is multiplied by 10.
"units": 100,000 units under 16 interventions; the peer has 1000 and one, and its time is multiplied by 1600. Times are
those of the first call with all that it compiles, without imports ("cold"), and of further ones ("warm").

Our effect in a refit is that of units without noise, exact of a linear model; the peer averages 1000 draws.

CPU seconds on a guest with two cores of an AMD EPYC at a load of 19, 2026-11-29. Refits: the peer .737 for 20, ours
.682 cold and .056 warm for 200, so 10.8 times less with compilation. Units: the peer .0202, ours .913 cold and .343
warm, so 35 times less a unit and intervention. Ours is float32, the peer's float64.
"""

import sys
from typing import Any

import numpy as np

from benchmarks.causal.script import run
from benchmarks.peers.dowhy_gcm import NAMES, ROWS, UNITS, make_model
from benchmarks.timing import Work, beside, once

REFITS, PEER_REFITS, MANY, INTERVENTIONS, CHUNK = 200, 20, 100_000, 16, 1000
SCALE = {"refits": REFITS / PEER_REFITS, "units": MANY / UNITS * INTERVENTIONS}


def make_ours(work: str) -> Work:
    """Return the work of our side."""
    import jax
    import jax.numpy as jnp

    from symjax.causal.graphs import ADMG
    from symjax.causal.refute.draws import resamples
    from symjax.causal.scm import SCM, counterfactual, fit_linear, predict, sample

    table, weights = make_model()
    graph = ADMG.of([(NAMES[j], NAMES[k]) for k, j in zip(*np.nonzero(weights), strict=True)], nodes=NAMES)
    data, key = jnp.asarray(table, jnp.float32), jax.random.key(0)

    def effect(model: SCM) -> jax.Array:
        still = jnp.zeros((2, len(NAMES)), data.dtype)
        return jnp.subtract(*predict(model, still, model.do({NAMES[0]: jnp.array([1.0, 0.0])}))[:, -1])

    @jax.jit
    def refits(counts: jax.Array) -> jax.Array:
        return jax.vmap(lambda w: effect(fit_linear(graph, data, w)))(counts).mean()

    @jax.jit
    def units(model: SCM, factual: jax.Array, values: jax.Array) -> jax.Array:
        def chunk(some: jax.Array) -> jax.Array:
            return jax.vmap(lambda v: counterfactual(model, some, model.do({NAMES[0]: v})))(values)

        return jax.lax.map(chunk, factual.reshape(-1, CHUNK, len(NAMES)))

    def draw() -> np.ndarray:
        return resamples(key, np.zeros(ROWS))(REFITS).astype(np.float32)

    model = fit_linear(graph, data)
    factual = jax.block_until_ready(sample(model, key, MANY))
    values = jnp.linspace(1.0, 3.0, INTERVENTIONS)
    solve = {"refits": lambda: refits(draw()), "units": lambda: units(model, factual, values)}[work]
    return Work(
        lambda: jax.block_until_ready(solve()),
        lambda: None,
        lambda r: {"value": float(r if r.ndim == 0 else r[:, 0, :, -1].mean())},
    )


def rows(peer_python: str) -> list[dict[str, Any]]:
    """Return one row for each work: both sides and how many times faster ours is."""
    found = []
    for work, scale in SCALE.items():
        peer = once([peer_python, "-m", "benchmarks.peers.dowhy_gcm", work, str(PEER_REFITS)])
        ours = once([sys.executable, "-m", "benchmarks.causal.scm", "--serve", work])
        found.append(beside(f"structural model, {work}", ours, peer, scale))
    return found


if __name__ == "__main__":
    run(__doc__, "DoWhy", rows, make_ours, "jax", "numpy")
