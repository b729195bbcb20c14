"""What every format of graphs comes down to: named nodes with attributes, and edges as they were drawn."""

from collections.abc import Mapping
from typing import NamedTuple

from symjax.causal.graphs.admg import ADMG

MARKS = {  # attributes of nodes: what DAGitty writes, what DoWhy reads, and what people call it
    "hidden": {"latent", "hidden", "unobserved"},
    "treatment": {"exposure", "treatment"},
    "outcome": {"outcome"},
    "adjusted": {"adjusted"},
}
NO = {"no", "false", "0"}


class Drawn(NamedTuple):
    """A graph and the marks that its format puts on nodes.

    Attributes:
        graph: with all its nodes; `graph.project(hidden)` is the graph of those that are measured.
        hidden: nodes that nobody measured.
        treatment: nodes marked as causes of interest.
        outcome: nodes marked as effects of interest.
        adjusted: nodes marked as adjusted for.
    """

    graph: ADMG
    hidden: tuple[str, ...] = ()
    treatment: tuple[str, ...] = ()
    outcome: tuple[str, ...] = ()
    adjusted: tuple[str, ...] = ()


class Sketch(NamedTuple):
    """A graph as it was written.

    Attributes:
        nodes: attributes by name, in order of appearance; an attribute without a value is the empty string.
        edges: (node, sign between them, node); the signs are "->", "<-", "<->", and what is refused: "--" and others.
    """

    nodes: Mapping[str, Mapping[str, str]]
    edges: list[tuple[str, str, str]]

    def read(self) -> Drawn:
        """Return the graph.

        Raises:
            ValueError: for no node, an edge without a direction, a cycle, or an edge from a node to itself.
        """
        if not self.nodes:
            raise ValueError("expected a graph, got no node: write arrows such as 'Z -> X; X -> Y'")
        for a, sign, b in self.edges:
            if sign not in ("->", "<-", "<->"):
                raise ValueError(
                    f"expected edges with a direction, got {a!r} {sign} {b!r}: write {a} -> {b} or {b} -> {a}, "
                    f"or {a} <-> {b} for a hidden common cause"
                )
        directed = [(a, b) if sign == "->" else (b, a) for a, sign, b in self.edges if sign != "<->"]
        doubles = [(a, b) for a, sign, b in self.edges if sign == "<->"]
        graph = ADMG.of(directed, doubles, self.nodes)
        marked = (tuple(v for v in graph.nodes if _has(self.nodes[v], mark)) for mark in MARKS)
        return Drawn(graph, *marked)


def sketch(drawn: ADMG | Drawn) -> Sketch:
    """Return the nodes, their marks and the edges of a graph, for a writer."""
    graph, *marked = Drawn(drawn) if isinstance(drawn, ADMG) else drawn
    names = ("observed", "exposure", "outcome", "adjusted")
    values = ("no", "yes", "yes", "yes")
    nodes = {v: {n: x for n, x, some in zip(names, values, marked, strict=True) if v in some} for v in graph.nodes}
    place = {v: k for k, v in enumerate(graph.nodes)}
    edges = [(a, "->", b) for a, b in graph.directed] + [(a, "<->", b) for a, b in graph.bidirected]
    return Sketch(nodes, sorted(edges, key=lambda edge: (place[edge[0]], place[edge[2]], edge[1])))


def _has(attributes: Mapping[str, str], mark: str) -> bool:
    given = {name.lower(): str(value).lower() for name, value in attributes.items()}
    if mark == "hidden" and given.get("observed") in NO:
        return True
    return any(name in MARKS[mark] and value not in NO for name, value in given.items())
