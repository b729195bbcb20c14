"""EconML's bootstrap of linear DML; the recipe for its environment is in `benchmarks.causal.dml`."""

import sys
from typing import Any

import numpy as np

from benchmarks.timing import Work, serve_once

ROWS, COVARIATES, FOLDS = 5000, 10, 2


def make_table() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return outcome, binary treatment and covariates; the effect is 1.5 on average and differs between units."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, COVARIATES))
    treatment = (rng.random(ROWS) < 1 / (1 + np.exp(0.4 * x[:, 2] - 0.6 * x[:, 0]))).astype(float)
    effect = 1 + x[:, 0] / 2 + (x[:, 1] > 0)
    noise = rng.normal(size=ROWS)
    return x[:, 0] + np.sin(2 * x[:, 2]) + x[:, 3] * x[:, 4] / 2 + effect * treatment + noise, treatment, x


def make(draws: int) -> Work:
    """Return the work: one effect with so many bootstrap samples, every nuisance fitted again."""
    import warnings

    from econml.dml import LinearDML
    from econml.inference import BootstrapInference
    from sklearn.linear_model import LinearRegression

    warnings.simplefilter("ignore")
    outcome, treatment, x = make_table()

    def solve() -> Any:
        model = LinearDML(model_y=LinearRegression(), model_t=LinearRegression(), cv=FOLDS, random_state=0)
        inference = BootstrapInference(draws, n_jobs=1)
        model.fit(outcome, treatment, X=None, W=x, inference=inference, cache_values=False)
        return float(model.intercept_), model.intercept__inference().stderr

    return Work(
        solve, lambda: None, lambda r: {"draws": draws, "estimate": r[0], "error": float(np.asarray(r[1]).squeeze())}
    )


if __name__ == "__main__":
    serve_once(lambda: make(int(sys.argv[1])), "econml", "scikit-learn", "numpy")
