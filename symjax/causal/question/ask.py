"""`causal.effect`: a table and a question to an answer with its assumptions, its error and its limits."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from symjax.causal import refute
from symjax.causal.estimate import empirical, linear_dr_learner
from symjax.causal.identify import Bounds, instrument_bounds, manski_bounds
from symjax.causal.question import estimates
from symjax.causal.question.answer import Answer, Units
from symjax.causal.question.columns import Study, encode, read_study
from symjax.causal.question.estimates import Estimated
from symjax.causal.question.formula import by_formula
from symjax.causal.question.plan import Plan, make_plan
from symjax.data import Table, as_table

_ALONE = {"frontdoor": "a front door", "instrument": "one instrument"}


def effect(
    frame: Any,
    *,
    treatment: str | None = None,
    outcome: str | None = None,
    graph: Any = None,
    hidden: Sequence[str] = (),
    adjust: Sequence[str] | None = None,
    instrument: str | None = None,
    modifiers: Sequence[str] = (),
    cluster: str | None = None,
    control: str | None = None,
    arms: bool = False,
    drop_missing: bool = False,
    draws: int = 100,
    seed: int = 0,
) -> Answer:
    """Return the effect of a treatment on an outcome, as far as a table and what is assumed tell it.

    Args:
        frame: a data frame of pandas, polars or pyarrow, or a `Table`.
        treatment: the column that is set: two values or text are arms, other numbers a dose.
        outcome: the column that is asked for.
        graph: the causes as drawn, in any form that `causal.graphs.read_graph` reads.
        hidden: nodes of the graph that are no columns.
        adjust: instead of a graph, the columns that make units comparable; none in an experiment.
        instrument: a column that moves the treatment, and the outcome by nothing else.
        modifiers: columns by which the effect may differ between units.
        cluster: of units that are not independent.
        control: the arm that others are compared with.
        arms: the numbers of the treatment are arms, not a dose.
        drop_missing: leave out rows with missing values.
        draws: simulations of each refuter.
        seed: of folds and simulations; it alone fixes the answer.

    Raises:
        ValueError: what is asked for cannot be answered from such a table; the sentence says why.
    """
    table = frame if isinstance(frame, Table) else as_table(frame)
    plan = make_plan(table, treatment, outcome, graph=graph, hidden=hidden, adjust=adjust, instrument=instrument)
    study = read_study(
        table,
        plan.treatment,
        plan.outcome,
        covariates=plan.covariates,
        others=plan.others,
        instrument=plan.instrument,
        modifiers=modifiers,
        cluster=cluster,
        control=control,
        arms=arms,
        drop_missing=drop_missing,
    )
    if plan.way in ("frontdoor", "instrument") and study.kind == "arms":
        raise ValueError(
            f"{table.name}: {plan.treatment} has {len(study.arms)} arms, and {_ALONE[plan.way]} tells one contrast: "
            "keep the rows of two arms, or give the arms numbers that make a dose"
        )
    with jax.enable_x64(True):
        return _answer(table, plan, study, draws, seed)


def _answer(table: Table, plan: Plan, study: Study, draws: int, seed: int) -> Answer:
    if plan.way == "none":
        return Answer(plan, study, tuple(estimates.association(study)), bounds=_bounds(study, None))
    if plan.way == "formula":
        return Answer(plan, study, tuple(by_formula(table, plan, study, draws, seed)))
    if plan.way == "frontdoor":
        mediators, _ = encode(table, plan.mediators, study.rows)
        return Answer(plan, study, tuple(estimates.by_frontdoor(study, mediators)))
    if plan.way == "instrument":
        rows, strength = estimates.by_instrument(study)
        refutations, _ = _refute(study, rows, draws, seed)
        return Answer(
            plan,
            study,
            tuple(rows),
            refutations=refutations,
            bounds=_bounds(study, study.instrument),
            facts={"first_stage_f": strength},
        )
    in_arms = study.kind != "dose"
    nuisances = estimates.nuisances_of(study, seed) if in_arms and study.names else None
    if nuisances is not None and not bool(nuisances.facts["converged"]):
        raise ValueError(_separated(table, plan, study))
    rows = estimates.by_adjustment(study, nuisances, seed)
    overlap = None
    if nuisances is not None:
        chances = np.asarray(nuisances.propensity)
        labels = [f"{plan.treatment} = {arm}" for arm in study.arms]
        overlap = refute.measure_overlap(study.treatment, chances, study.covariates, names=study.names, labels=labels)
    refutations, hidden = _refute(study, rows, draws, seed)
    return Answer(
        plan,
        study,
        tuple(rows),
        overlap,
        refutations,
        _sensitivity(study),
        hidden,
        _units(study, nuisances),
        estimates.by_dose(study, seed) if study.kind == "dose" else None,
    )


def _refute(
    study: Study, rows: Sequence[Estimated], draws: int, seed: int
) -> tuple[tuple[refute.Refutation, ...], refute.Refutation | None]:
    """Return what changed data give, and what simulated hidden causes leave; several arms are too many for one number.

    Each strength of a hidden cause has a twentieth of the draws. With an instrument, nothing is hidden.
    """
    if study.kind == "arms" or not draws:
        return (), None
    x = np.asarray(estimates.standardised(study.covariates))
    sample = refute.Sample(study.outcome, study.treatment, x, None, study.instrument, study.clusters)
    estimate, keys = estimates.refutable(study, seed), jax.random.split(jax.random.key(seed), 6)
    main = next(row for row in rows if row.main)
    found = (
        refute.placebo(estimate, sample, keys[0], draws=draws),
        refute.dummy_outcome(estimate, sample, keys[1], draws=draws),
        refute.random_common_cause(estimate, sample, keys[2], draws=draws, error=main.error),
        refute.subset(estimate, sample, keys[3], draws=draws, error=main.error),
        refute.bootstrap(estimate, sample, keys[4], draws=draws, error=main.error),
    )
    if study.instrument is not None:
        return found, None
    few = max(2, draws // 20)
    return found, refute.hidden_causes(estimate, sample, keys[5], draws=few, value=main.value)


def _sensitivity(study: Study) -> refute.Sensitivity | None:
    if study.kind == "arms":
        return None
    covariates = {name: study.covariates[:, k] for k, name in enumerate(study.names)}
    return refute.linear_sensitivity(study.outcome, study.treatment, covariates, times=(1,))


def _units(study: Study, nuisances: Any) -> Units | None:
    """Return the effects on units by modifiers, or by what is adjusted for where none is named."""
    if study.kind != "binary" or nuisances is None:
        return None
    named = study.modifier_names if study.modifiers.shape[1] else study.names
    columns = jnp.asarray(study.modifiers if study.modifiers.shape[1] else study.covariates)
    clusters = None if study.clusters is None else jnp.asarray(study.clusters)
    arm = jnp.asarray(study.treatment.astype(int))
    fit = jax.jit(linear_dr_learner)(jnp.asarray(study.outcome), arm, columns, nuisances, clusters=clusters)
    told = zip(named, np.asarray(fit.coefficients)[1:], np.sqrt(np.diagonal(fit.covariance))[1:], strict=True)
    coefficients = {name: (float(b), float(error)) for name, b, error in told}
    value, low, high = map(np.asarray, fit.predict(columns))
    return Units(value, low, high, coefficients if study.modifiers.shape[1] else {})


def _bounds(study: Study, instrument: np.ndarray | None) -> Bounds | None:
    """Return bounds from the range of the outcomes seen, or by a binary instrument of a binary outcome."""
    if study.kind != "binary":
        return None
    y, t = study.outcome, study.treatment
    two = instrument is not None and set(np.unique(instrument)) == {0, 1} and set(np.unique(y)) == {0, 1}
    if instrument is not None:
        if not two:
            return None
        shares = empirical({"z": instrument.astype(int), "t": t.astype(int), "y": y.astype(int)}).values
        try:
            return instrument_bounds(shares / shares.sum(axis=(1, 2), keepdims=True))
        except ValueError:
            return None
    means = float(y[t == 0].mean()), float(y[t == 1].mean())
    return manski_bounds(means, (float((t == 0).mean()), float((t == 1).mean())), (float(y.min()), float(y.max())))


def _separated(table: Table, plan: Plan, study: Study) -> str:
    """Return which column tells the arms apart."""
    control = study.treatment == 0
    for k, name in enumerate(study.names):
        a, b = study.covariates[control, k], study.covariates[~control, k]
        if a.max() < b.min() or b.max() < a.min():
            return (
                f"{table.name}: {name} alone tells who has {plan.treatment}; no unit of one arm is like any of the "
                "other, so that no effect can be learnt: leave it out if nothing else depends on it"
            )
    return (
        f"{table.name}: {', '.join(study.names)} together tell who has {plan.treatment} (perfect separation); no unit "
        "of one arm is like any of the other: adjust for fewer columns, or find more rows"
    )
