"""The independencies that a graph implies of data, and their test: what can show that a graph is wrong."""

import functools
import itertools
import math
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import networkx as nx
import numpy as np

from symjax.causal.graphs.admg import ADMG, nearest

ASSUMPTION = (
    "partial correlations see linear dependence: a dependence that is not linear is missed, and where means given the "
    "others are not linear a true independence may be refused"
)


class Independence(NamedTuple):
    """Two nodes that are independent given a set, printed as "X _||_ Y | Z, W"."""

    x: str
    y: str
    given: tuple[str, ...]

    def __str__(self) -> str:
        """Write it in one line."""
        return f"{self.x} _||_ {self.y}" + (f" | {', '.join(self.given)}" if self.given else "")


class Tested(NamedTuple):
    """An implied independence beside data.

    Attributes:
        independence: what the graph implies.
        correlation: the partial correlation; NaN where it does not exist.
        p_value: of Fisher's z, for this test alone.
        adjusted: the p-value after Holm's correction for all tests of the graph.
        refuted: adjusted is below the level.
        verdict: one sentence.
    """

    independence: Independence
    correlation: float
    p_value: float
    adjusted: float
    refuted: bool
    verdict: str


def implied_independencies(graph: ADMG) -> tuple[Independence, ...]:
    """Return, for each pair of nodes that a set separates, one with a minimal set.

    All independencies of a graph without two-headed arrows follow from these. A pair without an edge has none where
    hidden causes join it whatever is given (an inducing path). Hidden nodes must be projected before.
    """
    whole = graph.canonical()
    place = {v: k for k, v in enumerate((*graph.nodes, *(whole.nodes - set(graph.nodes))))}
    causes = _Causes.of(whole, place)
    joined, visible = graph.directed | graph.bidirected, (1 << len(graph.nodes)) - 1
    found = []
    for x, y in itertools.combinations(graph.nodes, 2):
        if (x, y) not in joined and (y, x) not in joined:
            given = causes.separator(place[x], place[y], visible)
            if given is not None:
                found.append(Independence(x, y, tuple(graph.nodes[k] for k in _members(given))))
    return tuple(found)


class _Causes(NamedTuple):
    """A directed graph as sets of places, each set the bits of one integer."""

    parents: list[int]
    children: list[int]
    ancestors: list[int]

    @classmethod
    def of(cls, graph: nx.DiGraph, place: Mapping[str, int]) -> "_Causes":
        def bits(names: Iterable[str]) -> int:
            return sum(1 << place[v] for v in names)

        parents, children = ([bits(near[v]) for v in place] for near in (graph.pred, graph.succ))
        ancestors = [0] * len(place)
        for k in (place[v] for v in nx.topological_sort(graph)):
            ancestors[k] = functools.reduce(operator.or_, (ancestors[j] for j in _members(parents[k])), 1 << k)
        return cls(parents, children, ancestors)

    def separator(self, x: int, y: int, visible: int) -> int | None:
        """Return the minimal set nearest to x of visible places that separates two (van der Zander et al. 2014)."""
        within = self.ancestors[x] | self.ancestors[y]
        border = self.met(x, within & visible & ~(1 << x), within)
        return None if border >> y & 1 else self.met(y, border, within)

    def met(self, start: int, ends: int, within: int) -> int:
        """Return which ends paths from a place come to in the moral graph of causes, none passing an end."""
        seen = waiting = 1 << start
        while waiting and ends & ~seen:
            k = (waiting & -waiting).bit_length() - 1
            near = self.parents[k] | (effects := self.children[k] & within)
            for j in _members(effects):
                near |= self.parents[j]
            waiting = (waiting | near & ~seen & ~ends) & ~(1 << k)
            seen |= near
        return seen & ends


def _members(places: int) -> Iterator[int]:
    while places:
        yield (places & -places).bit_length() - 1
        places &= places - 1


def test_independencies(
    graph: ADMG,
    columns: Mapping[str, np.ndarray],
    level: float = 0.05,  # noqa: PT028
) -> tuple[Tested, ...]:
    """Return the implied independencies tested by partial correlations.

    z = atanh(r) sqrt(n - |given| - 3) is close to standard normal where the dependence is linear with Gaussian errors.

    Args:
        graph: of measured nodes.
        columns: of numbers [n] by name.
        level: at which the graph as a whole is refused if it is true.

    Raises:
        ValueError: for a node without a column, columns of different lengths, values that are not finite, or too few
            rows.
    """
    claims = implied_independencies(graph)
    values = {name: _column(name, columns) for claim in claims for name in (claim.x, claim.y, *claim.given)}
    results = [_partial(claim, values) for claim in claims]
    adjusted = _holm([p for _, p in results])
    return tuple(
        Tested(claim, r, p, q, q < level, _verdict(claim, r, q, q < level))
        for claim, (r, p), q in zip(claims, results, adjusted, strict=True)
    )


test_independencies.__test__ = False  # its name is no wish to be collected


def _column(name: str, columns: Mapping[str, np.ndarray]) -> np.ndarray:
    if name not in columns:
        advice = nearest(name, columns, "declare it hidden and project the graph")
        raise ValueError(f"expected a column for each node, got none for {name!r}: {advice}")
    values, rows = np.asarray(columns[name], float), len(next(iter(columns.values())))
    if values.shape != (rows,):
        raise ValueError(f"expected columns of {rows} numbers, got shape {list(values.shape)} for {name!r}")
    if not np.isfinite(values).all():
        missing = int((~np.isfinite(values)).sum())
        raise ValueError(f"expected finite numbers, got {missing} others in column {name!r}: drop or fill these rows")
    return values


def _partial(claim: Independence, values: Mapping[str, np.ndarray]) -> tuple[float, float]:
    """Return the partial correlation and the p-value of Fisher's z; NaN and 1 where `given` leaves no variance."""
    ends = np.stack([values[claim.x], values[claim.y]], axis=1)
    rows, freedom = len(ends), len(ends) - len(claim.given) - 3
    if freedom < 1:
        raise ValueError(f"expected more than {len(claim.given) + 3} rows to test {claim}, got {rows}")
    known = np.stack([np.ones(rows), *(values[v] for v in claim.given)], axis=1)
    scale = np.linalg.norm(known, axis=0)
    known = known / np.where(scale > 0, scale, 1)
    rest = ends - known @ np.linalg.lstsq(known, ends, rcond=None)[0]
    norms = np.linalg.norm(rest, axis=0)
    if (norms <= 1e-10 * np.linalg.norm(ends, axis=0)).any():
        return math.nan, 1.0
    correlation = float(np.clip(rest[:, 0] @ rest[:, 1] / norms.prod(), -1, 1))
    z = math.atanh(min(abs(correlation), 1 - 1e-15)) * math.sqrt(freedom)
    return correlation, math.erfc(z / math.sqrt(2))


def _holm(values: Sequence[float]) -> list[float]:
    order = sorted(range(len(values)), key=values.__getitem__)
    adjusted, least = [1.0] * len(values), 0.0
    for rank, k in enumerate(order):
        least = max(least, min(1.0, (len(values) - rank) * values[k]))
        adjusted[k] = least
    return adjusted


def _verdict(claim: Independence, correlation: float, adjusted: float, refuted: bool) -> str:
    if math.isnan(correlation):
        return f"{claim} cannot be tested: one of the two columns is constant given the others"
    numbers = f"partial correlation {correlation:.3f}, p = {adjusted:.2g} after Holm's correction"
    if refuted:
        return f"{claim} does not hold in the data ({numbers}): the graph lacks an edge or a hidden common cause"
    return f"{claim} agrees with the data ({numbers})"
