"""Whose effect is larger? Learners of effects that differ between units, on tables whose effects are known.

    python -m experiments.cate

The effect is 1 + x_0 / 2 + 1{x_1 > 0}; 5000 units of ten columns, 1000 others to predict. Root of the mean squared
error of their effects (root PEHE), and seconds with compilation. No learner is told the shape of anything: widths,
orders and penalties are chosen by cross-validation. Seed 0, key 0, two cores under other load, 2026-11-29.

    S       0.479     8.2 s
    T       0.703     2.4 s
    X       0.350     4.9 s
    DR      0.237     6.5 s
    R       0.238    21.3 s

A constant errs by .71: what regresses outcomes of single arms (S, T, X) is far behind what regresses scores (DR, R).
"""

import time

import jax
import jax.numpy as jnp
import numpy as np

from symjax.causal import estimate

LEARNERS = {
    "S": estimate.s_learner,
    "T": estimate.t_learner,
    "X": estimate.x_learner,
    "DR": estimate.dr_learner,
    "R": estimate.r_learner,
}


def table(units: int, seed: int, columns: int = 10) -> tuple[np.ndarray, ...]:
    """Return covariates, arms, outcomes and the effects of units."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(units, columns))
    arm = rng.binomial(1, 1 / (1 + np.exp(0.4 * x[:, 2] - 0.6 * x[:, 0])))
    effect = 1 + 0.5 * x[:, 0] + (x[:, 1] > 0)
    known = x[:, 0] + np.sin(2 * x[:, 2]) + 0.5 * x[:, 3] * x[:, 4]
    return x, arm, known + effect * arm + rng.normal(size=units), effect


def main(units: int = 5000, learners: tuple[str, ...] = tuple(LEARNERS)) -> dict[str, float]:
    """Print and return the root PEHE of each learner."""
    jax.config.update("jax_enable_x64", True)
    x, arm, y, _ = (jnp.asarray(a) for a in table(units, seed=0))
    others, _, _, effect = table(1000, seed=1)
    found = {}
    for name in learners:
        start = time.perf_counter()
        predicted = np.asarray(jax.jit(LEARNERS[name])(jax.random.key(0), y, arm, x, jnp.asarray(others)))
        found[name] = float(np.sqrt(np.mean((predicted - effect) ** 2)))
        print(f"{name:4}{found[name]:8.3f}{time.perf_counter() - start:8.1f} s")
    return found


if __name__ == "__main__":
    main()
