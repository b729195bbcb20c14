"""Samples and padded batches keep graph and labels together, whatever the plan."""

import ase.build
import jax
import numpy as np
import pytest

from symjax.data import Structures, make_batch, make_samples, sample_sizes
from symjax.graphs import Budget, edge_vectors, epoch_plan, mean_budget, split_nodes, unpad

MOLECULES = tuple(ase.build.molecule(name) for name in ("H2O", "CH4", "OH", "CO2", "CH3CH2OH"))
SPECIES = (1, 6, 8)


def labelled(*names):
    sizes = [len(atoms) for atoms in MOLECULES]
    forces = tuple(np.full((size, 3), float(i)) for i, size in enumerate(sizes, start=1))
    stress = np.arange(45.0).reshape(5, 3, 3) + 1
    labels = {"energy": np.arange(1.0, 6.0), "forces": forces, "stress": stress}
    return Structures(MOLECULES, {name: labels[name] for name in names or labels})


def test_labels_follow_their_graphs_through_any_plan():
    samples = make_samples(labelled(), cutoff=2.0, species=SPECIES)
    sizes = sample_sizes(samples)
    assert sizes[0].tolist() == [3, 5, 2, 3, 9]
    budget = mean_budget(*sizes, 2)
    seen = []
    for step in epoch_plan(*sizes, budget, shards=2, seed=3):
        batch = make_batch(samples, step, budget, dtype=np.float32)
        assert all(leaf.shape[0] == 2 for leaf in jax.tree.leaves(batch))
        for shard, chosen in enumerate(step):
            graph, labels, weights = jax.tree.map(lambda leaf, i=shard: leaf[i], batch)
            real = unpad(graph)
            forces = split_nodes(labels["forces"], real.n_node)
            for slot, sample in enumerate(chosen):
                assert labels["energy"][slot] == sample + 1
                assert real.n_node[slot] == len(MOLECULES[sample])
                np.testing.assert_array_equal(forces[slot], sample + 1)
                np.testing.assert_array_equal(labels["stress"][slot], labelled().stress[sample])
            assert weights["energy"].sum() == len(chosen)
            assert weights["forces"].sum() == real.n_node.sum()
            assert not labels["energy"][len(chosen) :].any()
            assert not labels["forces"][real.n_node.sum() :].any()
            seen += chosen.tolist()
    assert sorted(seen) == [0, 1, 2, 3, 4]


def test_all_batches_have_one_shape_and_type_even_when_empty():
    samples = make_samples(labelled("energy", "forces"), cutoff=2.0, species=SPECIES)
    batches = [make_batch(samples, step, Budget(20, 40, 4), dtype=np.float32) for step in ([[0, 1]], [[]], [[4]])]
    shapes = [jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), batch) for batch in batches]
    assert shapes[0] == shapes[1] == shapes[2]
    assert {leaf.dtype for leaf in jax.tree.leaves(batches[0])} == {np.dtype("float32"), np.dtype("int32")}
    assert batches[0].labels.keys() == {"energy", "forces"}
    assert not batches[1].labels["energy"].any()


def test_samples_stay_in_double_precision():
    (sample, *_) = make_samples(labelled(), cutoff=2.0, species=SPECIES)
    assert {leaf.dtype for leaf in jax.tree.leaves(sample)} == {np.dtype("float64"), np.dtype("int32")}


def test_what_is_not_known_weighs_nothing_and_the_rest_as_its_structure():
    whole = labelled("energy", "forces")
    energy, forces = np.copy(whole.energy), [np.copy(values) for values in whole.forces]
    energy[1], forces[0][2, 1] = np.nan, np.nan
    weights = np.array([2.0, 1.0, 0.5, 0.0, 1.0])
    partial = Structures(MOLECULES, {"energy": energy, "forces": tuple(forces)}, weights=weights)
    assert partial.known("energy").tolist() == [True, False, True, True, True]
    assert partial[[4, 0]].weights.tolist() == [1.0, 2.0]
    batch = make_batch(make_samples(partial, cutoff=2.0, species=SPECIES), [range(5)], Budget(24, 200, 7), dtype=float)
    assert batch.weights["energy"][0].tolist() == [2.0, 0.0, 0.5, 0.0, 1.0, 0.0, 0.0]
    assert batch.weights["forces"][0].tolist() == [2, 2, 0, *[1] * 5, *[0.5] * 2, *[0] * 3, *[1] * 9, *[0] * 2]
    assert all(np.isfinite(values).all() for values in batch.labels.values())
    assert batch.labels["energy"][0, :5].tolist() == [1.0, 0.0, 3.0, 4.0, 5.0]


def test_structures_without_labels_make_batches_too():
    samples = make_samples(Structures(MOLECULES), cutoff=2.0, species=SPECIES)
    assert make_batch(samples, [[0]], Budget(4, 8, 2), dtype=np.float64).labels == {}


def test_an_unknown_element_names_the_structure():
    with pytest.raises(ValueError, match=r"structure 3 \(CO2\): C is not in the species table H, O"):
        make_samples(labelled()[[0, 2, 0, 3]], cutoff=2.0, species=(1, 8))


def test_a_cell_too_small_for_the_cutoff_names_the_structure():
    tiny = ase.build.bulk("Si")
    tiny.cell[0] *= 1e-9
    with pytest.raises(ValueError, match=r"structure 1 \(Si2\): a cutoff of 4.0 Å reaches about .* images"):
        make_samples(Structures((ase.build.bulk("Si"), tiny)), cutoff=4.0, species=(14,))


def test_far_from_the_origin_nothing_is_blurred():
    near = ase.build.bulk("Si", cubic=True)
    near.rattle(0.1, seed=0)
    far = near.copy()
    far.positions += np.array([3000.0, -500.0, 70.0])
    far.positions[2] += 400 * far.cell[0]
    edges = []
    for atoms in (near, far):
        [sample] = make_samples(Structures((atoms,)), cutoff=4.0, species=(14,))
        graph = jax.tree.map(lambda leaf: leaf.astype(np.float32) if leaf.dtype == float else leaf, sample.graph)
        edges.append(np.sort(np.linalg.norm(edge_vectors(graph), axis=-1)))
    np.testing.assert_allclose(*edges, atol=2e-5)
