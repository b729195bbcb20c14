"""An identification in sentences: what is open, what closes it, and what would mend a refusal."""

import dataclasses
import itertools
from collections.abc import Iterable

from symjax.causal.graphs import ADMG, Drawn
from symjax.causal.identify.adjustment import minimal_adjustment, minimal_adjustments, optimal_adjustment
from symjax.causal.identify.frontdoor import minimal_frontdoors
from symjax.causal.identify.general import Identification, identify
from symjax.causal.identify.instruments import Instrument, instruments

MOST = 5  # sets that are listed


@dataclasses.dataclass(frozen=True)
class Explanation:
    """What a graph says of an effect.

    Attributes:
        treatment: what is set.
        outcome: what is asked for.
        identification: the formula, or the hedge for which there is none.
        adjustment: the set to adjust for, the best one where it exists; None: no set will do.
        adjustments: a few minimal sets.
        frontdoors: a few front-door sets.
        instruments: a few instruments.
        sentences: all of it in words.
    """

    treatment: str
    outcome: str
    identification: Identification
    adjustment: frozenset[str] | None
    adjustments: tuple[frozenset[str], ...]
    frontdoors: tuple[frozenset[str], ...]
    instruments: tuple[Instrument, ...]
    sentences: tuple[str, ...]

    @property
    def is_identified(self) -> bool:
        """Whether there is a formula."""
        return self.identification.estimand is not None

    def __str__(self) -> str:
        return "\n".join(self.sentences)


def explain(graph: ADMG | Drawn, treatment: str, outcome: str, *, hidden: Iterable[str] = ()) -> Explanation:
    """Return what a graph says of the effect of one node on another.

    Args:
        graph: with the hidden nodes in it, or projected already; as it was read, with the marks on its nodes, too.
        treatment: what is set.
        outcome: what is asked for.
        hidden: nodes that nobody measured.

    Raises:
        ValueError: a name is no node, or the treatment or outcome is hidden or the same.
    """
    if isinstance(graph, Drawn):
        graph, hidden = graph.graph, (*graph.hidden, *hidden)
    hidden = frozenset(hidden)
    if lost := hidden & {treatment, outcome}:
        raise ValueError(f"{' and '.join(sorted(lost))} is hidden; a treatment and an outcome must be observed")
    seen = graph.project(hidden)
    found = identify(seen, treatment, outcome)
    best = optimal_adjustment(seen, treatment, outcome)
    best = minimal_adjustment(seen, treatment, outcome) if best is None else best
    sets = tuple(itertools.islice(minimal_adjustments(seen, treatment, outcome), MOST))
    fronts = tuple(itertools.islice(minimal_frontdoors(seen, treatment, outcome), MOST)) if best is None else ()
    moved = tuple(itertools.islice(instruments(seen, treatment, outcome), MOST))
    sentences = [*_confounding(seen, treatment, outcome, best)]
    if outcome not in seen.descendants(treatment):
        sentences = [f"No path of arrows leads from {treatment} to {outcome}: by this graph the effect is zero."]
    elif found.estimand is None:
        sentences += _refusal(graph, treatment, outcome, hidden, found)
    elif best is None:
        sentences += _without_adjustment(found, fronts, treatment, outcome)
    if moved and best is None:
        sentences.append(_instrument(moved[0], treatment, outcome))
    return Explanation(treatment, outcome, found, best, sets, fronts, moved, tuple(sentences))


def _confounding(graph: ADMG, treatment: str, outcome: str, best: frozenset[str] | None) -> list[str]:
    path = graph.cut(out_of=[treatment]).open_path([treatment], [outcome])
    if path is None:
        return [
            f"Nothing causes both {treatment} and {outcome}: their association is the effect."
            + (f" Adjusting for {_all(best)} makes its estimate more precise." if best else "")
        ]
    through = _through(path.nodes[1:-1], treatment, outcome)
    sentence = f"{treatment} and {outcome} are associated without an effect too, along {path}{through}."
    if best is None:
        return [sentence, "No set of measured columns closes all such paths."]
    return [sentence, f"Adjusting for {_all(best)} closes all such paths and leaves the effect."]


def _through(between: tuple[str, ...], treatment: str, outcome: str) -> str:
    return "" if between else f", a hidden common cause of {treatment} and {outcome}"


def _without_adjustment(
    found: Identification, fronts: tuple[frozenset[str], ...], treatment: str, outcome: str
) -> list[str]:
    told = f"P({outcome} | do({treatment})) = {found.estimand}."
    if fronts:
        return [f"Yet the whole effect goes through {_all(fronts[0])}, which hidden causes miss (front door): {told}"]
    return [f"Yet the effect is identified by a longer formula: {told}"]


def _refusal(graph: ADMG, treatment: str, outcome: str, hidden: frozenset[str], found: Identification) -> list[str]:
    """Return which hidden causes prevent identification, and what would mend it."""
    assert found.hedge is not None
    seen, held = graph.project(hidden), found.hedge.forest
    edges = [edge for edge in sorted(seen.bidirected) if held.issuperset(edge)]
    touching = [edge for edge in edges if treatment in edge] or edges
    named = "; ".join(f"{a} <-> {b}" for a, b in touching)
    sentences = [f"The effect is not identified: data cannot tell it from what hidden common causes do ({named})."]
    if measured := _measurements(graph, treatment, outcome, hidden):
        sentences.append(f"Measuring {measured} would identify it.")
    if experiment := _experiments(seen, treatment, outcome):
        sentences.append(f"An experiment that sets {experiment} at random would identify it too.")
    sentences.append(f"So would one that sets {treatment} at random; without either, only bounds can be given.")
    return sentences


def _measurements(graph: ADMG, treatment: str, outcome: str, hidden: frozenset[str]) -> str:
    """Return a hidden cause whose measurement alone identifies the effect, or nothing."""
    for name in sorted(hidden):
        if identify(graph.project(hidden - {name}), treatment, outcome).estimand is not None:
            return name
    for a, b in sorted(graph.bidirected):
        cause = f"what causes both {a} and {b}"
        more = ADMG.of([*graph.directed, (cause, a), (cause, b)], graph.bidirected - {(a, b)}, [*graph.nodes, cause])
        if identify(more.project(hidden), treatment, outcome).estimand is not None:
            return cause
    return ""


def _experiments(graph: ADMG, treatment: str, outcome: str) -> str:
    """Return a node whose randomisation identifies the effect of another treatment (Bareinboim and Pearl 2012)."""
    for name in graph.nodes:
        if name in (treatment, outcome) or outcome in graph.cut(into=[treatment]).descendants(name):
            continue
        if identify(graph.cut(into=[name]), treatment, outcome).estimand is not None:
            return name
    return ""


def _instrument(found: Instrument, treatment: str, outcome: str) -> str:
    given = f" among units of equal {_all(found.given)}" if found.given else ""
    return (
        f"{found.name} is an instrument{given}: it moves {treatment} and {outcome} by nothing else. It gives the "
        "effect on those whom it moves, where it moves nobody the other way, or on all where effects are equal."
    )


def _all(names: Iterable[str]) -> str:
    *before, last = sorted(names) or ["nothing"]
    return f"{', '.join(before)} and {last}" if before else last
