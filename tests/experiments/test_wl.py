import networkx as nx
import pytest

from experiments import wl
from symjax.data import hexagon, two_triangles

ATLAS = nx.graph_atlas_g()


def test_colour_refinement_finds_as_many_classes_as_is_known():
    assert len(set(wl.refine(ATLAS))) == 1227
    assert len(set(wl.refine([hexagon(), two_triangles()]))) == 1


@pytest.mark.parametrize(("layer", "count"), [("GIN", 1227), ("GraphSAGE, mean", 29)])
def test_sums_see_what_colour_refinement_sees_and_means_do_not(layer, count):
    found = wl.separation(wl.outputs(ATLAS, "1", wl.LAYERS[layer], 0))
    assert found.classes == count
    assert found.within < 1e-12


def test_circulants_are_told_apart_by_walks_alone():
    graphs, gin = wl.PAIRS["ten circulants"](), wl.LAYERS["GIN"]
    assert wl.separation(wl.outputs(graphs, "1", gin, 0)).classes == 1
    assert wl.separation(wl.outputs(graphs, "walks", gin, 0)).classes == 10


def test_pairs_are_drawn(tmp_path):
    wl.training.write_picture(tmp_path / "wl.png", wl.draw())
    assert (tmp_path / "wl.png").stat().st_size > 10_000
