"""How far a graph is from another one, edge by edge, and what data alone could tell of it."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool

Edges = Bool[np.ndarray, "d d"]


class Comparison(NamedTuple):
    """Differences of a found graph from the true one.

    Attributes:
        distance: the structural Hamming distance: missing, extra and reversed edges, each counted once.
        missing: true edges between nodes that the found graph does not join.
        extra: found edges between nodes that the true graph does not join.
        reversed: edges in the wrong direction, or without one where there is one, or with one where there is none.
        edges: how many were found; the empty graph has a distance too, the number of true edges.
    """

    distance: int
    missing: int
    extra: int
    reversed: int
    edges: int


def compare_graphs(found: Edges, true: Edges) -> Comparison:
    """Return how a graph differs from the true one; matrix[i, j] says that i causes j, both ways: either may.

    Give the `cpdag` of both where data cannot tell graphs apart that imply the same independencies.
    """
    joined, truly = found | found.T, true | true.T
    differs = (found != true) | (found != true).T
    counts = (_pairs(part) for part in (truly & ~joined, joined & ~truly, joined & truly & differs))
    missing, extra, turned = counts
    return Comparison(missing + extra + turned, missing, extra, turned, _pairs(joined))


def skeleton_f1(found: Edges, true: Edges) -> float:
    """Return 2 common / (found + true) of the pairs that are joined, whatever the direction; 1 where both are empty."""
    joined, truly = found | found.T, true | true.T
    both = _pairs(joined) + _pairs(truly)
    return 2 * _pairs(joined & truly) / both if both else 1.0


def cpdag(dag: Edges) -> Edges:
    """Return the graph of all directed graphs that imply the same independencies: [i, j] and [j, i] where some differ.

    Arrows that meet at a node, from nodes that no edge joins, stay; `orient` finds the others that must.
    """
    joined = dag | dag.T
    lone = dag & ((~joined).astype(int) @ dag - dag > 0)  # some other parent of j is not joined to i
    return orient(lone | joined & ~(lone | lone.T))


def orient(pattern: Edges) -> Edges:
    """Return a pattern with every edge directed that must be, by the rules of Meek (1995) until none applies.

    An edge i - j ([i, j] and [j, i]) becomes i -> j where the other direction would make a cycle, or arrows that meet
    at a node from nodes that no edge joins.
    """
    pattern, before = np.array(pattern, bool), None
    while before is None or (pattern != before).any():
        before = pattern.copy()
        for i, j in np.argwhere(before & before.T).tolist():
            if pattern[i, j] and _must(before, i, j):
                pattern[j, i] = False
    return pattern


def _must(pattern: Edges, i: int, j: int) -> bool:
    """Say whether i - j is i -> j by one of the four rules."""
    arrows, lines, joined = pattern & ~pattern.T, pattern & pattern.T, pattern | pattern.T
    if (arrows[:, i] & ~joined[:, j]).any():  # k -> i, and k is not joined to j
        return True
    if (arrows[i] & arrows[:, j]).any():  # i -> k -> j
        return True
    between = np.flatnonzero(lines[i] & arrows[:, j])  # i - k -> j
    if any(not joined[k, m] for k in between for m in between if k < m):
        return True
    far = lines[i] & ~joined[:, j]  # i - m -> k -> j, and m is not joined to j
    return bool(((far @ arrows) & arrows[:, j]).any())


def _pairs(joined: Edges) -> int:
    return int(np.triu(joined | joined.T).sum())
