"""The loss counts every label once, whatever the padding and the batches."""

import dataclasses

import jax
import numpy as np
import pytest
from pair_model import CUTOFF, SPECIES, PairModel, params, samples, structures

from symjax.data import make_batch, sample_sizes
from symjax.graphs import Budget, epoch_plan
from symjax.models.atoms import SchNet
from symjax.potentials import (
    References,
    drawn_loss,
    energy_and_forces,
    label_loss,
    label_spreads,
    potential_loss,
    scaled_energy,
    scaled_labels,
)

ENERGY = scaled_energy(PairModel(), 2.5)
LOSS = jax.jit(potential_loss(ENERGY, stress=True))
KEY = jax.random.key(0)
SMALL = SchNet(2, 3.0, cutoff=CUTOFF, channels=2, filters=2, layers=1, radial_basis=3)
ROOMY = Budget(40, 2000, 9)


def batch(data, chosen, budget=ROOMY, dtype=np.float64):
    return jax.tree.map(lambda leaf: leaf[0], make_batch(samples(data), [chosen], budget, dtype=dtype))


def added(all_sums):
    names = all_sums[0].keys()
    return {name: tuple(sum(float(sums[name][i]) for sums in all_sums) for i in (0, 1)) for name in names}


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-12, err_msg=name)


def by_hand(data):
    """The sums from predictions without padding, in numpy."""
    predict = jax.jit(energy_and_forces(ENERGY, stress=True))
    found = [jax.tree.map(np.asarray, predict(params(), sample.graph)) for sample in samples(data)]
    sizes = np.array([len(atoms) for atoms in data.atoms])
    energy = np.array([f.energy[0] for f in found]) - data.energy
    forces = np.concatenate([f.forces for f in found]) - np.concatenate(data.forces)
    stress = np.array([f.stress[0] for f in found]) - data.stress
    volume = np.array([atoms.cell.volume for atoms in data.atoms])[:, None, None]
    return {
        "energy": (((energy / sizes) ** 2).sum(), len(sizes)),
        "energy_mae": (np.abs(energy).sum(), len(sizes)),
        "forces": ((forces**2).sum(), forces.size),
        "forces_mae": (np.abs(forces).sum(), forces.size),
        "stress": (((stress * volume / sizes[:, None, None]) ** 2).sum(), stress.size),
        "stress_mae": (np.abs(stress).sum(), stress.size),
    }


@pytest.fixture(scope="module")
def data():
    return structures()


@pytest.fixture(scope="module")
def whole(data):
    return added([LOSS(params(), batch(data, range(5)), KEY)])


def test_sums_and_counts_are_those_of_numpy(data, whole):
    assert_same(whole, by_hand(data))
    assert whole["stress"][1] == 9 * 5


@pytest.mark.parametrize("parts", [[[0], [1, 2], [3, 4]], [[4, 0], [], [3, 1, 2]]])
def test_batching_changes_nothing(data, whole, parts):
    assert_same(added([LOSS(params(), batch(data, part), KEY) for part in parts]), whole)


def test_padding_changes_nothing(data, whole):
    nodes, edges = sample_sizes(samples(data))
    tight = Budget(int(nodes.sum()) + 1, int(edges.sum()), 6)
    assert len(epoch_plan(nodes, edges, tight, shuffle=False)) == 1
    assert_same(added([LOSS(params(), batch(data, range(5), tight), KEY)]), whole)


def test_labels_on_padding_are_not_seen(data, whole):
    full = batch(data, range(5))
    spoilt = jax.tree.map(np.copy, full.labels)
    spoilt["energy"][5:], spoilt["forces"][15:], spoilt["stress"][5:] = np.nan, np.nan, np.nan
    assert_same(added([LOSS(params(), full._replace(labels=spoilt), KEY)]), whole)


def test_masked_labels_have_the_gradient_of_the_batch_without_them(data):
    """Half of the forces and one energy and stress unknown: as if they were cut out by hand."""
    energy, stress, forces = np.copy(data.energy), np.copy(data.stress), [np.copy(values) for values in data.forces]
    energy[3], stress[2], forces[4][[0, 3]] = np.nan, np.nan, np.nan
    labels = {"energy": energy, "forces": tuple(forces), "stress": stress}
    partial = batch(dataclasses.replace(data, labels=labels), range(5))
    predict = energy_and_forces(ENERGY, stress=True)
    known_atoms, sizes = np.r_[0:10, 11:13, 14], np.array([len(atoms) for atoms in data.atoms], float)
    volume_per_atom = (np.array([atoms.cell.volume for atoms in data.atoms]) / sizes)[:, None, None]

    @jax.jit
    def by_hand(params):
        found, own = predict(params, partial.graph), [0, 1, 2, 4]
        energies = ((found.energy[:5] - data.energy) / sizes)[np.array(own)]
        stresses = ((found.stress[:5] - data.stress) * volume_per_atom)[np.array([0, 1, 3, 4])]
        atoms = (found.forces[:15] - np.concatenate(data.forces))[known_atoms]
        return (energies**2).mean() + (atoms**2).mean() + (stresses**2).mean()

    @jax.jit
    def of_loss(params):
        sums = LOSS(params, partial, KEY)
        return sum(sums[name][0] / sums[name][1] for name in ("energy", "forces", "stress"))

    (value, gradient), (expected, right) = (jax.value_and_grad(f)(params()) for f in (of_loss, by_hand))
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-11), gradient, right)


def test_a_weight_counts_a_structure_so_often(data):
    twice = dataclasses.replace(data[[0, 1]], weights=np.array([2.0, 1.0]))
    found, expected = LOSS(params(), batch(twice, [0, 1]), KEY), LOSS(params(), batch(data, [0, 0, 1]), KEY)
    for name in ("energy", "forces", "stress"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-12)
    assert [float(found[f"{name}_mae"][1]) for name in ("energy", "forces")] == [2.0, 9.0]


def test_spreads_are_those_of_numpy_over_what_is_known(data):
    sizes = np.array([len(atoms) for atoms in data.atoms])
    virial = data.stress * (np.array([atoms.cell.volume for atoms in data.atoms]) / sizes)[:, None, None]
    forces = np.concatenate(data.forces)
    unknown = data.energy.copy()
    unknown[2] = np.nan
    found = label_spreads(dataclasses.replace(data, labels={"energy": unknown, "stress": data.stress}))
    assert found["energy"] == pytest.approx(np.std(np.delete(data.energy / sizes, 2)))
    assert found["stress"] == pytest.approx(np.sqrt(np.mean((virial - virial.mean(axis=0)) ** 2)))
    of_forces = np.sqrt(np.mean((forces - forces.mean(axis=0)) ** 2))
    assert label_spreads(data) == pytest.approx(dict.fromkeys(data.labels, of_forces))


@pytest.mark.parametrize("energy", [3.0, np.nan])
def test_a_label_that_does_not_vary_or_is_not_known_has_a_spread_of_one(data, energy):
    energies = energy * np.array([len(atoms) for atoms in data.atoms])
    assert label_spreads(dataclasses.replace(data, labels={"energy": energies})) == {"energy": 1.0}


def test_an_empty_batch_counts_nothing_and_has_a_finite_gradient(data):
    @jax.jit
    def total(params):
        return sum(value for value, _ in LOSS(params, batch(data, []), KEY).values())

    assert all((value, count) == (0, 0) for value, count in added([LOSS(params(), batch(data, []), KEY)]).values())
    assert all(np.all(leaf == 0) for leaf in jax.tree.leaves(jax.grad(total)(params())))


def test_only_labels_that_are_there_are_scored(data):
    energies = dataclasses.replace(data, labels={"energy": data.energy})
    assert jax.eval_shape(potential_loss(ENERGY), params(), batch(energies, [3]), KEY).keys() == {
        "energy",
        "energy_mae",
    }
    assert "stress" not in jax.eval_shape(potential_loss(ENERGY), params(), batch(data, [3]), KEY)


def test_single_precision_stays_single(data):
    sums = LOSS(params(np.float32), batch(data, [3, 4], dtype=np.float32), KEY)
    assert {leaf.dtype for leaf in jax.tree.leaves(sums)} == {np.dtype(np.float32)}


def test_models_that_drop_nothing_have_the_same_program_with_a_key(data):
    def energies(key):
        return scaled_labels(SMALL, "energy", References({}), SPECIES, key=key)

    learnt, measured = drawn_loss(energies), label_loss(energies(None))
    one = batch(data, [0, 1])
    variables = jax.eval_shape(SMALL.init, KEY, one.graph)
    assert str(jax.make_jaxpr(learnt)(variables, one, KEY)) == str(jax.make_jaxpr(measured)(variables, one, KEY))
