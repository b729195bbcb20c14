"""How far a graph is from another one."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool


class Comparison(NamedTuple):
    """Differences of a found graph from the true one.

    Attributes:
        distance: the structural Hamming distance: missing, extra and reversed edges, each counted once.
        missing: true edges between nodes that the found graph does not join.
        extra: found edges between nodes that the true graph does not join.
        reversed: edges in the wrong direction.
        edges: how many were found; the empty graph has a distance too, the number of true edges.
    """

    distance: int
    missing: int
    extra: int
    reversed: int
    edges: int


def compare_graphs(found: Bool[np.ndarray, "d d"], true: Bool[np.ndarray, "d d"]) -> Comparison:
    """Return how a graph differs from the true one; matrix[i, j] says that i causes j."""
    joined, truly = found | found.T, true | true.T
    missing, extra = (int(np.triu(part).sum()) for part in (truly & ~joined, joined & ~truly))
    turned = int(np.triu(joined & truly & (found != true)).sum())
    return Comparison(missing + extra + turned, missing, extra, turned, int(found.sum()))
