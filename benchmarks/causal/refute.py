"""Refuters, 1000 simulations each, n = 5000, 10 covariates, beside DoWhy's.

    python -m venv ~/peers/causal && ~/peers/causal/bin/pip install dowhy==0.14
    python -m benchmarks.causal.refute --peer-python ~/peers/causal/bin/python

Each side is a fresh process on one core and one thread, the two by turns; the data are those of both. The time is that
of the refuter with all that it compiles, without imports. DoWhy runs 50 simulations, and its time is multiplied by 20.
Ours compile nothing: they are matrix products. Estimators are those of both: a linear regression, and a doubly robust
estimate, where DoWhy's placebos keep the propensities of the data and ours fit them again.
"""

import sys
from typing import Any

from benchmarks.causal.script import run
from benchmarks.peers.dowhy_refute import REFUTERS, make_table
from benchmarks.timing import Work, beside, once

DRAWS, PEER_DRAWS = 1000, 50
ESTIMATORS = {"linear_regression": "regression", "doubly_robust": "doubly_robust"}  # DoWhy's names, and ours


def make_ours(refuter: str, estimator: str) -> Work:
    """Return the work of our side."""
    import jax
    import numpy as np

    from symjax.causal import refute

    outcome, treatment, covariates = make_table()
    sample = refute.Sample(outcome, treatment.astype(int), covariates)

    def solve() -> Any:
        return getattr(refute, refuter)(getattr(refute, ESTIMATORS[estimator]), sample, jax.random.key(0), draws=DRAWS)

    def describe(result: Any) -> dict[str, float]:
        return {"simulations": DRAWS, "estimate": result.estimate, "mean": float(np.mean(result.simulated))}

    return Work(solve, lambda: None, describe)


def rows(peer_python: str) -> list[dict[str, Any]]:
    """Return one row for each refuter and estimator: both sides and how many times faster ours is."""
    found = []
    for refuter in REFUTERS:
        for estimator in ESTIMATORS:
            peer = once([peer_python, "-m", "benchmarks.peers.dowhy_refute", refuter, str(PEER_DRAWS), estimator])
            ours = once([sys.executable, "-m", "benchmarks.causal.refute", "--serve", refuter, estimator])
            found.append(beside(f"{refuter}, {estimator}", ours, peer, DRAWS / PEER_DRAWS))
    return found


if __name__ == "__main__":
    run(__doc__, "DoWhy", rows, make_ours, "jax", "numpy")
