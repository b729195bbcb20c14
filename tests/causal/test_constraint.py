import sys

import numpy as np
import pytest

from symjax.causal.discover import PartialGraph, compare_graphs, cpdag, fci, ges, pc

RNG = np.random.default_rng(0)
NAMES = ["X", "Z", "Y", "W"]


@pytest.fixture(scope="module")
def data():
    """Two causes that meet in Y, and what Y causes."""
    x, z, *noise = RNG.standard_normal((4, 1000))
    y = x + z + noise[0]
    return np.stack([x, z, y, y + noise[1]], axis=1)


def test_pc_ges_and_fci_say_what_independencies_tell(data):
    pytest.importorskip("causallearn")
    assert str(pc(data, NAMES)) == str(ges(data, NAMES)) == "X -> Y; Z -> Y; Y -> W"
    assert str(fci(data, NAMES)) == "X o-> Y; Z o-> Y; Y -> W"
    assert str(pc(data[:, 2:])) == "V0 -- V1"
    with pytest.raises(ValueError, match="expected a name for each of 4 columns, got 2"):
        pc(data, ["X", "Z"])


def test_what_is_found_compares_and_becomes_a_graph_where_nothing_is_open():
    true = np.zeros((4, 4), bool)
    true[[0, 1, 2], [2, 2, 3]] = True
    found = PartialGraph(tuple(NAMES), (("X", "->", "Y"), ("Z", "->", "Y"), ("Y", "--", "W")))
    assert compare_graphs(found.edges(), cpdag(true)) == (1, 0, 0, 1, 3)
    with pytest.raises(ValueError, match="got Y -- W: decide"):
        found.admg()
    hidden = PartialGraph(("X", "Y", "W"), (("Y", "->", "X"), ("X", "<->", "W"))).admg()
    assert (hidden.directed, hidden.bidirected) == ({("Y", "X")}, {("X", "W")})


def test_without_causal_learn_the_way_to_it_is_named(monkeypatch, data):
    monkeypatch.setitem(sys.modules, "causallearn", None)
    monkeypatch.setitem(sys.modules, "causallearn.search.ConstraintBased.PC", None)
    with pytest.raises(ValueError, match=r"pip install 'symjax\[discovery\]'"):
        pc(data)
