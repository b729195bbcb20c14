"""From a graph, or a list of columns, to what is estimated and how: the identification of a question."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal

from symjax.causal.graphs import ADMG, nearest, read_graph
from symjax.causal.identify import Explanation, explain, instruments, why_no_adjustment
from symjax.data import Table

Way = Literal["adjustment", "frontdoor", "instrument", "formula", "none"]


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is estimated.

    Attributes:
        treatment: the column that is set.
        outcome: the column that is asked for.
        way: how the effect is identified; "none" where it is not.
        covariates: columns to adjust for.
        mediators: of a front door.
        instrument: where there is one.
        explanation: by the graph, where there is one.
        graph: as drawn, with its hidden nodes.
        hidden: these.
        sentences: what is assumed and what follows.
    """

    treatment: str
    outcome: str
    way: Way
    covariates: tuple[str, ...]
    sentences: tuple[str, ...]
    mediators: tuple[str, ...] = ()
    instrument: str | None = None
    explanation: Explanation | None = None
    graph: ADMG | None = None
    hidden: tuple[str, ...] = ()

    @property
    def others(self) -> tuple[str, ...]:
        """Columns that are needed besides, of a front door or of a formula."""
        if self.way != "formula":
            return self.mediators
        assert self.explanation is not None
        estimand = self.explanation.identification.estimand
        assert estimand is not None
        return tuple(sorted(estimand.mentioned - {self.treatment, self.outcome}))


def make_plan(
    table: Table,
    treatment: str | None,
    outcome: str | None,
    *,
    graph: Any = None,
    hidden: Sequence[str] = (),
    adjust: Sequence[str] | None = None,
    instrument: str | None = None,
) -> Plan:
    """Return how the effect follows from what is assumed.

    Args:
        table: whose columns are measured.
        treatment: None: as the graph marks it.
        outcome: likewise.
        graph: anything that `read_graph` reads.
        hidden: nodes that are no columns.
        adjust: columns instead of a graph, none for an experiment; beside one, it is checked.
        instrument: a column.

    Raises:
        ValueError: there is neither graph nor adjustment nor instrument; nodes are hidden without a graph, or are
            neither columns nor hidden; the named set or instrument is none by the graph.
    """
    if graph is None:
        if treatment is None or outcome is None:
            raise ValueError("expected a treatment and an outcome; name two columns (--treatment, --outcome)")
        if hidden:
            raise ValueError(f"hidden nodes ({', '.join(hidden)}) belong to a graph; draw one (--graph), or name none")
        return _assumed(treatment, outcome, adjust, instrument)
    drawn = read_graph(graph)
    treatment = treatment or _marked(drawn.treatment, "treatment")
    outcome = outcome or _marked(drawn.outcome, "outcome")
    unseen = tuple(dict.fromkeys([*drawn.hidden, *hidden]))
    _require_nodes(table, drawn.graph, unseen, treatment, outcome)
    told = explain(drawn.graph, treatment, outcome, hidden=unseen)
    plan = Plan(treatment, outcome, "none", (), told.sentences, explanation=told, graph=drawn.graph, hidden=unseen)
    if outcome not in drawn.graph.descendants(treatment):
        raise ValueError(
            f"no path of arrows leads from {treatment} to {outcome}: by this graph the effect is zero; draw the arrows "
            "that you ask about"
        )
    seen = drawn.graph.project(unseen)
    if instrument is not None:
        return _by_instrument(plan, seen, instrument)
    if adjust is not None:
        return _by_named_set(plan, seen, frozenset(adjust))
    if told.adjustment is not None:
        return dataclasses.replace(plan, way="adjustment", covariates=_in_order(seen, told.adjustment))
    if told.frontdoors:
        return dataclasses.replace(plan, way="frontdoor", mediators=_in_order(seen, told.frontdoors[0]))
    if told.is_identified:
        return dataclasses.replace(plan, way="formula")
    if told.instruments:
        return _by_instrument(plan, seen, told.instruments[0].name)
    return plan


def _assumed(treatment: str, outcome: str, adjust: Sequence[str] | None, instrument: str | None) -> Plan:
    """Return the plan of somebody who draws no graph."""
    if adjust is None and instrument is None:
        raise ValueError(
            "expected what is assumed: a graph (--graph FILE), the columns to adjust for (--adjust a b), none for an "
            "experiment (--adjust none), or an instrument (--instrument Z)"
        )
    named = ", ".join(adjust or ()) or "nothing"
    if instrument is not None:
        among = f" among units of equal {named}" if adjust else ""
        sentence = (
            f"Assumed, not checked: {instrument} moves {outcome} by {treatment} alone, and nothing causes both it and "
            f"{outcome}{among}."
        )
        return Plan(treatment, outcome, "instrument", tuple(adjust or ()), (sentence,), instrument=instrument)
    if not adjust:
        sentence = f"Assumed, not checked: nothing causes both {treatment} and {outcome}, as in an experiment."
        return Plan(treatment, outcome, "adjustment", (), (sentence,))
    sentences = (
        f"Assumed, not checked: among units of equal {named}, nothing causes both {treatment} and {outcome}.",
        f"Nothing measured after {treatment} belongs among {named}: what it changes would take part of its effect "
        "away, or open a path that carries none. A graph (--graph) lets this be checked.",
    )
    return Plan(treatment, outcome, "adjustment", tuple(adjust), sentences)


def _marked(names: tuple[str, ...], role: str) -> str:
    if len(names) != 1:
        raise ValueError(f"expected one {role}, and the graph marks {', '.join(names) or 'none'}; name it (--{role})")
    return names[0]


def _require_nodes(table: Table, graph: ADMG, hidden: Sequence[str], treatment: str, outcome: str) -> None:
    for name, role in ((treatment, "treatment"), (outcome, "outcome"), *((h, "hidden node") for h in hidden)):
        if name not in graph.nodes:
            raise ValueError(f"the {role} {name!r} is no node of the graph{_offer(name, graph.nodes)}")
    for name in graph.nodes:
        if name not in hidden and name not in table.columns:
            raise ValueError(
                f"node {name!r} of the graph is neither a column of {table.name} nor declared hidden"
                f"{_offer(name, table.columns)}; or declare it (--hidden {name})"
            )


def _offer(name: str, known: Sequence[str] | Any) -> str:
    choice = f"choose among {', '.join(known)}"
    return f"; {nearest(name, known, choice)}"


def _by_named_set(plan: Plan, seen: ADMG, chosen: frozenset[str]) -> Plan:
    named = ", ".join(sorted(chosen)) or "nothing"
    if stray := sorted(chosen - set(seen.nodes)):
        raise ValueError(f"{stray[0]!r}, to be adjusted for, is no measured node{_offer(stray[0], seen.nodes)}")
    if reason := why_no_adjustment(seen, plan.treatment, plan.outcome, chosen):
        best = None if plan.explanation is None else plan.explanation.adjustment
        remedy = "no set of columns will do" if best is None else f"take {', '.join(sorted(best)) or 'none'}"
        raise ValueError(f"adjusting for {named} does not do: {reason} By this graph {remedy}")
    kept = (*plan.sentences[:1], f"Adjusting for {named}, as asked, closes all such paths.")
    return dataclasses.replace(plan, way="adjustment", covariates=_in_order(seen, chosen), sentences=kept)


def _by_instrument(plan: Plan, seen: ADMG, name: str) -> Plan:
    found = [found for found in instruments(seen, plan.treatment, plan.outcome) if found.name == name]
    if not found:
        raise ValueError(
            f"{name!r} is no instrument by this graph: expected what moves {plan.treatment}, and {plan.outcome} by "
            "nothing else"
        )
    given = _in_order(seen, found[0].given)
    return dataclasses.replace(plan, way="instrument", covariates=given, instrument=name)


def _in_order(graph: ADMG, names: frozenset[str]) -> tuple[str, ...]:
    return tuple(name for name in graph.nodes if name in names)
