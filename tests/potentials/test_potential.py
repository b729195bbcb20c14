"""A potential answers the same however its structures are batched, and gives references back exactly."""

import ase
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pair_model import SPECIES, PairModel, params, samples, structures

from symjax.data import Structures
from symjax.potentials import Potential, References, energy_and_forces

REFERENCES = References({1: -13.587222780835477, 8: -2041.8396277138086}, shift=-0.1, scale=3.0)


def potential(**changes):
    return Potential(
        **{"model": PairModel(), "params": params(), "species": SPECIES, "references": REFERENCES} | changes
    )


@pytest.fixture(scope="module")
def alone():
    """Predictions for one structure after the other, without padding and without a batch."""
    data = structures()
    predict = jax.jit(energy_and_forces(potential().energy, stress=True))
    found = [jax.tree.map(np.asarray, predict(params(), sample.graph)) for sample in samples(data)]
    energy = np.array([f.energy[0] for f in found]) + REFERENCES.of(data.numbers)
    stress = np.array([f.stress[0] for f in found])
    return Structures(data.atoms, {"energy": energy, "forces": tuple(f.forces for f in found), "stress": stress})


@pytest.mark.parametrize("batch_size", [1, 3, 32])
def test_predictions_do_not_depend_on_the_batches(alone, batch_size):
    data = structures()
    found = potential().predict(data, stress=True, batch_size=batch_size)
    assert found.atoms == data.atoms
    np.testing.assert_allclose(found.energy, alone.energy, rtol=1e-14)
    np.testing.assert_allclose(found.stress, alone.stress, atol=1e-13)
    for forces, expected in zip(found.forces, alone.forces, strict=True):
        np.testing.assert_allclose(forces, expected, atol=1e-12)


def test_references_come_back_in_double_precision():
    zeros = jax.tree.map(lambda leaf: np.zeros(leaf.shape, np.float32), params())
    data = structures(labels=False)
    np.testing.assert_array_equal(potential(params=zeros).predict(data).energy, REFERENCES.of(data.numbers))


def test_the_scale_multiplies_energies_forces_and_stresses():
    data = structures(labels=False)
    plain = potential(references=References(REFERENCES.energies)).predict(data, stress=True)
    scaled = potential(references=References(REFERENCES.energies, scale=4.0)).predict(data, stress=True)
    base = References(REFERENCES.energies).of(data.numbers)
    np.testing.assert_allclose(scaled.energy - base, 4 * (plain.energy - base), atol=1e-9)
    np.testing.assert_allclose(scaled.forces[4], 4 * plain.forces[4], atol=1e-12)
    np.testing.assert_allclose(scaled.stress, 4 * plain.stress, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_lone_atom_has_its_reference_energy_and_molecules_end_in_atoms(dtype):
    """Whatever the network makes of a lone atom, 0.9 and -2.1 eV here, and whatever bonds are worth."""
    bound = References(REFERENCES.energies, scale=3.0, isolated=True, bonds={1: -4.0, 8: -5.0})
    isolated = potential(params=params(dtype), references=bound)
    apart = [ase.Atoms("OH", [[0, 0, 0], [0, 0, r]]) for r in (50.0, 0.8)]
    found = isolated.predict(Structures((ase.Atoms("H"), ase.Atoms("O"), *apart)))
    oxygen, hydrogen = (REFERENCES.energies[z] for z in (8, 1))
    np.testing.assert_allclose(found.energy[:3], [hydrogen, oxygen, oxygen + hydrogen], rtol=0, atol=1e-6)
    assert abs(found.energy[3] - found.energy[2]) > 0.1


def test_lone_atoms_leave_forces_stresses_and_differences_of_energies(alone):
    isolated = potential(references=References(REFERENCES.energies, scale=3.0, isolated=True))
    found = isolated.predict(alone, stress=True)
    own = {1: 3.0 * 0.3 + REFERENCES.shift, 8: 3.0 * -0.7 + REFERENCES.shift}
    lost = [sum(own[z] for z in atoms.numbers) for atoms in alone.atoms]
    np.testing.assert_allclose(alone.energy - found.energy, lost, atol=1e-9)
    np.testing.assert_allclose(found.stress, alone.stress, atol=1e-12)
    np.testing.assert_allclose(found.forces[4], alone.forces[4], atol=1e-12)


def test_bonds_count_fully_near_by_and_fade_smoothly_to_the_cutoff():
    zeros = jax.tree.map(jnp.zeros_like, params())
    bound = References({1: 0.0, 8: 0.0}, isolated=True, bonds={1: -4.0, 8: -5.0})
    apart = [0.5, 1.0, 2.0, 2.8, 2.999, 3.001]
    pairs = tuple(ase.Atoms("OH", [[0, 0, 0], [0, 0, r]]) for r in apart)
    found = potential(params=zeros, references=bound).predict(Structures(pairs))
    np.testing.assert_allclose(found.energy[:2], -9, atol=1e-2)
    assert (np.diff(found.energy) > 0).all()
    assert abs(found.energy[4]) < 1e-6
    assert found.energy[5] == 0
    np.testing.assert_allclose([found.forces[0], found.forces[4]], 0, atol=1e-2)
    three = ase.Atoms("HOH", [[0, 0, 1.0], [0, 0, 0], [0, 1.0, 0]])
    [triangle] = [potential(params=zeros, references=bound).predict(Structures((three,)))]
    np.testing.assert_array_equal(triangle.energy, -13)
    assert not triangle.forces[0].any()


def test_precision_is_that_of_the_parameters(alone):
    single = potential(params=params(np.float32)).predict(alone)
    error = np.abs(single.forces[4] - alone.forces[4]).max()
    assert 0 < error < 1e-3
    assert single.forces[4].dtype == single.energy.dtype == float


def test_stress_is_there_when_asked_for_and_zero_without_a_cell():
    data = structures(labels=False)
    assert potential().predict(data).stress is None
    stress = potential().predict(data, stress=True).stress
    assert not stress[::2].any()
    assert np.abs(stress[3]).max() > 0


def test_each_bucket_is_compiled_once():
    trained = potential()
    data = structures(labels=False)
    for batch_size, buckets in [(2, 1), (2, 1), (8, 2), (2, 2), (8, 2)]:
        trained.predict(data, batch_size=batch_size)
        assert trained.model.traces == buckets


def test_an_unknown_element_is_named():
    data = Structures((ase.Atoms("OH", [[0, 0, 0], [0, 0, 1]]), ase.Atoms("HAu", [[0, 0, 0], [0, 0, 1]])))
    with pytest.raises(ValueError, match=r"structure 1 \(HAu\).*Au.*only knows the elements"):
        potential().predict(data)
