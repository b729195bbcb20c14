"""dowhy.gcm's refits and counterfactuals; the recipe for its environment is in `benchmarks.causal.scm`."""

import sys
from typing import Any

import numpy as np

from benchmarks.timing import Work, serve_once

VARIABLES, ROWS, UNITS = 20, 2000, 1000
NAMES = [f"V{k}" for k in range(VARIABLES)]


def make_model() -> tuple[np.ndarray, np.ndarray]:
    """Return data [n, d] of a linear model in the order of its columns, and its weights [d, d] by effect and cause."""
    rng = np.random.default_rng(0)
    weights = np.tril(rng.normal(size=(VARIABLES, VARIABLES)) * (rng.random((VARIABLES, VARIABLES)) < 0.2), -1)
    weights[-1, 0] = 1.0
    noise = rng.normal(size=(ROWS, VARIABLES))
    return np.linalg.solve(np.eye(VARIABLES) - weights, noise.T).T, weights


def make(work: str, resamples: int) -> Work:
    """Return the work: refits with an average effect each, or counterfactuals of 1000 units under one intervention."""
    import networkx as nx
    import pandas as pd
    from dowhy import gcm

    gcm.config.disable_progress_bars()
    data, weights = make_model()
    frame = pd.DataFrame(data, columns=NAMES)
    graph = nx.DiGraph([(NAMES[j], NAMES[k]) for k, j in zip(*np.nonzero(weights), strict=True)])
    graph.add_nodes_from(NAMES)
    model = gcm.InvertibleStructuralCausalModel(graph)
    for name in NAMES:
        causes = list(graph.predecessors(name))
        own = gcm.AdditiveNoiseModel(gcm.ml.create_linear_regressor()) if causes else gcm.EmpiricalDistribution()
        model.set_causal_mechanism(name, own)
    gcm.fit(model, frame)

    def refits() -> Any:
        arms = {
            "interventions_alternative": {NAMES[0]: lambda x: 1.0},
            "interventions_reference": {NAMES[0]: lambda x: 0.0},
        }
        effect = gcm.fit_and_compute(
            gcm.average_causal_effect, model, frame, target_node=NAMES[-1], num_samples_to_draw=1000, **arms
        )
        return float(np.mean([effect() for _ in range(resamples)]))

    def units() -> Any:
        found = gcm.counterfactual_samples(model, {NAMES[0]: lambda x: 1.0}, observed_data=frame[:UNITS])
        return float(found[NAMES[-1]].mean())

    return Work({"refits": refits, "units": units}[work], lambda: None, lambda r: {"value": r})


if __name__ == "__main__":
    serve_once(lambda: make(sys.argv[1], int(sys.argv[2])), "dowhy", "networkx")
