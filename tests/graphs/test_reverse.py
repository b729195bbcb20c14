import ase.build
import jax
import numpy as np
import pytest

from symjax.graphs import Budget, atoms_graph, batch_graphs, edge_vectors, reverse_edges


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_edge_of_a_small_cell_has_a_way_back(dtype):
    """Each atom sees several images of the other and of itself; padding has no way back."""
    crystal = ase.build.bulk("Si")
    crystal.positions[1] += [0.2, -0.1, 0.15]
    graph = atoms_graph(crystal, cutoff=6.0, species=(14,))
    count = len(graph.senders)
    assert count > 60
    padded = batch_graphs([graph, graph], Budget(8, 2 * count + 7, 3), dtype=dtype)
    back = np.asarray(jax.jit(reverse_edges)(padded))
    np.testing.assert_array_equal(back[2 * count :], len(back))
    real = back[: 2 * count]
    np.testing.assert_array_equal(padded.senders[real], padded.receivers[: 2 * count])
    np.testing.assert_array_equal(padded.receivers[real], padded.senders[: 2 * count])
    vectors = np.asarray(edge_vectors(padded))
    np.testing.assert_allclose(vectors[real], -vectors[: 2 * count], atol=1e-5)


def test_an_edge_without_a_way_back_is_told():
    graph = atoms_graph(ase.Atoms("H3", [(0, 0, 0), (1, 0, 0), (0, 1, 0)]), cutoff=1.2, species=(1,))
    one_way = graph._replace(
        senders=graph.senders[1:],
        receivers=graph.receivers[1:],
        edges=graph.edges._replace(shifts=graph.edges.shifts[1:]),
    )
    back = np.asarray(reverse_edges(one_way))
    assert sorted(back)[-1] == len(back) == 3
    assert np.sum(back == 3) == 1
