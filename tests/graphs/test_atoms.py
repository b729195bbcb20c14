"""Structures as graphs: vectors, species, cells and homogeneous strain."""

import ase
import ase.build
import jax
import numpy as np
import pytest

from symjax.graphs import atoms_graph, batch_graphs, edge_vectors, mean_budget, strain_graph


def test_edges_point_from_receiver_to_sender():
    graph = atoms_graph(ase.Atoms("OH", [[0.0, 0, 0], [0, 0, 1.0]]), cutoff=2.0, species=(1, 8))
    assert graph.nodes.species.tolist() == [1, 0]
    assert graph.receivers.tolist() == [0, 1]
    np.testing.assert_array_equal(edge_vectors(graph), [[0, 0, 1.0], [0, 0, -1.0]])
    np.testing.assert_array_equal(graph.globals.cell, np.zeros((1, 3, 3)))
    assert {leaf.dtype for leaf in jax.tree.leaves(graph)} == {np.dtype("float64"), np.dtype("int32")}


def test_a_crystal_has_its_coordination_numbers():
    graph = atoms_graph(ase.build.bulk("Si"), cutoff=2.5, species=(14,))
    assert graph.n_edge.tolist() == [8]
    np.testing.assert_allclose(np.linalg.norm(edge_vectors(graph), axis=1), 5.43 * 3**0.5 / 4)
    np.testing.assert_array_equal(graph.globals.cell[0], ase.build.bulk("Si").cell)


def test_wrapping_an_atom_by_a_lattice_vector_keeps_all_vectors():
    crystal = ase.build.bulk("Si")
    wrapped = crystal.copy()
    wrapped.positions[1] += np.array([2, -1, 1]) @ crystal.cell.array
    lists = [np.round(edge_vectors(atoms_graph(a, cutoff=5.0, species=(14,))), 8) + 0.0 for a in (crystal, wrapped)]
    np.testing.assert_allclose(*(np.array(sorted(rows.tolist())) for rows in lists), atol=1e-7)


def test_strain_deforms_vectors_of_its_own_graph_only():
    crystal = ase.build.bulk("Si", cubic=True)
    graphs = [atoms_graph(a, cutoff=4.0, species=(1, 14)) for a in (crystal, ase.build.molecule("SiH4"))]
    batch = batch_graphs(graphs, mean_budget([8, 5], [len(g.senders) for g in graphs], 2))
    strain = np.zeros((3, 3, 3))
    strain[0] = [[0.01, 0.04, 0], [0, 0, 0], [0, 0, -0.02]]
    deformed = strain_graph(batch, jax.numpy.asarray(strain))
    symmetric = np.eye(3) + (strain[0] + strain[0].T) / 2
    edges = len(graphs[0].senders)
    np.testing.assert_allclose(edge_vectors(deformed)[:edges], edge_vectors(batch)[:edges] @ symmetric, atol=1e-12)
    np.testing.assert_array_equal(edge_vectors(deformed)[edges:], edge_vectors(batch)[edges:])
    np.testing.assert_allclose(deformed.globals.cell[0], crystal.cell @ symmetric, atol=1e-12)


@pytest.mark.parametrize(
    ("atoms", "message"),
    [
        (ase.Atoms("HeH", np.eye(3)[:2]), "He is not in the species table H, O; the model"),
        (ase.Atoms("OH"), "atoms 0 and 1 of OH are at one point; move or remove one of them"),
        (ase.Atoms("H2", [[0, 0, 0], [0, 0, 2]], cell=[9, 9, 2], pbc=True), "atoms 0 and 1 of H2 are at one point"),
        (ase.Atoms(), "at least one atom"),
        (ase.Atoms("H", pbc=True), "independent lattice vectors"),
    ],
)
def test_nonsense_is_refused(atoms, message):
    with pytest.raises(ValueError, match=message):
        atoms_graph(atoms, cutoff=3.0, species=(1, 8))
