"""Identification of any effect from a graph with hidden causes: the complete algorithms ID and IDC.

By c-factors (Tian and Pearl 2002; Shpitser and Pearl 2006): the district of a node is what its hidden causes join, and
Q[S] is the probability of the nodes S were all others set by hand. A refusal names the hedge that causes it.
"""

import functools
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from symjax.causal.graphs import ADMG
from symjax.causal.identify.estimand import Estimand, P, factors_of, fraction, product, summed


class Hedge(NamedTuple):
    """Why an effect is not identified: two sets that hidden causes hold together, one with treatments and one without.

    Attributes:
        forest: joined by hidden causes, all of it causes of `inner` within itself, with a treatment among them.
        inner: a part of it, joined by hidden causes, without a treatment, that the outcome depends on.
    """

    forest: frozenset[str]
    inner: frozenset[str]


class Identification(NamedTuple):
    """A formula for P(outcome | do(treatment), given), or the hedge for which there is none."""

    estimand: Estimand | None
    hedge: Hedge | None


class _RefusedError(Exception):
    def __init__(self, hedge: Hedge):
        super().__init__(hedge)
        self.hedge = hedge


class _Factors(NamedTuple):
    """Q of a set as a product of one conditional a node, each summing to one over it, in an order of causes first."""

    order: tuple[str, ...]
    of: Mapping[str, Estimand]


def identify(
    graph: ADMG, treatment: str | Iterable[str], outcome: str | Iterable[str], given: str | Iterable[str] = ()
) -> Identification:
    """Return whether the probability of the outcome under an intervention follows from what is observed, and how.

    Args:
        graph: over observed nodes; project hidden ones first.
        treatment: what is set.
        outcome: what is asked for.
        given: what else is known of the units.

    Raises:
        ValueError: a name is no node, there is no treatment or outcome, or a node has two roles.
    """
    x, y, z = _names(graph, treatment), _names(graph, outcome), _names(graph, given)
    if not x or not y:
        raise ValueError("expected a treatment and an outcome; name at least one node for each")
    if twice := (x & y) | (x & z) | (y & z):
        raise ValueError(f"{', '.join(sorted(twice))} cannot be two of treatment, outcome and given; choose one")
    try:
        return Identification(_conditional(graph, x, y, z), None)
    except _RefusedError as refused:
        return Identification(None, refused.hedge)


def _conditional(graph: ADMG, x: frozenset[str], y: frozenset[str], z: frozenset[str]) -> Estimand:
    """Return IDC: what is given becomes a treatment where setting it and seeing it are the same."""
    for name in sorted(z):
        if graph.cut(into=x, out_of=[name]).separated(y, [name], x | z - {name}):
            return _conditional(graph, x | {name}, y, z - {name})
    effect = _effect(graph, x, y | z)
    return fraction(effect, summed(y, [effect])) if z else effect


def _effect(graph: ADMG, x: frozenset[str], y: frozenset[str]) -> Estimand:
    graph = graph.subgraph(graph.ancestors(*y))
    rest = graph.subgraph(frozenset(graph.nodes) - x)
    causes = rest.ancestors(*(y - x))
    order = graph.order()
    factors = [
        _identified(graph, part, _of_district(graph, graph.district(min(part)), order))
        for part in rest.subgraph(causes).districts()
    ]
    return summed(causes - y, [factor for found in factors for factor in factors_of(found)])


def _of_district(graph: ADMG, district: frozenset[str], order: tuple[str, ...]) -> _Factors:
    """Return P(v | those before it), of which only its district there and that district's parents matter."""
    own = tuple(v for v in order if v in district)

    @functools.cache
    def conditional(v: str) -> Estimand:
        before = graph.subgraph(order[: order.index(v) + 1])
        joined = before.district(v)
        return P(frozenset([v]), (joined | before.parents(*joined)) - {v})

    return _Factors(own, {v: conditional(v) for v in own})


def _identified(graph: ADMG, wanted: frozenset[str], factors: _Factors) -> Estimand:
    """Return Q[wanted] from the Q of a district that holds it."""
    whole = frozenset(factors.order)
    inside = graph.subgraph(whole)
    causes = inside.ancestors(*wanted)
    if causes == whole != wanted:
        raise _RefusedError(Hedge(whole, wanted))
    if causes != whole:
        factors = _without(factors, whole - causes)
    if causes == wanted:
        return product(factors.of[v] for v in factors.order)
    district = graph.subgraph(causes).district(min(wanted))
    own = tuple(v for v in factors.order if v in district)
    return _identified(graph, wanted, _Factors(own, {v: factors.of[v] for v in own}))


def _without(factors: _Factors, gone: frozenset[str]) -> _Factors:
    """Return the Q of the nodes that are left when nodes without effects on them are summed out."""
    left = tuple(v for v in factors.order if v not in gone)
    ahead = [_summed_out(factors, gone | set(left[k:])) for k in range(len(left) + 1)]
    return _Factors(left, {v: fraction(ahead[k + 1], ahead[k]) for k, v in enumerate(left)})


def _summed_out(factors: _Factors, gone: frozenset[str]) -> Estimand:
    """Return the sum of Q over some of its nodes; a conditional that nothing else depends on sums to one."""
    left, kept = set(gone), dict(factors.of)
    while found := next((v for v in left if not any(v in f.free for w, f in kept.items() if w != v)), None):
        left.remove(found)
        del kept[found]
    return summed(left, [kept[v] for v in factors.order if v in kept])


def _names(graph: ADMG, names: str | Iterable[str]) -> frozenset[str]:
    chosen = frozenset([names] if isinstance(names, str) else names)
    graph.ancestors(*chosen)  # refuses a name that is no node
    return chosen
