import itertools
import time

import numpy as np
import pytest
import statsmodels.api as sm

from symjax.causal import graphs
from symjax.causal.graphs import ADMG
from symjax.causal.graphs.layout import lay_out

RNG = np.random.default_rng(0)


def random_graph(size, edges, doubles=0):
    names = [f"v{k}" for k in range(size)]
    pairs = list(itertools.combinations(names, 2))
    chosen = RNG.permutation(len(pairs))
    some = [pairs[k] for k in chosen[:edges]], [pairs[k] for k in chosen[-doubles:] if doubles]
    return ADMG.of(*some, names)


def test_each_implied_set_separates_and_none_of_its_subsets_does():
    for _ in range(20):
        graph = random_graph(7, 9, 3)
        implied = {(i.x, i.y): i.given for i in graphs.implied_independencies(graph)}
        for x, y in itertools.combinations(graph.nodes, 2):
            rest = [v for v in graph.nodes if v not in (x, y)]
            sets = [s for size in range(6) for s in itertools.combinations(rest, size) if graph.separated(x, y, s)]
            assert ((x, y) in implied) == bool(sets)
            if sets:
                assert set(implied[x, y]) in map(set, sets)
                assert not any(set(s) < set(implied[x, y]) for s in sets)


def test_an_inducing_path_leaves_a_pair_without_independence():
    verma = ADMG.of([("A", "B"), ("B", "C"), ("C", "D")], [("B", "D")])
    assert [str(i) for i in graphs.implied_independencies(verma)] == ["A _||_ C | B"]
    assert [str(i) for i in graphs.implied_independencies(ADMG.of(nodes=["A", "B"]))] == ["A _||_ B"]


def linear_data(n=800):
    z, noise = RNG.normal(size=n), RNG.normal(size=(3, n))
    x = 10 + z + noise[0]
    return {"Z": z, "X": x, "M": x + noise[1], "Y": 3 + z + noise[2]}


def test_a_true_graph_agrees_and_a_missing_arrow_is_found():
    data = linear_data()
    true = ADMG.of([("Z", "X"), ("Z", "Y"), ("X", "M")])
    assert not any(test.refuted for test in graphs.test_independencies(true, data))
    wrong = ADMG.of([("Z", "X"), ("X", "M"), ("M", "Y")])
    found = {str(test.independence): test for test in graphs.test_independencies(wrong, data)}
    assert {name for name, test in found.items() if test.refuted} == {"Z _||_ Y | X", "X _||_ Y | M"}
    assert "does not hold" in found["Z _||_ Y | X"].verdict and "agrees" in found["Z _||_ M | X"].verdict  # noqa: PT018


def test_the_partial_correlation_is_that_of_a_regression():
    data = linear_data(60)
    (test,) = graphs.test_independencies(ADMG.of([("X", "M"), ("X", "Y")]), data)
    fit = sm.OLS(data["Y"], sm.add_constant(np.stack([data["M"], data["X"]], 1))).fit()
    t, freedom = fit.tvalues[1], fit.df_resid
    np.testing.assert_allclose(test.correlation, t / np.sqrt(t**2 + freedom), atol=1e-12)
    assert test.p_value == test.adjusted


def test_p_values_are_uniform_and_holm_keeps_the_level():
    graph = ADMG.of(nodes=list("ABCD"))
    runs = [
        graphs.test_independencies(graph, dict(zip("ABCD", RNG.normal(size=(4, 40)), strict=True))) for _ in range(400)
    ]
    alone = np.array([[test.p_value for test in run] for run in runs])
    np.testing.assert_allclose(np.quantile(alone, [0.05, 0.5, 0.9]), [0.05, 0.5, 0.9], atol=0.03)
    assert np.mean([any(test.refuted for test in run) for run in runs]) < 0.08
    for run in runs[:5]:
        p, q = np.array([(test.p_value, test.adjusted) for test in run]).T
        rank = np.argsort(np.argsort(p))
        np.testing.assert_allclose(q[rank == 0], np.minimum(1, 6 * p[rank == 0]))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"Y": None}, "none for 'Y'"),
        ({"Y": np.array([1.0, np.nan] * 10)}, "10 others in column 'Y'"),
        ({"Y": np.zeros(3)}, r"shape [3] for 'Y'"),
    ],
)
def test_columns_that_do_not_fit(change, words):
    data = {"X": np.arange(20.0), "Y": np.arange(20.0) ** 2} | change
    with pytest.raises(ValueError, match="expected") as caught:
        graphs.test_independencies(ADMG.of(nodes=["X", "Y"]), {k: v for k, v in data.items() if v is not None})
    assert words in str(caught.value)


def test_a_constant_column_cannot_refute():
    (test,) = graphs.test_independencies(ADMG.of(nodes=["X", "Y"]), {"X": np.ones(9), "Y": np.arange(9.0)})
    assert not test.refuted
    assert "cannot be tested" in test.verdict
    with pytest.raises(ValueError, match="more than 3 rows"):
        graphs.test_independencies(ADMG.of(nodes=["X", "Y"]), {"X": np.arange(3.0), "Y": np.arange(3.0)})


def test_no_two_nodes_of_a_drawing_overlap_and_arrows_go_right():
    graph = random_graph(30, 55, 6)
    layout = lay_out(graph, dict.fromkeys(graph.nodes, 0.5), 0.3)
    level = {v: k for k, layer in enumerate(layout.layers) for v in layer}
    assert set(graph.nodes) <= set(level)
    assert all(level[a] < level[b] for a, b in graph.directed)
    for layer in layout.layers:
        nodes = [layout.heights[v] for v in layer if isinstance(v, str)]
        assert all(b - a >= 0.5 - 1e-9 for a, b in itertools.pairwise(nodes))
        assert all(a < b for a, b in itertools.pairwise(layout.heights[item] for item in layer))
    for (a, _, b), bends in layout.bends.items():
        assert [level[bend] for bend in bends] == list(range(level[a] + 1, level[b]))


def test_a_planar_graph_is_drawn_without_a_crossing():
    tree = ADMG.of([(f"v{(k - 1) // 2}", f"v{k}") for k in range(1, 31)])
    layout = lay_out(tree, dict.fromkeys(tree.nodes, 0.5), 0.3)
    for left, right in itertools.pairwise(layout.layers):
        parents = [left.index(next(iter(tree.parents(v)))) for v in right]
        assert parents == sorted(parents)


def test_a_picture_is_written(tmp_path):
    names = ["blood pressure at the entry of the study", "$x_1", "Y", "Z", "W"]
    graph = ADMG.of([(names[1], "Y"), (names[0], names[1]), ("Z", "W")], [(names[0], "Y"), ("Z", "Y")], names)
    start = time.process_time()
    graphs.draw_graph(tmp_path / "g.png", graph, treatment="$x_1", outcome=["Y"], adjustment=names[:1], hidden=["Z"])
    assert (tmp_path / "g.png").read_bytes()[:4] == b"\x89PNG"
    assert time.process_time() - start < 10
    with pytest.raises(ValueError, match="no node 'Q'"):
        graphs.draw_graph(tmp_path / "g.png", graph, hidden=["Q"])
    with pytest.raises(OSError, match="could not be written"):
        graphs.draw_graph(tmp_path / "none" / "g.png", graph)
