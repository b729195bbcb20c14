import itertools
import time

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from symjax.causal.graphs import ADMG

NAMES = ["A", "B", "C", "D", "E", "F", "G"]


@st.composite
def edges(draw, size=6):
    """Arrows along a drawn order, and two-headed ones; the graph is made outside, where no draw is under way."""
    pairs = list(itertools.combinations(draw(st.permutations(NAMES[:size])), 2))
    some = (st.lists(st.sampled_from(pairs), max_size=most, unique=True) for most in (8, 4))
    return *(draw(part) for part in some), NAMES[:size]


def splits(graph):
    """Every pair of nodes with every set of the others."""
    for x, y in itertools.combinations(graph.nodes, 2):
        rest = [v for v in graph.nodes if v not in (x, y)]
        for size in range(len(rest) + 1):
            for given_ in itertools.combinations(rest, size):
                yield x, y, given_


def is_open(graph, path, known):
    """The definition, read off the printed path."""
    into = [(a in ("<-", "<->"), b in ("->", "<->")) for a, b in zip(path.arrows[1:], path.arrows, strict=False)]
    inner = [
        bool(graph.descendants(v) & set(known)) if left and right else v not in known
        for v, (right, left) in zip(path.nodes[1:-1], into, strict=True)
    ]
    edges = [
        {"->": (a, b) in graph.directed, "<-": (b, a) in graph.directed, "<->": b in graph.spouses(a)}[arrow]
        for a, arrow, b in zip(path.nodes, path.arrows, path.nodes[1:], strict=False)
    ]
    return all(inner) and all(edges) and len(set(path.nodes)) == len(path.nodes)


@settings(deadline=None, max_examples=25)
@given(edges())
def test_separation_is_that_of_the_graph_with_its_hidden_causes(drawn):
    graph = ADMG.of(*drawn)
    whole = graph.canonical()
    for x, y, known in splits(graph):
        path = graph.open_path(x, y, known)
        assert (path is None) == nx.is_d_separator(whole, {x}, {y}, set(known))
        assert path is None or (is_open(graph, path, known) and (path.nodes[0], path.nodes[-1]) == (x, y))


@settings(deadline=None, max_examples=15)
@given(edges(size=7), st.sets(st.sampled_from(NAMES), max_size=4))
def test_a_projection_keeps_the_separations_and_the_causes_of_what_is_seen(drawn, hidden):
    graph = ADMG.of(*drawn)
    seen = graph.project(hidden)
    for x, y, known in splits(seen):
        assert seen.separated(x, y, known) == graph.separated(x, y, known)
    for v in seen.nodes:
        assert seen.ancestors(v) == graph.ancestors(v) - hidden


@settings(deadline=None, max_examples=25)
@given(edges(), st.sets(st.sampled_from(NAMES[:6])), st.sets(st.sampled_from(NAMES[:6])))
def test_relatives_orders_and_cuts(drawn, some, others):
    graph = ADMG.of(*drawn)
    whole = nx.DiGraph(list(graph.directed))
    whole.add_nodes_from(graph.nodes)
    for v in graph.nodes:
        assert graph.ancestors(v) == nx.ancestors(whole, v) | {v}
        assert graph.descendants(v) == nx.descendants(whole, v) | {v}
    place = {v: k for k, v in enumerate(graph.order())}
    assert sorted(place) == sorted(graph.nodes)
    assert all(place[a] < place[b] for a, b in graph.directed)
    assert frozenset().union(*graph.districts()) == frozenset(graph.nodes)
    assert all(graph.district(v) == part for part in graph.districts() for v in part)
    cut = graph.cut(some, others)
    assert not any(cut.parents(v) or cut.spouses(v) for v in some)
    assert not any(cut.children(v) for v in others)
    assert cut.directed == {(a, b) for a, b in graph.directed if b not in some and a not in others}
    part = graph.subgraph(some)
    assert set(part.nodes) == some
    assert part.directed == {e for e in graph.directed if some.issuperset(e)}
    assert part.bidirected == {e for e in graph.bidirected if some.issuperset(e)}


def test_a_path_reads_as_it_is_drawn():
    graph = ADMG.of([("Z", "X"), ("Z", "M"), ("M", "Y"), ("Y", "S")], [("X", "S")])
    assert str(graph.open_path("X", "Y")) == "X <- Z -> M -> Y"
    assert graph.open_path("X", {"Y"}, {"Z"}) is None
    assert str(graph.open_path("X", "Y", {"Z", "S"})) == "X <-> S <- Y"
    assert graph.order() == ("Z", "X", "M", "Y", "S")
    assert graph.project(["Z"]).bidirected == {("X", "S"), ("X", "M")}


def test_graphs_compare_and_hash_by_value():
    first, second = (ADMG.of([("A", "B")], [pair], ["A", "B"]) for pair in (("A", "B"), ("B", "A")))
    assert first == second
    assert hash(first) == hash(second)
    assert first.bidirected == {("A", "B")}


@pytest.mark.parametrize(
    ("edges", "words"),
    [
        ({"directed": [("A", "B"), ("B", "C"), ("C", "A")]}, "got A -> B -> C -> A"),
        ({"directed": [("A", "A")]}, "'A' to itself"),
        ({"bidirected": [("A", "A")]}, "'A' to itself"),
        ({"directed": [("age", "Y")], "nodes": ["Age", "Y"]}, "did you mean 'Age'"),
        ({"directed": [("Q", "Y")], "nodes": ["Age", "Y"]}, "there is no node 'Q'"),
    ],
)
def test_what_is_no_graph_is_said_in_a_sentence(edges, words):
    with pytest.raises(ValueError, match="expected") as caught:
        ADMG.of(**edges)
    assert words in str(caught.value)


def test_unknown_and_overlapping_nodes_are_said():
    graph = ADMG.of([("age", "pay")])
    with pytest.raises(ValueError, match="did you mean 'age'"):
        graph.ancestors("agee")
    with pytest.raises(ValueError, match="'pay' in two"):
        graph.separated("age", "pay", {"pay"})


def test_two_hundred_nodes_are_projected_and_separated_at_once():
    rng = np.random.default_rng(0)
    names = [f"v{k}" for k in range(200)]
    ends = [sorted(rng.choice(200, 2, replace=False)) for _ in range(800)]
    graph = ADMG.of([(names[a], names[b]) for a, b in ends], [(names[a], names[b]) for a, b in ends[:100]], names)
    start = time.process_time()
    seen = graph.project(names[::2])
    verdicts = [seen.separated("v1", "v199", {f"v{k}"}) for k in range(3, 199, 2)]
    assert not any(verdicts)
    assert time.process_time() - start < 2
