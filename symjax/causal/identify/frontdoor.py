"""Front-door sets (Pearl 1995): they carry the whole effect, and hidden causes of treatment and outcome miss them."""

from collections.abc import Iterator

from symjax.causal.graphs import ADMG


def minimal_frontdoors(
    graph: ADMG, treatment: str, outcome: str, *, forbidden: frozenset[str] = frozenset()
) -> Iterator[frozenset[str]]:
    """Yield the front-door sets of which no part is one, as many as are asked for.

    A set meets every causal path from the treatment; no back-door path leads from the treatment to it; and the
    treatment blocks all back-door paths from it to the outcome. The sets that meet the last two conditions are closed
    under union, so that the largest within any nodes is found by deletion: whether some nodes hold a front-door set is
    then one question, monotone in the nodes, and no subsets are tried one by one.

    Args:
        graph: over observed nodes.
        treatment: one.
        outcome: one.
        forbidden: nodes that must not be in it.
    """
    apart = graph.cut(out_of=[treatment])
    able = frozenset(
        v for v in graph.descendants(treatment) - {treatment, outcome} - forbidden if apart.separated([treatment], [v])
    )
    waiting, seen, told = [able], {able}, set()
    while waiting:
        nodes = waiting.pop()
        if not _holds_one(graph, treatment, outcome, nodes):
            continue
        least = _largest(graph, treatment, outcome, nodes)
        for name in sorted(least):
            if _holds_one(graph, treatment, outcome, least - {name}):
                least = _largest(graph, treatment, outcome, least - {name})
        if least and least not in told:
            told.add(least)
            yield least
        fewer = {nodes - {name} for name in least} - seen
        seen |= fewer
        waiting.extend(sorted(fewer, key=sorted))


def _largest(graph: ADMG, treatment: str, outcome: str, nodes: frozenset[str]) -> frozenset[str]:
    """Return the largest part whose back-door paths to the outcome the treatment blocks."""
    while nodes:
        cut = graph.cut(out_of=nodes)
        good = frozenset(v for v in nodes if cut.separated([v], [outcome], [treatment]))
        if good == nodes:
            break
        nodes = good
    return nodes


def _holds_one(graph: ADMG, treatment: str, outcome: str, nodes: frozenset[str]) -> bool:
    largest = _largest(graph, treatment, outcome, nodes)
    missed = graph.cut(into=largest).descendants(treatment)  # reached without entering the set
    return bool(largest) and outcome not in missed
