"""Graphs by tests of independence and by greedy scores, from causal-learn: PC, FCI and GES.

They find what independencies tell, a class of graphs: an edge has a direction where all of the class agree on it.
"""

import contextlib
import dataclasses
import importlib
import io
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from symjax.causal.discover.compare import Edges
from symjax.causal.graphs import ADMG

Test = Literal["fisherz", "chisq", "gsq", "kci"]
TAIL, ARROW, CIRCLE = -1, 1, 2  # marks of causal-learn
LINKS = {
    (TAIL, ARROW): "->",
    (ARROW, ARROW): "<->",
    (TAIL, TAIL): "--",
    (CIRCLE, ARROW): "o->",
    (CIRCLE, CIRCLE): "o-o",
    (TAIL, CIRCLE): "-o",
}


@dataclasses.dataclass(frozen=True)
class PartialGraph:
    """A class of graphs that data cannot tell apart, printed as "X -> Y; Y -- Z".

    "->" is a cause in all graphs of the class, "<->" a hidden common cause, "--" an edge of either direction. An end
    "o" may be an arrowhead or none: X o-> Y says that Y causes not X.

    Attributes:
        nodes: names, in the order of the columns.
        links: (a, link, b) by the order of the nodes.
    """

    nodes: tuple[str, ...]
    links: tuple[tuple[str, str, str], ...]

    def __str__(self) -> str:
        """Write the links in one line."""
        return "; ".join(" ".join(link) for link in self.links)

    def edges(self) -> Edges:
        """Return the matrix that `compare_graphs` takes: [i, j] where i may cause j directly.

        A link that may be either way, or a hidden cause ("<->"), is true in both directions.
        """
        place, matrix = {name: k for k, name in enumerate(self.nodes)}, np.zeros((len(self.nodes),) * 2, bool)
        for a, link, b in self.links:
            matrix[place[a], place[b]] = True
            matrix[place[b], place[a]] = link not in ("->", "o->")
        return matrix

    def admg(self) -> ADMG:
        """Return the one graph of the class, such as `symjax.causal.identify` takes.

        Raises:
            ValueError: the data leave a link open, which is named.
        """
        for a, link, b in self.links:
            if link not in ("->", "<->"):
                raise ValueError(f"expected a graph with every edge known, got {a} {link} {b}: decide what it is")
        directed = [(a, b) for a, link, b in self.links if link == "->"]
        return ADMG.of(directed, [(a, b) for a, link, b in self.links if link == "<->"], self.nodes)


def pc(
    data: Float[np.ndarray, "n d"], names: Sequence[str] | None = None, *, level: float = 0.01, test: Test = "fisherz"
) -> PartialGraph:
    """Return the graph of PC (Spirtes and Glymour 1991), its order-independent form: no hidden causes.

    Args:
        data: rows of values, or of codes for "chisq" and "gsq".
        names: of the columns; None: V0, V1 and so on.
        level: of each test; a smaller one leaves fewer edges.
        test: partial correlations ("fisherz"), tables ("chisq", "gsq") or kernels ("kci", cubic in the rows).

    Raises:
        ValueError: causal-learn is not installed, or the columns are fewer or more than their names.
    """
    search = _peer("search.ConstraintBased.PC").pc
    with contextlib.redirect_stdout(io.StringIO()):
        found = search(np.asarray(data), level, test, stable=True, show_progress=False)
    return _read(found.G.graph, names)


def fci(
    data: Float[np.ndarray, "n d"], names: Sequence[str] | None = None, *, level: float = 0.01, test: Test = "fisherz"
) -> PartialGraph:
    """Return the graph of FCI (Spirtes et al. 1995): as `pc`, whose arguments these are, where causes may be hidden."""
    search = _peer("search.ConstraintBased.FCI").fci
    with contextlib.redirect_stdout(io.StringIO()):
        found, _ = search(np.asarray(data), test, level, show_progress=False)
    return _read(found.graph, names)


def ges(data: Float[np.ndarray, "n d"], names: Sequence[str] | None = None, *, penalty: float = 0.5) -> PartialGraph:
    """Return the graph of GES (Chickering 2002) by a Gaussian score: no hidden causes.

    Args:
        data: rows of values.
        names: of the columns; None: V0, V1 and so on.
        penalty: times log n, for each coefficient; one half is the BIC, more leaves fewer edges.

    Raises:
        ValueError: causal-learn is not installed, or the columns are fewer or more than their names.
    """
    search = _peer("search.ScoreBased.GES").ges
    with contextlib.redirect_stdout(io.StringIO()):
        found = search(np.asarray(data), "local_score_BIC", lambda_value=penalty)
    return _read(found["G"].graph, names)


def _peer(module: str) -> Any:
    try:
        return importlib.import_module(f"causallearn.{module}")
    except ModuleNotFoundError as error:
        raise ValueError(f"PC, FCI and GES come from causal-learn ({error}): pip install 'symjax[discovery]'") from None


def _read(marks: np.ndarray, names: Sequence[str] | None) -> PartialGraph:
    """Read a matrix of causal-learn, marks[i, j] at the end of i."""
    named = tuple(f"V{k}" for k in range(len(marks))) if names is None else tuple(names)
    if len(named) != len(marks):
        raise ValueError(f"expected a name for each of {len(marks)} columns, got {len(named)}: {', '.join(named)}")
    links = []
    for i, j in np.argwhere(np.triu(marks != 0)).tolist():
        ends = (int(marks[i, j]), int(marks[j, i]))
        a, b = (i, j) if ends in LINKS else (j, i)
        links.append((named[a], LINKS[int(marks[a, b]), int(marks[b, a])], named[b]))
    return PartialGraph(named, tuple(links))
