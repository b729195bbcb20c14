"""dagma's linear fits; the recipe for its environment is in `benchmarks.causal.discover`."""

import sys
from typing import Any

import numpy as np

from benchmarks.timing import Work, serve_once

ROWS, VARIABLES, GRAPHS, PENALTIES = 1000, 20, 4, (0.02, 0.03, 0.04, 0.05)


def make_tables(density: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return (edges, rows) of random linear models, so many edges a variable, weights of .5 to 2."""
    found, d = [], VARIABLES
    for seed in range(GRAPHS):
        rng = np.random.default_rng(seed)
        edges = np.triu(rng.random((d, d)) < 2 * density / (d - 1), 1)[np.ix_(order := rng.permutation(d), order)]
        weights = edges * rng.uniform(0.5, 2, (d, d)) * rng.choice([-1, 1], (d, d))
        found.append((edges, rng.standard_normal((ROWS, d)) @ np.linalg.inv(np.eye(d) - weights)))
    return found


def distance(found: np.ndarray, true: np.ndarray) -> int:
    """Return missing, extra and reversed edges, each counted once."""
    return int(np.triu((found != true) | (found != true).T).sum())


def make(density: int) -> Work:
    """Return the work: one fit, of the first graph with the first penalty."""
    from dagma.linear import DagmaLinear

    edges, rows = make_tables(density)[0]

    def solve() -> Any:
        return DagmaLinear(loss_type="l2").fit(rows, lambda1=PENALTIES[0])

    return Work(solve, lambda: None, lambda w: {"fits": 1, "distances": [distance(w != 0, edges)]})


if __name__ == "__main__":
    serve_once(lambda: make(int(sys.argv[1])), "dagma", "numpy")
