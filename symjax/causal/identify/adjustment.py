"""Sets of covariates that close every path but the causal ones: one in linear time, all minimal ones lazily, the best.

The criterion is complete (Shpitser et al. 2010; Perkovic et al. 2018): no member lies on or behind a causal path, and
the set separates treatment and outcome once the first arrows of causal paths are gone. Pearl's back-door criterion asks
more: no effect of the treatment at all, and all arrows out of it gone.
"""

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from symjax.causal.graphs import ADMG, Path
from symjax.causal.identify.separators import minimal_separators, nearest_separator

Criterion = Literal["adjustment", "backdoor"]


class Rules(NamedTuple):
    """What a set must separate, and what it must not hold.

    Attributes:
        graph: without the arrows of causal paths.
        forbidden: nodes that no set may hold, treatments and outcomes among them.
    """

    graph: ADMG
    forbidden: frozenset[str]


def causal_nodes(graph: ADMG, treatment: Iterable[str], outcome: Iterable[str]) -> frozenset[str]:
    """Return the nodes, treatments aside, on causal paths to an outcome that meet no second treatment."""
    x, y = frozenset(treatment), frozenset(outcome)
    behind = graph.cut(into=x).descendants(*x) - x
    return behind & graph.cut(out_of=x).ancestors(*y)


def adjustment_rules(graph: ADMG, treatment: Iterable[str], outcome: Iterable[str], criterion: Criterion) -> Rules:
    """Return what the criterion asks of a set."""
    x, y = frozenset(treatment), frozenset(outcome)
    if criterion == "backdoor":
        return Rules(graph.cut(out_of=x), graph.descendants(*x) | y)
    on_path = causal_nodes(graph, x, y)
    first = {(a, b) for a, b in graph.directed if a in x and b in on_path}
    left = ADMG(graph.nodes, graph.directed - first, graph.bidirected)
    return Rules(left, (graph.descendants(*on_path) if on_path else frozenset()) | x | y)


def minimal_adjustment(
    graph: ADMG,
    treatment: str | Iterable[str],
    outcome: str | Iterable[str],
    *,
    include: Iterable[str] = (),
    forbidden: Iterable[str] = (),
    criterion: Criterion = "adjustment",
) -> frozenset[str] | None:
    """Return the minimal set nearest to the outcome, in linear time; None: there is none.

    Args:
        graph: over observed nodes; project hidden ones first, or forbid them.
        treatment: one or more.
        outcome: one or more.
        include: nodes that must be in it, needed or not.
        forbidden: nodes that must not.
        criterion: "adjustment" or "backdoor".
    """
    x, y, rules = _asked(graph, treatment, outcome, criterion)
    allowed = frozenset(graph.nodes) - rules.forbidden - frozenset(forbidden)
    if not frozenset(include) <= allowed:
        return None
    return nearest_separator(rules.graph, y, x, frozenset(include), allowed)


def minimal_adjustments(
    graph: ADMG,
    treatment: str | Iterable[str],
    outcome: str | Iterable[str],
    *,
    include: Iterable[str] = (),
    forbidden: Iterable[str] = (),
    criterion: Criterion = "adjustment",
) -> Iterator[frozenset[str]]:
    """Yield every minimal set, each after a polynomial time; arguments as of `minimal_adjustment`."""
    x, y, rules = _asked(graph, treatment, outcome, criterion)
    allowed = frozenset(graph.nodes) - rules.forbidden - frozenset(forbidden)
    if frozenset(include) <= allowed:
        yield from minimal_separators(rules.graph, x, y, frozenset(include), allowed)


def optimal_adjustment(graph: ADMG, treatment: str, outcome: str) -> frozenset[str] | None:
    """Return the set whose estimates have the least variance, pa(cn) - forb (Henckel et al. 2022).

    cn are the nodes of causal paths. With hidden causes a best set need not exist: then, and where the formula gives no
    valid set, the result is None; take `minimal_adjustment`, which is nearest to the outcome.
    """
    x, y, rules = _asked(graph, treatment, outcome, "adjustment")
    on_path = causal_nodes(graph, x, y)
    if not on_path:
        return minimal_adjustment(graph, treatment, outcome)
    district = frozenset().union(*(graph.subgraph(frozenset(graph.nodes) - x).district(v) for v in on_path))
    best = (district | graph.parents(*district)) - rules.forbidden
    best &= rules.graph.ancestors(*x, *y)
    return best if rules.graph.separated(x, y, best) else None


def why_no_adjustment(
    graph: ADMG, treatment: str | Iterable[str], outcome: str | Iterable[str], chosen: Iterable[str]
) -> str | None:
    """Return in a sentence why a set does not do; None: it does."""
    x, y, rules = _asked(graph, treatment, outcome, "adjustment")
    chosen = frozenset(chosen)
    on_path = causal_nodes(graph, x, y)
    for name in sorted(chosen & rules.forbidden):
        if name in x | y:
            return f"{name} is the {'treatment' if name in x else 'outcome'} itself."
        if name in on_path:
            return f"{name} is on a causal path from {_all(x)} to {_all(y)}; adjusting for it takes the effect away."
        cause = min(v for v in on_path if name in graph.descendants(v))
        return (
            f"{name} is an effect of {cause}, which the treatment acts through; adjusting for it distorts the effect."
        )
    path = rules.graph.open_path(x, y, chosen)
    if path is None:
        return None
    opened = frozenset().union(*(rules.graph.descendants(v) & chosen for v in _colliders(path)))
    told = f", and adjusting for {_all(opened)} opened it" if opened else ""
    return f"The path {path} carries no effect of {_all(x)} and is open{told}."


def _colliders(path: Path) -> list[str]:
    """Return the nodes of a path at which two arrowheads meet."""
    return [
        node
        for before, node, after in zip(path.arrows, path.nodes[1:-1], path.arrows[1:], strict=False)
        if before.endswith(">") and after.startswith("<")
    ]


def _asked(
    graph: ADMG, treatment: str | Iterable[str], outcome: str | Iterable[str], criterion: Criterion
) -> tuple[frozenset[str], frozenset[str], Rules]:
    x = frozenset([treatment] if isinstance(treatment, str) else treatment)
    y = frozenset([outcome] if isinstance(outcome, str) else outcome)
    graph.ancestors(*x, *y)  # refuses a name that is no node
    return x, y, adjustment_rules(graph, x, y, criterion)


def _all(names: Iterable[str]) -> str:
    return " and ".join(sorted(names))
