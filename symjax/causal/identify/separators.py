"""Sets that separate two sets of nodes: minimal ones are minimal cuts of vertices in the moral graph of causes."""

import collections
from collections.abc import Iterable, Iterator

from symjax.causal.graphs import ADMG

Neighbours = dict[str, set[str]]


def nearest_separator(
    graph: ADMG, x: frozenset[str], y: frozenset[str], include: frozenset[str], allowed: frozenset[str]
) -> frozenset[str] | None:
    """Return the minimal separator nearest to x that holds `include`, all within `allowed`, in linear time."""
    moral = _moral(graph, x | y | include)
    cut = _near(moral, x, y, include, allowed)
    if cut is None:
        return None
    return include | (_near(moral, y, x, include, cut) or frozenset())  # of the cut, what the other side reaches


def minimal_separators(
    graph: ADMG, x: frozenset[str], y: frozenset[str], include: frozenset[str], allowed: frozenset[str]
) -> Iterator[frozenset[str]]:
    """Yield all minimal separators that hold `include`, within `allowed` (Berry et al. 1999 between two given ends).

    From each separator the next ones arise by giving one of its members to the side of x. Those that are not allowed
    are never cut: their neighbours count as joined.
    """
    moral = _moral(graph, x | y | include)
    free = (frozenset(moral) & allowed) - include

    def close(side: frozenset[str]) -> frozenset[str] | None:
        cut = _near(moral, side, y, include, free)
        return None if cut is None else _near(moral, y, side, include, cut)

    first = close(x)
    waiting, seen = collections.deque([] if first is None else [first]), {first}
    while waiting:
        cut = waiting.popleft()
        yield cut | include
        side = _reach(moral, x, cut | include)
        for name in sorted(cut):
            after = close(side | {name})
            if after is not None and after not in seen:
                seen.add(after)
                waiting.append(after)


def _moral(graph: ADMG, nodes: Iterable[str]) -> Neighbours:
    """Return the undirected graph of nodes and their causes: joined are neighbours, and all that meet in a district."""
    causes = graph.subgraph(graph.ancestors(*nodes))
    neighbours: Neighbours = {v: set() for v in causes.nodes}
    for district in causes.districts():
        joined = district | causes.parents(*district)
        for v in joined:
            neighbours[v] |= joined - {v}
    return neighbours


def _reach(neighbours: Neighbours, start: frozenset[str], closed: Iterable[str]) -> frozenset[str]:
    """Return what is connected to `start` without passing `closed`."""
    shut, found = frozenset(closed), set(start)
    waiting = collections.deque(start)
    while waiting:
        new = neighbours[waiting.popleft()] - found - shut
        found |= new
        waiting.extend(new)
    return frozenset(found)


def _near(
    neighbours: Neighbours, x: frozenset[str], y: frozenset[str], include: frozenset[str], free: frozenset[str]
) -> frozenset[str] | None:
    """Return the free nodes next to what x reaches without passing any free node; None: it reaches y."""
    side = _reach(neighbours, x, (free | include) - x)
    if side & y:
        return None
    border = frozenset().union(*(neighbours[v] for v in side)) if side else frozenset()
    return (border & free) - side
