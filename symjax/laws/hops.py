"""Hops: on a graph, a node may see what a few edges lead to it from, and nothing else."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import jraph
import numpy as np
from jaxtyping import Array, Key

from symjax.laws.causality import Causality, Move
from symjax.laws.law import Failure, Point, residual


@dataclasses.dataclass(frozen=True)
class Hops:
    """The causality (A + I)^k > 0 of node features, for whatever edges the graph at hand has.

    With A_ij = 1 where an edge leads from j to i, features of node i of the output may depend on those of node j of the
    input only where at most k edges lead from j to i. The input is a graph; the output one with the same edges, or what
    stands for its nodes.

    >>> Hops(2)
    Hops(count=2)
    """

    count: int
    tolerance = 0.0
    constant = False
    residual = residual

    def relation(self, graph: Any) -> Causality:
        """Return which nodes of a graph may see which."""
        n = jax.tree.leaves(graph.nodes)[0].shape[0]
        near = np.eye(n, dtype=bool)
        near[np.asarray(graph.receivers), np.asarray(graph.senders)] = True
        seen = np.eye(n, dtype=bool)
        for _ in range(self.count):
            seen = near @ seen
        return Causality(seen)

    def elements(self, at: Point, key: Key[Array, ""], *, thorough: bool = False) -> list[Move]:
        """Return a move of every node, and of all that some node may not see."""
        return self.relation(at.x).elements(_on_nodes(at), key, thorough=thorough)

    def failure(self, fn: Callable[[Any], Any], at: Point, element: Move) -> Failure:
        """Return the largest forbidden move, relative to the size of the output; 0 only where no bit changed."""

        def of_nodes(nodes: Any) -> Any:
            return _nodes(fn(at.x._replace(nodes=jax.tree.map(jnp.asarray, nodes))))

        return self.relation(at.x).failure(of_nodes, _on_nodes(at), element)

    def __str__(self) -> str:
        return f"Causality: nodes see {self.count} hop{'s' * (self.count != 1)}"


def _on_nodes(at: Point) -> Point:
    return at._replace(x=at.x.nodes, y=_nodes(at.y), usual=_nodes(at.usual))


def _nodes(y: Any) -> Any:
    return y.nodes if isinstance(y, jraph.GraphsTuple) else y
