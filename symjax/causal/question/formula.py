"""An effect by the formula of its identification, evaluated on the shares of a table."""

import numpy as np
from jaxtyping import Float, Int

from symjax.causal.estimate import codes, empirical, plugin_effect
from symjax.causal.question.columns import Study
from symjax.causal.question.estimates import NORMAL, Estimated, association
from symjax.causal.question.plan import Plan
from symjax.data import Table


def by_formula(table: Table, plan: Plan, study: Study, draws: int, seed: int) -> list[Estimated]:
    """Return the rows of an effect by its formula, with standard errors from resampled rows.

    Raises:
        ValueError: a column has too many values to count.
    """
    assert plan.explanation is not None
    estimand = plan.explanation.identification.estimand
    assert estimand is not None
    columns = {name: _coded(table, name, study.rows) for name in plan.others}
    outcomes, levels = _counted(plan.outcome, study.outcome)
    arms, doses = _counted(plan.treatment, study.treatment)
    columns |= {plan.treatment: arms, plan.outcome: outcomes}

    def contrasts(weights: np.ndarray | None) -> Float[np.ndarray, " a"]:
        means = plugin_effect(estimand, empirical(columns, weights), plan.treatment, plan.outcome, levels)
        return means[1:] - means[0]

    rng, value = np.random.default_rng(seed), contrasts(None)
    samples = rng.multinomial(len(study), np.full(len(study), 1 / len(study)), size=max(draws, 2)).astype(float)
    error = np.array([contrasts(weights) for weights in samples]).std(axis=0, ddof=1)
    first, *others = study.arms or [f"{dose:g}" for dose in doses]
    return [
        *association(study),
        *(
            Estimated(
                "formula, plugged in", f"{arm} - {first}", v, e, v - NORMAL * e, v + NORMAL * e, "bootstrap", True
            )
            for arm, v, e in zip(others, value.tolist(), error.tolist(), strict=True)
        ),
    ]


def _coded(table: Table, name: str, rows: np.ndarray) -> Int[np.ndarray, " n"]:
    column = table[name]
    if column.kind == "number":
        return _counted(name, table.numbers(name, rows))[0]
    return np.unique(column.values[rows].astype(str), return_inverse=True)[1]


def _counted(name: str, values: np.ndarray) -> tuple[Int[np.ndarray, " n"], np.ndarray]:
    try:
        return codes(values)
    except ValueError as error:
        raise ValueError(f"{name!r} stands in a formula of shares: {error}") from error
