"""Instruments: they move the treatment and the outcome by nothing else (Pearl 2009, definition 7.4.1)."""

from collections.abc import Iterator
from typing import NamedTuple

from symjax.causal.graphs import ADMG
from symjax.causal.identify.separators import minimal_separators


class Instrument(NamedTuple):
    """A node that is an instrument where some others are given."""

    name: str
    given: frozenset[str]


def instruments(
    graph: ADMG, treatment: str, outcome: str, *, forbidden: frozenset[str] = frozenset()
) -> Iterator[Instrument]:
    """Yield instruments Z with each minimal set S that makes them one; surrogates of a cause of the treatment too.

    S holds no effect of the treatment; given S, Z tells of the treatment, and nothing of the outcome once the arrows
    into the treatment are cut.

    Args:
        graph: over observed nodes, so that no hidden one is offered.
        treatment: one.
        outcome: one.
        forbidden: nodes that are neither instruments nor given.
    """
    cut = graph.cut(out_of=[treatment])
    behind = graph.descendants(treatment) | {outcome}
    allowed = frozenset(graph.nodes) - behind - forbidden
    if outcome not in graph.descendants(treatment):
        return
    for name in graph.nodes:
        if name not in allowed:
            continue
        for given in minimal_separators(cut, frozenset([name]), frozenset([outcome]), frozenset(), allowed - {name}):
            if not graph.separated([name], [treatment], given):
                yield Instrument(name, given)
