"""Graphs in the formats that people keep them in: arrows, DOT, DAGitty, GML, networkx, adjacency matrices."""

import os
import pathlib
import re
from collections.abc import Sequence
from typing import Any

import networkx as nx
import numpy as np

from symjax.causal.graphs.admg import ADMG, nearest
from symjax.causal.graphs.arrows import parse_arrows, write_arrows
from symjax.causal.graphs.dot import parse_dot, write_dagitty, write_dot
from symjax.causal.graphs.sketch import Drawn, Sketch, sketch

REMARKS = r"(?:\s|//[^\n]*\n|/\*.*?\*/|#[^\n]*\n)*"
IS_DOT = re.compile(
    REMARKS + r"(?:strict\s+)?(?:graph|digraph|dag|pdag|mag|pag)\b[^{}\[\]]*\{", re.DOTALL | re.IGNORECASE
)
IS_GML = re.compile(r"\bgraph\s*\[")
LONGEST = 200  # characters of a message
IS_TEXT = re.compile(r"->|<-|--|\s-\s|[→←↔{}\[\];\n]")


def read_graph(source: Any, names: Sequence[str] | None = None) -> Drawn:
    """Return the graph that a text, a file, a networkx graph or an adjacency matrix describes.

    Args:
        source: text as arrows ("Z -> X -> Y; X <-> Y"), DOT, DAGitty's language or GML; the path of a file of such
            text; a networkx graph (edges with dir="both" are two-headed, nodes with observed="no" hidden); a square
            array or data frame whose entry [i, j] is other than zero where i causes j.
        names: of the rows of an array.

    Raises:
        ValueError: for text of no such format, a file that is not there, an edge without a direction, a cycle, an edge
            from a node to itself, or a matrix whose names do not fit.
        TypeError: for any other source.
    """
    if isinstance(source, Drawn | ADMG):
        return Drawn(source) if isinstance(source, ADMG) else source
    if isinstance(source, str | pathlib.Path):
        return _parse(_text(source)).read()
    if isinstance(source, nx.Graph):
        return _from_networkx(source).read()
    if hasattr(source, "to_numpy") or isinstance(source, np.ndarray | list):
        return _from_matrix(source, names).read()
    raise TypeError(
        f"expected a graph as text, a path, a networkx graph or an adjacency matrix, got {type(source).__name__}: "
        "write arrows such as 'Z -> X; X -> Y'"
    )


def write_graph(graph: ADMG | Drawn, format: str = "arrows") -> str:
    """Return a graph as text that `read_graph` reads back; arrows keep no marks of nodes."""
    writers = {"arrows": write_arrows, "dot": write_dot, "dagitty": write_dagitty, "gml": _write_gml}
    if format not in writers:
        raise ValueError(f"expected a format of {', '.join(writers)}, got {format!r}")
    return writers[format](sketch(graph))


def to_networkx(graph: ADMG | Drawn) -> nx.DiGraph | nx.MultiDiGraph:
    """Return a directed graph; with two-headed arrows one of many edges, those with dir="both"."""
    drawn = sketch(graph)
    result = nx.MultiDiGraph() if any(sign == "<->" for _, sign, _ in drawn.edges) else nx.DiGraph()
    for name, marks in drawn.nodes.items():
        result.add_node(name, **marks)
    for a, sign, b in drawn.edges:
        result.add_edge(a, b, **({"dir": "both"} if sign == "<->" else {}))
    return result


def to_matrix(graph: ADMG) -> np.ndarray:
    """Return [nodes, nodes] of 0 and 1, where [i, j] is 1 if node i causes node j, in the order of `graph.nodes`.

    Raises:
        ValueError: for two-headed arrows, which a matrix cannot hold.
    """
    for a, b in sorted(graph.bidirected):
        raise ValueError(f"expected arrows alone, got {a} <-> {b}: a matrix has no place for it, write text")
    place = {name: k for k, name in enumerate(graph.nodes)}
    matrix = np.zeros((len(place), len(place)), int)
    for a, b in graph.directed:
        matrix[place[a], place[b]] = 1
    return matrix


def _text(source: str | pathlib.Path) -> str:
    """Return the text, of the file if there is one of this name."""
    if os.path.isfile(source):  # false for a name that no file can have, too
        try:
            return pathlib.Path(source).read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise ValueError(f"expected text in UTF-8, got other bytes in {str(source)!r}: {error.reason}") from error
    if isinstance(source, str) and (IS_TEXT.search(source) or not source.strip()):
        return source
    folder, name = os.path.split(source)
    beside = os.listdir(folder or ".") if os.path.isdir(folder or ".") else []
    advice = nearest(name, beside, "write arrows such as 'Z -> X; X -> Y'")
    shown = str(source)[:LONGEST]
    raise ValueError(f"expected a graph as text or the path of a file, got {shown!r}, which is neither: {advice}")


def _parse(text: str) -> Sketch:
    if IS_DOT.match(text):
        return parse_dot(text)
    return _from_gml(text) if IS_GML.search(text) else parse_arrows(text)


def _from_gml(text: str) -> Sketch:
    label = "label" if re.search(r"\blabel\b", text) else "id"
    try:
        return _from_networkx(nx.parse_gml(text, label=label))
    except (nx.NetworkXError, AttributeError, IndexError, KeyError, TypeError) as error:  # networkx trusts its text
        raise ValueError(f"expected GML, got text of which networkx says {str(error)!r}: check it") from error


def _write_gml(drawn: Sketch) -> str:
    return "\n".join(nx.generate_gml(to_networkx(drawn.read()))) + "\n"


def _from_networkx(graph: nx.Graph) -> Sketch:
    nodes = {str(name): {str(k): str(v) for k, v in marks.items()} for name, marks in graph.nodes(data=True)}
    if len(nodes) < len(graph):
        raise ValueError(f"expected nodes with different names, got {len(graph)} nodes with {len(nodes)} names")
    plain = "->" if graph.is_directed() else "--"
    edges = [(str(a), "<->" if m.get("dir") == "both" else plain, str(b)) for a, b, m in graph.edges(data=True)]
    return Sketch(nodes, edges)


def _from_matrix(source: Any, names: Sequence[str] | None) -> Sketch:
    values = source.to_numpy() if hasattr(source, "to_numpy") else np.asarray(source)
    columns = [str(name) for name in getattr(source, "columns", names if names is not None else ())]
    if values.ndim != 2 or values.shape[0] != values.shape[1] or len(set(columns)) != len(values):
        raise ValueError(
            f"expected a square matrix with a different name for each row, got {list(values.shape)} and "
            f"{len(set(columns))} names: give read_graph(matrix, names)"
        )
    rows = [str(name) for name in getattr(source, "index", columns)]
    if rows != columns and rows != [str(k) for k in range(len(rows))]:
        raise ValueError(f"expected the same names for rows and columns, got {rows} and {columns}: put them in order")
    try:
        arrows = values.astype(float)
    except ValueError as error:
        raise ValueError(f"expected numbers in an adjacency matrix, got {values.dtype} entries") from error
    if not np.isfinite(arrows).all():
        raise ValueError("expected finite numbers in an adjacency matrix, got NaN or infinity: write 0 for no arrow")
    both = (arrows != 0) & (arrows.T != 0)
    signs = np.where(np.triu(both, 1), "--", "->")
    chosen = (arrows != 0) & ~np.tril(both, -1)
    edges = [(columns[i], str(signs[i, j]), columns[j]) for i, j in np.argwhere(chosen)]
    return Sketch({v: {} for v in columns}, edges)
