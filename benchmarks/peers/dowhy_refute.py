"""DoWhy's refuters of a regression or a doubly robust estimate; the recipe is in `benchmarks.causal.refute`."""

import sys
from typing import Any

import numpy as np

from benchmarks.timing import Work, serve_once

ROWS, COVARIATES = 5000, 10
REFUTERS = {
    "placebo": {"method_name": "placebo_treatment_refuter", "placebo_type": "permute"},
    "random_common_cause": {"method_name": "random_common_cause"},
    "subset": {"method_name": "data_subset_refuter", "subset_fraction": 0.8},
    "bootstrap": {"method_name": "bootstrap_refuter"},
}


def make_table() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return outcome, binary treatment and covariates; the effect is 1.5."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, COVARIATES))
    treatment = (rng.random(ROWS) < 1 / (1 + np.exp(-x[:, 0]))).astype(float)
    return 1.5 * treatment + x @ np.linspace(1, 0, COVARIATES) + rng.normal(size=ROWS), treatment, x


def make(refuter: str, draws: int, estimator: str) -> Work:
    """Return the work: so many simulations of one refuter."""
    import warnings

    import dowhy
    import pandas as pd

    warnings.simplefilter("ignore")
    outcome, treatment, x = make_table()
    names = [f"x{k}" for k in range(COVARIATES)]
    frame = pd.DataFrame({"y": outcome, "t": treatment} | dict(zip(names, x.T, strict=True)))
    model = dowhy.CausalModel(frame, treatment="t", outcome="y", common_causes=names)
    estimand = model.identify_effect(proceed_when_unidentifiable=True)
    estimate = model.estimate_effect(estimand, method_name=f"backdoor.{estimator}")

    def solve() -> Any:
        return model.refute_estimate(estimand, estimate, num_simulations=draws, random_state=0, **REFUTERS[refuter])

    return Work(solve, lambda: None, lambda r: {"simulations": draws, "estimate": estimate.value, "mean": r.new_effect})


if __name__ == "__main__":
    serve_once(lambda: make(sys.argv[1], int(sys.argv[2]), sys.argv[3]), "dowhy", "pandas", "statsmodels")
