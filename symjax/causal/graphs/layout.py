"""Where the nodes of a drawing stand: causes left of their effects, few crossings, lines as straight as they can be.

Layers, then orders within them, then heights, as Sugiyama, Tagawa and Toda (1981) proposed. A line that passes a layer
has a place there, a `Bend`, so that it runs between the nodes and not behind them.
"""

import bisect
import dataclasses
import itertools
import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from symjax.causal.graphs.admg import ADMG

SWEEPS = 12
SMALL = 400  # pieces of lines up to which neighbours are tried in the other order too


Line = tuple[str, str, str]


class Bend(NamedTuple):
    """The place of an edge in a layer that it passes."""

    edge: Line
    layer: int


Item = str | Bend


@dataclasses.dataclass(frozen=True)
class Layout:
    """A drawing without sizes across: layers from left to right, heights of nodes and bends.

    Attributes:
        layers: what stands in each, from below.
        heights: of nodes and bends.
        bends: for each edge (left node, sign, right node) where it passes layers.
    """

    layers: tuple[tuple[Item, ...], ...]
    heights: Mapping[Item, float]
    bends: Mapping[Line, tuple[Bend, ...]]


def lay_out(graph: ADMG, sizes: Mapping[str, float], gap: float) -> Layout:
    """Return the places of nodes that are `sizes` high and at least `gap` apart."""
    levels = _levels(graph)
    bends = _bends(graph, levels)
    layers: list[list[Item]] = [[] for _ in range(max(levels.values()) + 1)]
    for v in graph.nodes:
        layers[levels[v]].append(v)
    for bend in itertools.chain(*bends.values()):
        layers[bend.layer].append(bend)
    chains = ((e[0], *passed, e[2]) for e, passed in bends.items() if levels[e[0]] != levels[e[2]])
    pieces = list(dict.fromkeys(pair for chain in chains for pair in itertools.pairwise(chain)))
    layers = _ordered(layers, pieces)
    return Layout(tuple(map(tuple, layers)), _heights(layers, pieces, sizes, gap), bends)


def _levels(graph: ADMG) -> dict[str, int]:
    """Return layers by longest paths, where nodes with more effects than causes stand close to their effects."""
    order, level = graph.order(), {}
    for v in order:
        level[v] = 1 + max((level[p] for p in graph.parents(v)), default=-1)
    for v in reversed(order):
        children, parents = graph.children(v), graph.parents(v)
        if len(children) > len(parents):
            level[v] = min(level[c] for c in children) - 1
        elif not children and not parents and graph.spouses(v):
            level[v] = max(level[s] for s in graph.spouses(v))
    lowest = min(level.values())
    return {v: k - lowest for v, k in level.items()}


def _bends(graph: ADMG, levels: Mapping[str, int]) -> dict[Line, tuple[Bend, ...]]:
    edges = [(a, "->", b) for a, b in graph.directed]
    edges += [(a, "<->", b) if levels[a] <= levels[b] else (b, "<->", a) for a, b in graph.bidirected]
    place = {v: k for k, v in enumerate(graph.nodes)}
    edges.sort(key=lambda edge: (place[edge[0]], place[edge[2]], edge[1]))
    return {e: tuple(Bend(e, k) for k in range(levels[e[0]] + 1, levels[e[2]])) for e in edges}


def _ordered(layers: list[list[Item]], pieces: Sequence[tuple[Item, Item]]) -> list[list[Item]]:
    """Return the layers in an order with few crossings, by sweeps of means and exchanges of neighbours."""
    left: dict[Item, list[Item]] = {item: [] for layer in layers for item in layer}
    right: dict[Item, list[Item]] = {item: [] for layer in layers for item in layer}
    for a, b in pieces:
        right[a].append(b)
        left[b].append(a)
    best, fewest = layers, _crossings(layers, right)
    for sweep in range(SWEEPS):
        layers = [list(layer) for layer in layers]
        beside = left if sweep % 2 == 0 else right
        steps = range(1, len(layers)) if sweep % 2 == 0 else range(len(layers) - 2, -1, -1)
        for k in steps:
            place = {item: i for i, item in enumerate(layers[k - 1 if beside is left else k + 1])}
            own = {item: i for i, item in enumerate(layers[k])}
            layers[k].sort(
                key=lambda item: statistics.fmean(place[v] for v in beside[item]) if beside[item] else own[item]
            )
        if len(pieces) <= SMALL:
            _exchange(layers, left, right)
        crossings = _crossings(layers, right)
        if crossings < fewest:
            best, fewest = layers, crossings
    return best


def _exchange(layers: list[list[Item]], left: Mapping[Item, list[Item]], right: Mapping[Item, list[Item]]) -> None:
    """Exchange neighbours in place as long as that saves crossings."""
    for k, layer in enumerate(layers):
        sides = [(left, layers[k - 1])] if k else []
        sides += [(right, other) for other in layers[k + 1 : k + 2]]
        places = [(side, {item: i for i, item in enumerate(other)}) for side, other in sides]
        improved = True
        while improved:
            improved = False
            for i in range(len(layer) - 1):
                ends = [[[place[v] for v in side[item]] for item in layer[i : i + 2]] for side, place in places]
                saved = sum((p > q) - (p < q) for below, above in ends for p in below for q in above)
                if saved > 0:
                    layer[i], layer[i + 1] = layer[i + 1], layer[i]
                    improved = True


def _crossings(layers: Sequence[Sequence[Item]], right: Mapping[Item, list[Item]]) -> int:
    count = 0
    for layer, following in itertools.pairwise(layers):
        place = {item: i for i, item in enumerate(following)}
        seen: list[int] = []
        for item in layer:
            ends = sorted(place[v] for v in right[item])
            count += sum(len(seen) - bisect.bisect_right(seen, end) for end in ends)
            for end in ends:
                bisect.insort(seen, end)
    return count


def _heights(
    layers: Sequence[Sequence[Item]], pieces: Sequence[tuple[Item, Item]], sizes: Mapping[str, float], gap: float
) -> dict[Item, float]:
    """Return heights: each layer in turn as close to the mean of its neighbours as its order and the gaps allow."""
    joined: dict[Item, list[tuple[Item, int]]] = {item: [] for layer in layers for item in layer}
    for a, b in pieces:
        weight = 1 + 3 * (isinstance(a, Bend) + isinstance(b, Bend))
        joined[a].append((b, weight))
        joined[b].append((a, weight))
    apart = [[_distance(a, b, sizes, gap) for a, b in itertools.pairwise(layer)] for layer in layers]
    heights: dict[Item, float] = {}
    for layer, distances in zip(layers, apart, strict=True):
        ends = list(itertools.accumulate(distances, initial=0.0))
        heights |= {item: end - ends[-1] / 2 for item, end in zip(layer, ends, strict=True)}
    for _ in range(4 * SWEEPS):
        for layer, distances in zip(layers, apart, strict=True):
            wishes = []
            for item in layer:
                total = sum(w for _, w in joined[item])
                mean = sum(w * heights[v] for v, w in joined[item]) / total if total else 0.0
                wishes.append((mean, total + 0.1))
            heights |= dict(zip(layer, _spread(wishes, distances), strict=True))
    return heights


def _distance(a: Item, b: Item, sizes: Mapping[str, float], gap: float) -> float:
    bends = isinstance(a, Bend) + isinstance(b, Bend)
    half = sum(sizes[item] / 2 for item in (a, b) if isinstance(item, str))
    return half + gap * (1, 0.8, 0.6)[bends]


def _spread(wishes: Sequence[tuple[float, float]], distances: Sequence[float]) -> list[float]:
    """Return the heights closest to what is wished (value, weight) that keep the order and the distances.

    Less the distances below, it is weighted isotonic regression, which pooling neighbours that violate it solves.
    """
    offsets = list(itertools.accumulate(distances, initial=0.0))
    pools: list[tuple[float, float, int]] = []
    for (wish, weight), offset in zip(wishes, offsets, strict=True):
        value, count = wish - offset, 1
        while pools and pools[-1][0] >= value:
            below, heavy, many = pools.pop()
            value = (value * weight + below * heavy) / (weight + heavy)
            weight, count = weight + heavy, count + many
        pools.append((value, weight, count))
    levels = itertools.chain(*([value] * count for value, _, count in pools))
    return [value + offset for value, offset in zip(levels, offsets, strict=True)]
