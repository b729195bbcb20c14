"""Neighbour lists against two independent implementations, in every kind of cell."""

import ase
import ase.neighborlist
import numpy as np
import pytest
import vesin

from symjax.graphs import neighbour_list

TRICLINIC = np.array([[3.0, 0.2, 0.0], [1.1, 2.7, 0.3], [-0.4, 0.8, 3.3]])


def triples(senders, receivers, shifts):
    """A neighbour list as a sorted array, so that two lists can be compared whatever their order."""
    rows = np.column_stack([receivers, senders, np.round(shifts, 6) + 0.0])
    return rows[np.lexsort(rows.T[::-1])]


@pytest.mark.parametrize(
    ("atoms", "cell", "pbc", "cutoff"),
    [
        (1, np.eye(3) * 2.1, (True, True, True), 5.0),
        (4, TRICLINIC, (True, True, True), 4.0),
        (4, TRICLINIC[[1, 0, 2]], (True, True, True), 4.0),
        (5, np.array([[12.0, 0, 0], [11.0, 1.5, 0], [0, 5.0, 2.0]]), (True, True, True), 4.0),
        (6, TRICLINIC, (True, False, True), 4.0),
        (6, TRICLINIC, (False, False, True), 6.0),
        (30, TRICLINIC * 3, (True, True, True), 4.0),
        (30, np.eye(3) * 7, (False, False, False), 4.0),
        (30, np.diag([40.0, 3.0, 1.5]), (True, True, True), 4.0),
    ],
)
def test_agrees_with_ase_and_vesin(atoms, cell, pbc, cutoff):
    # Fractional coordinates from -1.5 to 2.5: many atoms lie outside the cell.
    positions = np.random.default_rng(atoms).uniform(-1.5, 2.5, (atoms, 3)) @ cell
    senders, receivers, shifts = neighbour_list(positions, cell, np.array(pbc), cutoff)
    assert senders.dtype == receivers.dtype == np.int32
    assert (np.diff(receivers) >= 0).all()
    lengths = np.linalg.norm(positions[senders] - positions[receivers] + shifts, axis=1)
    assert len(lengths) > 0
    assert lengths.max() <= cutoff

    system = ase.Atoms("H" * atoms, positions, cell=cell, pbc=pbc)
    i, j, s = ase.neighborlist.neighbor_list("ijS", system, cutoff)
    expected = triples(j, i, s @ cell)
    np.testing.assert_allclose(triples(senders, receivers, shifts), expected, atol=2e-6)
    i, j, s = vesin.ase_neighbor_list("ijS", system, cutoff)
    np.testing.assert_allclose(triples(j, i, s @ cell), expected, atol=2e-6)


def test_a_slab_needs_no_third_lattice_vector():
    positions = np.random.default_rng(0).uniform(0, 3, (5, 3))
    cell, pbc = np.diag([3.0, 3.0, 0.0]), np.array([True, True, False])
    tall = neighbour_list(positions, np.diag([3.0, 3.0, 50.0]), pbc, 4.0)
    for ours, theirs in zip(neighbour_list(positions, cell, pbc, 4.0), tall, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)


def test_coincident_atoms_see_each_other_but_not_themselves():
    senders, receivers, _ = neighbour_list(np.zeros((2, 3)), np.zeros((3, 3)), np.zeros(3, bool), 1.0)
    assert list(zip(senders.tolist(), receivers.tolist(), strict=True)) == [(1, 0), (0, 1)]


@pytest.mark.parametrize("atoms", [0, 1])
def test_no_pairs(atoms):
    senders, receivers, shifts = neighbour_list(np.zeros((atoms, 3)), np.eye(3) * 9, np.ones(3, bool), 5.0)
    assert senders.shape == receivers.shape == (0,)
    assert shifts.shape == (0, 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cutoff": 0.0}, "cutoff must be a positive number"),
        ({"cutoff": np.nan}, "cutoff must be a positive number"),
        ({"positions": np.array([[0.0, 0, 0], [0, np.nan, 0]])}, "atom 1 is at"),
        ({"cell": np.zeros((3, 3))}, "independent lattice vectors"),
        ({"cell": np.array([[1.0, 0, 0], [2, 0, 0], [0, 0, 1]])}, "independent lattice vectors"),
        ({"cell": np.full((3, 3), np.inf)}, "lattice vectors must be finite"),
        ({"cutoff": 3000.0}, r"3000.0 Å reaches about 4e\+11 periodic images .* lower the cutoff, or mend the cell"),
        ({"cell": np.diag([1e-9, 1, 1])}, r"4e\+10 periodic images .*\[1e-09, 0.0, 0.0\]"),
    ],
)
def test_nonsense_is_refused(change, message):
    arguments = {"positions": np.zeros((2, 3)), "cell": np.eye(3), "pbc": np.ones(3, bool), "cutoff": 1.0} | change
    with pytest.raises(ValueError, match=message):
        neighbour_list(**arguments)


@pytest.mark.parametrize("pbc", [False, True])
def test_more_pairs_than_fit_are_counted_and_not_made(pbc):
    """7000 atoms in a box of 3 Å, all within reach of each other."""
    positions = np.random.default_rng(0).uniform(0, 3, (7000, 3))
    with pytest.raises(ValueError, match=r"^\d+ pairs of atoms are within the cutoff of 6.0 Å"):
        neighbour_list(positions, np.eye(3) * 9, np.full(3, pbc), 6.0)
