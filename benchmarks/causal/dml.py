"""Bootstraps of linear double machine learning, n = 5000, 10 covariates, two folds, beside EconML's.

    python -m venv ~/peers/causal && ~/peers/causal/bin/pip install econml==0.17.0
    python -m benchmarks.causal.dml --peer-python ~/peers/causal/bin/python

Each side is a fresh process on one core and one thread, one after the other; data, folds' number and nuisances (least
squares of outcome and treatment, one constant effect) are those of both. "cold" is the first call with all that it
compiles, without imports; "warm" the median of further ones. EconML has 100 samples, and its time is multiplied for
1000. Ours fits every nuisance again as well: all follow from one product of weights and moments a sample, in a refuter
("products") without a compiler, or by an estimator under `jit` ("compiled").

CPU seconds on a guest with two cores of an AMD EPYC at a load of 17, 2026-11-29: EconML 1.42 cold for 100; products .39
cold and .029 warm for 100, .56 and .144 for 1000; compiled 2.35 and .023, 2.48 and .222. So 25 times less at 1000 with
all that is compiled, and 5.7 times under `jit`.
"""

import sys
from typing import Any

from benchmarks.causal.script import run
from benchmarks.peers.econml_dml import FOLDS, make_table
from benchmarks.timing import Work, beside, once

PEER_DRAWS = 100


def make_ours(way: str, draws: int) -> Work:
    """Return the work of our side, a jitted estimator or the refuter."""
    return {"compiled": make_compiled, "products": make_products}[way](draws)


def make_products(draws: int) -> Work:
    """Return the work by the refuter, which compiles nothing."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    from symjax.causal import estimate, refute

    outcome, treatment, covariates = make_table()
    arm, key = treatment.astype(int), jax.random.key(0)

    def solve() -> Any:
        folds = np.asarray(estimate.folds_by_arm(key, jnp.asarray(arm), FOLDS))
        return refute.bootstrap(
            refute.PartiallyLinear(folds), refute.Sample(outcome, arm, covariates), key, draws=draws
        )

    return Work(
        solve, lambda: None, lambda r: {"draws": draws, "estimate": r.estimate, "error": float(np.std(r.simulated))}
    )


def make_compiled(draws: int) -> Work:
    """Return the work by an estimator under `jit`, mapped over weights."""
    import jax
    import jax.numpy as jnp

    from symjax.causal import estimate

    jax.config.update("jax_enable_x64", True)
    table = tuple(jnp.asarray(part) for part in make_table())

    @jax.jit
    def bootstrap(
        key: jax.Array, outcome: jax.Array, treatment: jax.Array, covariates: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        arm = treatment.astype(int)
        folds = estimate.folds_by_arm(key, arm, FOLDS)

        def one(weights: jax.Array) -> jax.Array:
            return estimate.partially_linear(outcome, treatment, covariates, weights, folds=folds, count=FOLDS).value

        weights = estimate.bootstrap_weights(key, arm, draws).at[0].set(1)  # the first sample is the data
        values = jax.lax.map(one, weights, batch_size=min(draws, 50))
        return values[0], jnp.std(values[1:])

    def solve() -> Any:
        return jax.block_until_ready(bootstrap(jax.random.key(0), *table))

    return Work(solve, lambda: None, lambda r: {"draws": draws, "estimate": float(r[0]), "error": float(r[1])})


def rows(peer_python: str) -> list[dict[str, Any]]:
    """Return one row for 100 and one for 1000 samples: both sides and how many times faster ours is."""
    found, peer = [], once([peer_python, "-m", "benchmarks.peers.econml_dml", str(PEER_DRAWS)])
    for draws in (100, 1000):
        for way in ("products", "compiled"):
            ours = once([sys.executable, "-m", "benchmarks.causal.dml", "--serve", way, str(draws)])
            found.append(beside(f"linear DML, {draws} bootstraps, {way}", ours, peer, draws / PEER_DRAWS))
    return found


if __name__ == "__main__":
    run(__doc__, "EconML", rows, lambda way, draws: make_ours(way, int(draws)), "jax", "numpy")
