"""Did job training raise earnings? The experiment of LaLonde (1986), and what is left of its answer without it.

    pip install 'symjax[data]' && python -m experiments.causal_lalonde

"experiment": 185 trained men and 260 drawn into the control group (Dehejia and Wahba 1999). "CPS": the same trained men
beside 15,992 of a survey whom nobody drew. Dollars of 1978 a year, for the trained; 95 % intervals. 12 seconds of
CPU, most of them compilation, on a guest with two cores of an AMD EPYC, 2026-11-29, key 0 for the folds.

                                            experiment                         CPS
    difference in means               1794 [481, 3108]        -8498 [-9638, -7357]
    least squares                     1676 [363, 2989]            699 [-509, 1907]
    g-formula                         1788 [476, 3100]            690 [-527, 1906]
    weighting                         1806 [486, 3127]           1130 [-130, 2390]
    doubly robust                     1667 [304, 3031]             1326 [56, 2597]

The experiment shows what is true, so that the second column can be marked: the survey's men earn more anyway, the bare
difference has the wrong sign, and adjustment closes most of the gap, not all. Intervals count the chance of sampling;
none holds what adjustment left out, and no number of the second column says so by itself. Nine in ten of the survey's
men have a propensity below .01, and weighting makes 417 of its 15,992.
Published: 1794 with a standard error of 633 in the experiment (Dehejia and Wahba 1999), and -8498 against the survey.
With the square of age least squares gives 1675.86. Squared as it comes, a column of eight bits, it overflows: 1683.35.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from symjax.causal import estimate
from symjax.causal.estimate import Effect

COVARIATES = ["age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75"]
METHODS = ["difference in means", "least squares", "g-formula", "weighting", "doubly robust"]
LEAST = 1e-4  # of propensities: most of the survey is below .01


def table(controls: str) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Return earnings, arms and standardised covariates, with controls of the "experiment" or of the "CPS"."""
    from causaldata import cps_mixtape, nsw_mixtape

    drawn, survey = (pd.DataFrame(source.load_pandas().data) for source in (nsw_mixtape, cps_mixtape))
    columns = ["re78", "treat", *COVARIATES]
    rows = drawn[columns].to_numpy(float)
    if controls == "CPS":
        rows = np.concatenate([rows[rows[:, 1] == 1], survey[columns].to_numpy(float)])
    x = rows[:, 2:]
    return jnp.asarray(rows[:, 0]), jnp.asarray(rows[:, 1].astype(int)), jnp.asarray((x - x.mean(0)) / x.std(0))


@jax.jit
def estimates(earnings: jax.Array, arm: jax.Array, x: jax.Array) -> dict[str, Effect]:
    """Return the effect on the trained by several methods."""
    folds = estimate.folds_by_arm(jax.random.key(0), arm, 5)
    return {
        "difference in means": estimate.difference_in_means(earnings, arm),
        "least squares": estimate.regression_effect(earnings, arm[:, None].astype(float), x),
        "g-formula": estimate.gformula(earnings, arm, x, population="att"),
        "weighting": estimate.ipw(earnings, arm, x, population="att", least=LEAST),
        "doubly robust": estimate.aipw(earnings, arm, x, population="att", folds=folds, least=LEAST),
    }


def main() -> dict[str, dict[str, Effect]]:
    """Print and return the estimates against both control groups."""
    jax.config.update("jax_enable_x64", True)
    found = {controls: estimates(*table(controls)) for controls in ("experiment", "CPS")}
    print(f"{'':22}{'experiment':>28}{'CPS':>28}")
    for name in METHODS:
        print(f"{name:22}" + "".join(f"{_written(effects[name]):>28}" for effects in found.values()))
    return found


def _written(effect: Effect) -> str:
    low, high = estimate.interval(effect)
    return f"{float(effect.value):.0f} [{float(low):.0f}, {float(high):.0f}]"


if __name__ == "__main__":
    main()
