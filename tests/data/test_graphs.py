import pathlib

import networkx as nx
import numpy as np
import pytest

from symjax.data import (
    SKIPS,
    BlockModel,
    both_ways,
    circulant,
    from_networkx,
    karate_club,
    label_graphs,
    laplacian_features,
    make_graphs,
    read_edge_list,
    read_graphs,
    rook,
    rows_to_one,
    shrikhande,
    sparse_features,
    walk_features,
    warn_one_way,
)

PLANETOID = pathlib.Path(__file__).parents[3] / "shared" / "data" / "planetoid"
ENDS = [0, 1, 1, 2], [1, 0, 2, 1]
GRAPH = {
    "senders": np.array(ENDS[0]),
    "receivers": np.array(ENDS[1]),
    "features": np.eye(3),
    "labels": np.array([0, 1, 0]),
    "train": np.array([0]),
    "valid": np.array([1]),
    "test": np.array([2]),
}


def saved(folder, **changes):
    """The path of a file with a path of three nodes, changed."""
    arrays = {name: value for name, value in (GRAPH | changes).items() if value is not None}
    np.savez(folder / "graph.npz", **arrays)
    return folder / "graph.npz"


def test_features_may_be_dense_or_sparse(tmp_path):
    dense = read_graphs(saved(tmp_path))
    places = {"feature_node": np.array([2, 0, 1]), "feature_index": np.array([2, 0, 1])}
    sparse = read_graphs(saved(tmp_path, features=None, feature_shape=np.array([3, 3]), **places))
    np.testing.assert_array_equal(sparse.graph.nodes.todense(), dense.graph.nodes)
    assert dense.classes == 2
    assert list(dense.graph.n_node) == [3]
    assert list(dense.graph.n_edge) == [4]


def test_edges_keep_their_weights_when_they_are_sorted_by_receiver(tmp_path):
    graph = read_graphs(saved(tmp_path, edges=np.array([0.1, 1.0, 1.2, 2.1]))).graph
    assert list(graph.receivers) == [0, 1, 1, 2]
    assert list(graph.edges) == [1.0, 0.1, 2.1, 1.2]


def test_several_graphs_have_labels_of_their_own(tmp_path):
    several = {"n_node": np.array([2, 1, 1]), "features": np.ones((4, 2)), "labels": np.array([0.5, -2.0, 1.0])}
    data = read_graphs(saved(tmp_path, senders=np.array([0, 1]), receivers=np.array([1, 0]), **several))
    assert list(data.graph.n_edge) == [2, 0, 0]
    with pytest.raises(ValueError, match="edge 0 leads from graph 0 to 1"):
        make_graphs([0], [2], np.ones((4, 2)), n_node=[2, 1, 1])
    with pytest.raises(ValueError, match="n_node counts 3 nodes"):
        make_graphs([0], [1], np.ones((4, 2)), n_node=[2, 1])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"colour": np.ones(3)}, "has an array 'colour', but the layout knows edges, "),
        ({"labels": None}, "has no array 'labels'"),
        ({"features": None}, "has no array 'feature_index'"),
        ({"senders": np.array([0, 1, 1, 3])}, "edge 3 has 3 among its senders, but nodes are 0 to 2"),
        ({"receivers": np.array([1, 0, 2, -1])}, "edge 3 has -1 among its receivers"),
        ({"senders": np.array([0.0, 1, 1, 2])}, "senders as a row of whole numbers"),
        ({"receivers": np.array([1, 0, 2])}, "as many senders as receivers"),
        ({"features": np.ones(3)}, "features of shape \\[nodes, channels\\]"),
        ({"labels": np.array([0, 1])}, "a label for each of 3 nodes, got 2"),
        ({"labels": np.array([0, -2, 1])}, "label -2 of node 1 is none of the classes 0 to 1"),
        ({"labels": np.array([-1, 0, 1])}, "'train' has 0, which has no label"),
        ({"train": np.array([], int)}, "'train' is empty"),
        ({"train": np.array([0, 1])}, "the splits overlap: 1 is in 'train' and in 'valid'"),
        ({"test": np.array([3])}, "'test' has 3, but places are 0 to 2"),
        ({"test": np.array([2.5])}, "the split 'test' as a row of places of labels, got float64"),
        ({"train": np.array([True, False, False])}, "numpy.flatnonzero makes one of a mask"),
        ({"labels": np.array(["a", "b", "a"])}, "classes 0, 1, ... or real numbers, got <U1"),
        ({"labels": np.array([0, None, 1])}, "expected numpy arrays by name"),
        ({"features": np.full((3, 3), np.nan)}, "features that are finite numbers"),
        ({"edges": np.array([1, 1, 1, np.inf])}, "edges that are finite numbers"),
        ({"n_node": np.array([4, -1])}, "n_node as sizes of graphs, whole numbers from zero on, got \\[4, -1\\]"),
        ({"feature_node": np.array([0])}, "dense and sparse, in 'features' and 'feature_node'"),
    ],
)
def test_what_cannot_be_is_refused(changes, sentence, tmp_path):
    with pytest.raises(ValueError, match=sentence):
        read_graphs(saved(tmp_path, **changes))


def test_classes_may_be_fewer_than_labels_have():
    graph = make_graphs(*ENDS, np.eye(3))
    with pytest.raises(ValueError, match="label 2 of node 1 is none of the classes 0 to 1"):
        label_graphs(graph, [0, 2, 1], classes=2, train=[0], valid=[1], test=[2])


def test_edges_that_lead_one_way_are_named(tmp_path):
    path = saved(tmp_path, senders=np.array([0, 2]), receivers=np.array([1, 1]))
    with pytest.warns(UserWarning, match="2 of 2 edges lead one way only, such as 0 -> 1, 2 -> 1; list"):
        graph = read_graphs(path).graph
    assert len(read_graphs(path, undirected=False).graph.senders) == 2
    mended = both_ways(graph)
    warn_one_way(mended)
    assert sorted(zip(mended.senders.tolist(), mended.receivers.tolist(), strict=True)) == sorted(
        zip(*ENDS, strict=True)
    )


def test_sparse_features_are_checked_and_scaled():
    features = sparse_features([1, 0, 1], [0, 2, 1], (3, 3), [3.0, 2.0, 1.0], dtype=float)
    np.testing.assert_array_equal(features.todense(), [[0, 0, 2], [3, 1, 0], [0, 0, 0]])
    wanted = [[0, 0, 1], [0.75, 0.25, 0], [0, 0, 0]]
    np.testing.assert_array_equal(rows_to_one(features).todense(), wanted)
    np.testing.assert_array_equal(rows_to_one(np.asarray(features.todense())), wanted)
    with pytest.raises(ValueError, match=r"feature \(0, 3\) lies outside of the shape \(3, 3\)"):
        sparse_features([0], [3], (3, 3))
    with pytest.raises(ValueError, match="a row, a column and, if any, a value for each place"):
        sparse_features([0, 1], [0, 1], (3, 3), [1.0])
    with pytest.raises(ValueError, match="each place of a sparse feature once"):
        sparse_features([0, 0], [1, 1], (3, 3))


def test_tables_become_a_graph(tmp_path):
    edges, nodes = tmp_path / "edges.csv", tmp_path / "nodes.csv"
    edges.write_text("from,to,weight\nann,bob,0.5\nbob,eve,1.5\n")
    nodes.write_text("name,label,split,age\nann,yes,train,31\nbob,no,valid,47\neve,yes,test,20\ndan,,,9\n")
    data = read_edge_list(edges, nodes)
    assert list(data.labels) == [1, 0, 1, -1]
    assert list(data.graph.nodes[:, 0]) == [31, 47, 20, 9]
    assert list(data.graph.edges) == [0.5, 0.5, 1.5, 1.5]
    assert len(read_edge_list(edges, nodes, undirected=False).graph.senders) == 2
    nodes.write_text("name,label,split,age\nann,yes,train,31\nbob,no,validation,47\neve,yes,test,20\n")
    with pytest.raises(ValueError, match="a split among train, valid, test, or none, got 'validation'"):
        read_edge_list(edges, nodes)
    edges.write_text("")
    with pytest.raises(ValueError, match=r"edges\.csv is empty"):
        read_edge_list(edges, nodes)
    edges.write_text("from,to\nann,zoe\n")
    with pytest.raises(ValueError, match="an edge of 'zoe', which is no node"):
        read_edge_list(edges, nodes)
    nodes.write_text("name,label,split,age\nann,yes,train,old\n")
    edges.write_text("from,to\nann,ann\n")
    with pytest.raises(ValueError, match="a number in every row of the column 'age'"):
        read_edge_list(edges, nodes)
    nodes.write_text("name,label\nann,yes\n")
    with pytest.raises(ValueError, match="names, a label and a split"):
        read_edge_list(edges, nodes)


def test_belief_propagation_is_bayes_rule_on_a_path():
    """Against the sum over all communities of a path of four nodes."""
    model = BlockModel(4, 2.0, 1.0, mu=0.7, channels=2)
    features = np.random.default_rng(0).standard_normal((4, 2))
    graph = make_graphs([0, 1, 1, 2, 2, 3], [1, 0, 2, 1, 3, 2], features)
    sides = np.array(list(np.ndindex(2, 2, 2, 2))) * 2 - 1
    alike = (sides[:, 1:] == sides[:, :-1]).sum(axis=1)
    weights = np.exp(model.mu * sides @ features[:, 0]) * model.within**alike * (1 - model.within) ** (3 - alike)
    odds = [np.log(weights[own > 0].sum() / weights[own < 0].sum()) for own in sides.T]
    np.testing.assert_allclose(model.propagate(graph, 3), odds, rtol=1e-12)
    with pytest.raises(ValueError, match="expected every edge both ways"):
        model.propagate(make_graphs([0], [1], features), 1)


def test_blocks_are_joined_as_often_as_said():
    model = BlockModel(2000, 5.0, 1.5)
    graph, labels = model.sample(0)
    assert len(graph.senders) == 10_000
    assert len(set(zip(graph.senders.tolist(), graph.receivers.tolist(), strict=True))) == 10_000
    assert np.mean(labels[graph.senders] == labels[graph.receivers]) == pytest.approx(model.within, abs=0.02)
    right = [np.mean((model.propagate(graph, rounds) > 0) == labels) for rounds in range(4)]
    assert right == sorted(right)
    assert right[0] < 0.75
    assert right[3] > 0.88
    with pytest.raises(ValueError, match=r"a signal from 0 to sqrt\(degree\) = 2.24, got 3"):
        BlockModel(signal=3.0)


def test_known_graphs_are_what_they_are_called():
    assert nx.is_strongly_regular(rook())
    assert nx.is_strongly_regular(shrikhande())
    assert not nx.is_isomorphic(rook(), shrikhande())
    assert all(degree == 4 for _, degree in circulant(SKIPS[0]).degree)
    walks = walk_features(circulant(3), 4)
    assert np.ptp(walks, axis=0).max() < 1e-12
    np.testing.assert_allclose(walks[0, :2], [0, 0.25])
    batch = from_networkx([nx.path_graph(2), nx.empty_graph(1), nx.null_graph()])
    assert batch.n_node.tolist() == [2, 1, 0]
    assert batch.n_edge.tolist() == [2, 0, 0]
    club = karate_club()
    assert club.graph.n_node.tolist() == [34]
    assert len(club.graph.senders) == 156
    assert club.classes == 2


def test_projections_have_no_sign():
    """Turning eigenvectors within a level changes nothing: the same numbers come out for another numbering."""
    graph = nx.cycle_graph(5)
    order = [2, 0, 4, 1, 3]
    turned = nx.relabel_nodes(graph, dict(zip(order, range(5), strict=True)))
    again = nx.Graph(sorted(tuple(sorted(edge)) for edge in turned.edges))
    again = nx.relabel_nodes(again, dict(zip(again, again, strict=True)))
    features = laplacian_features(graph, 3)
    np.testing.assert_allclose(np.sort(laplacian_features(again, 3), axis=0), np.sort(features, axis=0), atol=1e-12)
    np.testing.assert_allclose(features[:, 1], 0.2)


@pytest.mark.skipif(not PLANETOID.exists(), reason="no package ships these graphs")
@pytest.mark.parametrize(("name", "sizes"), {"cora": (2708, 10_556, 7, 140), "citeseer": (3327, 9104, 6, 120)}.items())
def test_citations_are_read(name, sizes):
    data = read_graphs(PLANETOID / f"{name}.npz")
    assert (data.graph.nodes.shape[0], len(data.graph.senders), data.classes, len(data.train)) == sizes
