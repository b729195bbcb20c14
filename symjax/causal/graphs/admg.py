"""A graph of causes: arrows, and two-headed ones for the common causes that nobody measured."""

import collections
import dataclasses
import difflib
import functools
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import networkx as nx

Edge = tuple[str, str]


class Path(NamedTuple):
    """Nodes and the arrows between them, printed as "X <- Z -> Y"."""

    nodes: tuple[str, ...]
    arrows: tuple[str, ...]

    def __str__(self) -> str:
        """Write the path in one line."""
        return self.nodes[0] + "".join(f" {a} {n}" for a, n in zip(self.arrows, self.nodes[1:], strict=True))


@dataclasses.dataclass(frozen=True)
class ADMG:
    """An acyclic directed mixed graph; `ADMG.of` makes one and checks it.

    Attributes:
        nodes: names, in the order they were given.
        directed: (cause, effect).
        bidirected: pairs with a hidden common cause, each once, in the order of `nodes`.
    """

    nodes: tuple[str, ...]
    directed: frozenset[Edge]
    bidirected: frozenset[Edge]

    @classmethod
    def of(
        cls,
        directed: Iterable[Sequence[str]] = (),
        bidirected: Iterable[Sequence[str]] = (),
        nodes: Iterable[str] = (),
    ) -> "ADMG":
        """Make a graph of edges.

        Args:
            directed: pairs (cause, effect).
            bidirected: pairs with a hidden common cause, in any order.
            nodes: all names; without any, those of the edges.

        Raises:
            ValueError: for a cycle, an edge from a node to itself, or an edge that names none of the nodes.
        """
        arrows, doubles = _pairs(directed), _pairs(bidirected)
        named = tuple(dict.fromkeys(nodes)) or tuple(dict.fromkeys(itertools.chain(*arrows, *doubles)))
        place = {name: k for k, name in enumerate(named)}
        for a, b in arrows + doubles:
            if a == b:
                raise ValueError(f"expected edges between two nodes, got one from {a!r} to itself: remove it")
            for name in (a, b):
                if name not in place:
                    raise ValueError(f"expected edges between the nodes, got {a!r} to {b!r}: {nearest(name, named)}")
        two_headed = {(a, b) if place[a] < place[b] else (b, a) for a, b in doubles}
        graph = cls(named, frozenset(arrows), frozenset(two_headed))
        try:
            cycle = nx.find_cycle(graph._arrows)
        except nx.NetworkXNoCycle:
            return graph
        written = " -> ".join([cycle[0][0], *(edge[1] for edge in cycle)])
        raise ValueError(f"expected a graph without cycles, got {written}: remove or turn one of these arrows")

    @functools.cached_property
    def _arrows(self) -> nx.DiGraph:
        graph = nx.DiGraph()
        graph.add_nodes_from(self.nodes)
        graph.add_edges_from(self._sorted(self.directed))
        return graph

    @functools.cached_property
    def _doubles(self) -> nx.Graph:
        graph = nx.Graph()
        graph.add_nodes_from(self.nodes)
        graph.add_edges_from(self._sorted(self.bidirected))
        return graph

    @functools.cached_property
    def _place(self) -> dict[str, int]:
        return {name: k for k, name in enumerate(self.nodes)}

    def _sorted(self, edges: Iterable[Edge]) -> list[Edge]:
        return sorted(edges, key=lambda edge: (self._place[edge[0]], self._place[edge[1]]))

    def _checked(self, names: Iterable[str]) -> frozenset[str]:
        chosen = frozenset([names] if isinstance(names, str) else names)
        for name in sorted(chosen - self._place.keys()):
            raise ValueError(f"expected nodes of the graph, got {name!r}: {nearest(name, self.nodes)}")
        return chosen

    def parents(self, *nodes: str) -> frozenset[str]:
        """Return the direct causes of any of the nodes."""
        return frozenset(itertools.chain(*(self._arrows.pred[v] for v in self._checked(nodes))))

    def children(self, *nodes: str) -> frozenset[str]:
        """Return the direct effects of any of the nodes."""
        return frozenset(itertools.chain(*(self._arrows.succ[v] for v in self._checked(nodes))))

    def spouses(self, *nodes: str) -> frozenset[str]:
        """Return the nodes that share a hidden common cause with any of the nodes."""
        return frozenset(itertools.chain(*(self._doubles.adj[v] for v in self._checked(nodes))))

    def ancestors(self, *nodes: str) -> frozenset[str]:
        """Return the nodes and all their causes."""
        return _reached(self._checked(nodes), self._arrows.pred)

    def descendants(self, *nodes: str) -> frozenset[str]:
        """Return the nodes and all their effects."""
        return _reached(self._checked(nodes), self._arrows.succ)

    def districts(self) -> tuple[frozenset[str], ...]:
        """Return the parts that two-headed arrows join, in the order of their first nodes."""
        return tuple(frozenset(part) for part in nx.connected_components(self._doubles))

    def district(self, node: str) -> frozenset[str]:
        """Return the district of one node."""
        return _reached(self._checked([node]), self._doubles.adj)

    def order(self) -> tuple[str, ...]:
        """Return the nodes, causes first, otherwise in the order of `nodes`."""
        return tuple(nx.lexicographical_topological_sort(self._arrows, key=self._place.__getitem__))

    def subgraph(self, nodes: Iterable[str]) -> "ADMG":
        """Return the graph of some of the nodes and the edges between them."""
        kept = self._checked(nodes)
        return ADMG(
            tuple(v for v in self.nodes if v in kept),
            frozenset(e for e in self.directed if kept.issuperset(e)),
            frozenset(e for e in self.bidirected if kept.issuperset(e)),
        )

    def cut(self, into: Iterable[str] = (), out_of: Iterable[str] = ()) -> "ADMG":
        """Return the graph without the arrowheads at `into` (two-headed ones too) and the arrows out of `out_of`."""
        ends, starts = self._checked(into), self._checked(out_of)
        return ADMG(
            self.nodes,
            frozenset((a, b) for a, b in self.directed if b not in ends and a not in starts),
            frozenset(e for e in self.bidirected if ends.isdisjoint(e)),
        )

    def separated(self, x: Iterable[str], y: Iterable[str], given: Iterable[str] = ()) -> bool:
        """Say whether `given` blocks every path between two sets of nodes (m-separation), in linear time."""
        return self.open_path(x, y, given) is None

    def open_path(self, x: Iterable[str], y: Iterable[str], given: Iterable[str] = ()) -> Path | None:
        """Return a shortest path that `given` leaves open, or None.

        On an open path every collider is a cause of (or in) `given`, and no other inner node is in `given`. Searched
        in breadth over (node, does the path arrive by an arrowhead); a shortest open walk visits no node twice.

        Raises:
            ValueError: for an unknown node, or sets that overlap.
        """
        starts, ends, known = self._checked(x), self._checked(y), self._checked(given)
        for name in sorted(starts & ends | starts & known | ends & known):
            raise ValueError(f"expected three sets without a node in common, got {name!r} in two: remove it from one")
        opened = self.ancestors(*known)
        came: dict = {(v, None): None for v in self.nodes if v in starts}
        queue = collections.deque(came)
        while queue:
            node, head = state = queue.popleft()
            if node in ends:
                return _traced(came, state)
            for arrow, following in self._steps(node):
                collider = head and arrow != "->"
                passes = head is None or (node in opened if collider else node not in known)
                reached = (following, arrow != "<-")
                if passes and reached not in came:
                    came[reached] = (state, arrow)
                    queue.append(reached)
        return None

    def _steps(self, node: str) -> Iterator[tuple[str, str]]:
        yield from (("->", v) for v in self._arrows.succ[node])
        yield from (("<-", v) for v in self._arrows.pred[node])
        yield from (("<->", v) for v in self._doubles.adj[node])

    def project(self, hidden: Iterable[str]) -> "ADMG":
        """Return the latent projection: the graph of the other nodes when some are not measured.

        a -> b where a directed path leads through hidden nodes alone; a <-> b where a path does whose inner nodes are
        hidden, none a collider, with arrowheads at both ends (Verma and Pearl, 1990).
        """
        gone = self._checked(hidden)
        seen: dict[str, frozenset[str]] = {v: frozenset([v]) for v in self.nodes if v not in gone}
        for v in reversed(self.order()):
            if v in gone:
                seen[v] = frozenset().union(*(seen[c] for c in self._arrows.succ[v]))
        kept = tuple(v for v in self.nodes if v not in gone)
        directed = {(v, w) for v in kept for c in self._arrows.succ[v] for w in seen[c]}
        roots = [v for v in self.nodes if v in gone and gone.isdisjoint(self._arrows.pred[v])]
        forks = (itertools.combinations(sorted(seen[v], key=self._place.__getitem__), 2) for v in roots)
        joined = (itertools.product(seen[a], seen[b]) for a, b in self.bidirected)
        pairs = {(a, b) if self._place[a] < self._place[b] else (b, a) for a, b in itertools.chain(*forks, *joined)}
        return ADMG(kept, frozenset(directed), frozenset((a, b) for a, b in pairs if a != b))

    def canonical(self) -> nx.DiGraph:
        """Return the directed graph with a hidden node (attribute `hidden`) in place of each two-headed arrow."""
        graph = self._arrows.copy()
        for a, b in self._sorted(self.bidirected):
            cause = f"{a} <-> {b}"
            while cause in graph:
                cause += "'"
            graph.add_node(cause, hidden=True)
            graph.add_edges_from([(cause, a), (cause, b)])
        return graph


def _pairs(edges: Iterable[Sequence[str]]) -> list[Edge]:
    pairs = [(a, b) for a, b in edges]
    return sorted(pairs) if isinstance(edges, set | frozenset) else pairs


def nearest(name: str, names: Iterable[str], otherwise: str = "") -> str:
    """Return the question whether the nearest of the names was meant, or what to say where none is near it."""
    near = difflib.get_close_matches(name, list(names), 1)
    return f"did you mean {near[0]!r}?" if near else otherwise or f"there is no node {name!r}"


def _reached(starts: frozenset[str], adjacent) -> frozenset[str]:
    found, stack = set(starts), list(starts)
    while stack:
        fresh = [v for v in adjacent[stack.pop()] if v not in found]
        found.update(fresh)
        stack.extend(fresh)
    return frozenset(found)


def _traced(came: dict, state) -> Path:
    nodes, arrows = [state[0]], []
    while came[state] is not None:
        state, arrow = came[state]
        nodes.append(state[0])
        arrows.append(arrow)
    return Path(tuple(reversed(nodes)), tuple(reversed(arrows)))
