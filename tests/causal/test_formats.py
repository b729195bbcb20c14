import itertools

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings, strategies as st

from symjax.causal.graphs import ADMG, Drawn, read_graph, to_matrix, to_networkx, write_graph

WILD = st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), min_size=1, max_size=8)
ODD = st.sampled_from(["A", "B c", "node", "graph", "a->b", "1", 'q"', "x\\", "subgraph", "-1.5", " b "])
NAMES = st.lists(WILD | ODD, min_size=2, max_size=5, unique=True)
SIMPLE = ADMG.of([("Z", "X"), ("Z", "Y"), ("X", "Y")], nodes=["Z", "X", "Y"])
DOT = r"""
/* drawn by hand */
strict digraph "a study" {
  rankdir=LR; node [shape=box, fontname="x y"];
  # a remark
  "blood
pressure" -> {stroke "a \"bad\" day"} [color=red]; // to two
  subgraph cluster_0 { label="inner"; edge [dir=both]; stroke -> age [label=<<b>h</b>>] }
  U [label="Unobserved Confounders", observed="no"];
  U -> stroke:n -> "long" + " name"
  late -> U [dir=back]
}
"""
DAGITTY = """
dag {
bb="-4.166,-3.976,4.104,4.212"
"age at entry" [adjusted,pos="-1.7,-0.4"]
E [exposure,pos="-2.2,-1.5"]
D [outcome,pos="1.4,-1.5"]
U [latent,pos="0.1,1"]
U -> {E D}
E -> M -> D
"age at entry" <-> E
}
"""


@settings(deadline=None, max_examples=60)
@given(NAMES, st.data())
def test_every_format_gives_back_what_was_written(names, data):
    pairs = list(itertools.combinations(names, 2))
    directed, doubles = (data.draw(st.lists(st.sampled_from(pairs), max_size=5)) for _ in range(2))
    marks = [tuple(v for v in names if data.draw(st.booleans())) for _ in range(4)]
    drawn = Drawn(ADMG.of(directed, doubles, names), *marks)
    assert read_graph(write_graph(drawn.graph)) == Drawn(drawn.graph)
    assert read_graph(to_networkx(drawn)) == drawn
    for form in ("dot", "dagitty", "gml"):
        assert read_graph(write_graph(drawn, form)) == drawn
    arrows = ADMG.of(directed, (), names)
    assert read_graph(to_matrix(arrows), names).graph == arrows


@settings(deadline=None, max_examples=200)
@given(st.text('AB->< "{}[];,=#\n.\\:o@/*', max_size=20) | st.text(max_size=10))
@example('digraph {"a')
@example("graph [")
@example("dag{a[b=]}")
def test_whatever_is_typed_is_a_graph_or_one_sentence(text):
    for one in (text, "dag {" + text + "}", "graph [" + text + "]"):
        said = ""
        try:
            read_graph(one)
        except ValueError as error:
            said = str(error)
        assert not said or said.startswith("expected")


@pytest.mark.parametrize(
    "source",
    [
        "Z -> X; Z -> Y; X -> Y",
        "Z->X->Y\n Z --> Y  # twice said\n X -> Y",
        'Y <- Z → X, "X" -> Y',
        "digraph{Z->{X Y};X->Y}",
        "dag{Z->X->Y<-Z}",
        'graph[directed 1 node[id "Z" label "Z"] node[id "X" label "X"] node[id "Y" label "Y"]'
        'edge[source "Z" target "X"] edge[source "Z" target "Y"] edge[source "X" target "Y"]]',
        nx.DiGraph([("Z", "X"), ("Z", "Y"), ("X", "Y")]),
        pd.DataFrame([[0, 0.5, -2.0], [0, 0, 1], [0, 0, 0]], list("ZXY"), list("ZXY")),
        SIMPLE,
    ],
)
def test_one_graph_in_every_format(source):
    graph = read_graph(source).graph
    assert (set(graph.nodes), graph.directed, graph.bidirected) == (set("ZXY"), SIMPLE.directed, frozenset())


def test_dot_with_groups_ports_remarks_and_names_of_many_words():
    graph, hidden, *_ = read_graph(DOT)
    pressure, day = "blood\npressure", 'a "bad" day'
    assert graph.nodes == (pressure, "stroke", day, "age", "U", "long name", "late")
    arrows = {(pressure, "stroke"), (pressure, day), ("U", "stroke"), ("stroke", "long name"), ("U", "late")}
    assert graph.directed == arrows
    assert graph.bidirected == {("stroke", "age")}
    assert hidden == ("U",)


def test_dagitty_marks_latent_exposure_outcome_and_adjusted_nodes():
    drawn = read_graph(DAGITTY)
    assert drawn[1:] == (("U",), ("E",), ("D",), ("age at entry",))
    assert drawn.graph.directed == {("U", "E"), ("U", "D"), ("E", "M"), ("M", "D")}
    assert drawn.graph.bidirected == {("age at entry", "E")}


def test_a_path_or_a_text(tmp_path):
    for name in ("my--graph; x.dot", "g.dot"):
        (tmp_path / name).write_text("\ufeffdigraph {Z -> X; Z -> Y; X -> Y}\r\n", encoding="utf-8")
        assert read_graph(tmp_path / name).graph == SIMPLE == read_graph(str(tmp_path / name)).graph
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\xfd")
    with pytest.raises(ValueError, match="UTF-8"):
        read_graph(tmp_path / "bytes")
    with pytest.raises(ValueError, match="neither"):
        read_graph("long" * 500)
    assert read_graph("é" * 190 + "->Y").graph.parents("Y") == {"é" * 190}
    with pytest.raises(ValueError, match=r"did you mean 'g\.dot'"):
        read_graph(str(tmp_path / "gg.dot"))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("A -- B", "'A' -- 'B': write A -> B or B -> A, or A <-> B for a hidden common cause"),
        ("A - B", "'A' -- 'B'"),
        ("foo o-> b", "'foo' o-> 'b'"),
        ("graph {A -- B}", "'A' -- 'B'"),
        ("dag {A @-> B}", "'A' @-> 'B'"),
        ("digraph {A -> B [dir=none]}", "'A' -- 'B'"),
        ('graph [ node [id 0 label "A"] node [id 1 label "B"] edge [source 0 target 1] ]', "'A' -- 'B'"),
        (nx.Graph([("A", "B")]), "'A' -- 'B'"),
        (pd.DataFrame([[0, 1], [1, 0]], list("AB"), list("AB")), "'A' -- 'B'"),
        ("A -> B; B -> C; C -> A", "A -> B -> C -> A"),
        ("digraph {A -> A}", "'A' to itself"),
        ("A -> ", "a name on both sides"),
        ("digraph {\n A -> ", "in line 2"),
        ("digraph {subgraph a b {A -> B}}", "expected '{' in line 1, got 'b'"),
        ("digraph {A -> B} digraph {A -> B}", "expected 'the end'"),
        ("digraph { {} [color=red] }", "no node"),
        ("digraph {\n A -> ?}", "got '?}'"),
        ("  \n ", "no node"),
        ("digraph {}", "no node"),
        ("graph [ node [id 0] node [id 0] ]", "GML"),
        (nx.DiGraph([(1, 2), ("1", 2)]), "different names"),
        (np.eye(2), "different name"),
        (pd.DataFrame([[0, np.nan], [0, 0]], list("AB"), list("AB")), "NaN"),
        (pd.DataFrame([[0, "x"], [0, 0]], list("AB"), list("AB")), "numbers"),
        (pd.DataFrame([[0, 1], [0, 0]], list("BA"), list("AB")), "same names"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence(source, words):
    with pytest.raises(ValueError, match="expected") as caught:
        read_graph(source)
    assert words in str(caught.value)


def test_names_that_look_like_arrows_of_other_graphs_stay_names():
    assert read_graph("foo->other<-bo").graph.directed == {("foo", "other"), ("bo", "other")}
    assert read_graph("dag{o->b}").graph.directed == {("o", "b")}


def test_what_a_format_cannot_hold():
    with pytest.raises(ValueError, match="A <-> B"):
        to_matrix(ADMG.of([], [("A", "B")]))
    with pytest.raises(ValueError, match="arrows, dot, dagitty, gml"):
        write_graph(SIMPLE, "bif")
    with pytest.raises(TypeError, match="got int"):
        read_graph(3)
