"""One geometry with several charges and spins: read where asked for, told or refused where not."""

import ase
import ase.build
import ase.io
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.data import Structures, digest_data
from symjax.data.structures import Splits
from symjax.graphs import Budget, atoms_graph, batch_graphs, charge_and_spin
from symjax.groups import E
from symjax.laws import random_params
from symjax.potentials import (
    POTENTIALS,
    Calculator,
    Potential,
    References,
    build,
    energy_and_forces,
    preset_of,
    require_same_charges,
    scaled_energy,
)
from symjax.training import plain

CUTOFF, KEY, BUDGET = 3.0, jax.random.key(3), Budget(nodes=12, edges=32, graphs=4)
STATES = [(0.0, 1.0), (1.0, 2.0), (-1.0, 2.0)]


def water(charge=0.0, spin=1.0, **changes):
    atoms = ase.build.molecule("H2O")
    atoms.info.update({"charge": charge, "spin": spin} | changes)
    return atoms


def padded(*structures):
    graphs = [atoms_graph(atoms, cutoff=CUTOFF, species=(1, 8)) for atoms in structures]
    return jax.tree.map(jnp.asarray, batch_graphs(graphs, BUDGET))


def model_of(name, charges):
    given = {"species": 2, "average_neighbours": 2.0, "cutoff": CUTOFF, "outputs": "1x0e", "charges": charges}
    return build(name, plain(preset_of(name, "tiny")) | given)


@pytest.fixture(scope="module", params=POTENTIALS)
def charged(request):
    """A row of the table that reads charges, with random parameters, and its energies and forces."""
    model = model_of(request.param, charges=True)
    params = random_params(model, padded(water()), key=KEY)
    return request.param, params, jax.jit(energy_and_forces(scaled_energy(model, 1.0)))


def test_each_state_has_an_energy_of_its_own_whatever_its_batch_mates(charged):
    _, params, predict = charged
    together = predict(params, padded(*(water(*state) for state in STATES))).energy[:3]
    alone = [predict(params, padded(water(*state))).energy[0] for state in STATES]
    np.testing.assert_allclose(together, alone, rtol=1e-12)
    assert np.abs(np.diff(np.sort(together))).min() > 1e-5 * np.abs(together).max()


def test_charge_and_spin_are_invariant(charged):
    _, params, predict = charged
    graph = padded(*(water(*state) for state in STATES))
    before = predict(params, graph)
    for component in range(E(3).components):
        motion = E(3).sample(jax.random.fold_in(KEY, component), component)
        x = graph.nodes.positions @ motion.rotation.T + motion.translation[None]
        after = predict(params, graph._replace(nodes=graph.nodes._replace(positions=x)))
        np.testing.assert_allclose(after.energy, before.energy, rtol=1e-11)
        np.testing.assert_allclose(after.forces, before.forces @ motion.rotation.T, atol=1e-11)


def test_forces_are_those_of_the_charged_energy(charged):
    _, params, predict = charged
    graph = padded(*(water(*state) for state in STATES))
    step = 1e-5 * jax.random.normal(KEY, graph.nodes.positions.shape)
    up, down = (
        predict(params, graph._replace(nodes=graph.nodes._replace(positions=graph.nodes.positions + sign * step)))
        for sign in (1, -1)
    )
    work = (predict(params, graph).forces * step).sum(axis=1)[:9].reshape(3, 3).sum(axis=1)
    np.testing.assert_allclose(work, (down.energy - up.energy)[:3] / 2, rtol=1e-5)
    assert predict._cache_size() == 1


def test_neutral_singlets_are_those_of_the_model_without(charged):
    name, params, predict = charged
    fewer = {"params": {part: value for part, value in params["params"].items() if part != "charges"}}
    without = jax.jit(scaled_energy(model_of(name, charges=False), 1.0))
    assert fewer["params"].keys() < params["params"].keys()
    graph = padded(water(1.0, 2.0), water())
    energy = without(fewer, graph)
    np.testing.assert_allclose(energy[0], energy[1], rtol=1e-14)
    np.testing.assert_allclose(predict(params, graph).energy[1], energy[1], rtol=1e-12)


@pytest.mark.parametrize(
    ("info", "message"),
    [
        ({"spin": 0}, "spin multiplicity 2S . 1 of at least 1, got .*'spin': 0"),
        ({"charge": np.nan}, "finite charge"),
        ({"charge": "cation"}, "expected numbers as charge and spin of a structure, got .*cation"),
    ],
)
def test_what_is_no_charge_or_spin_is_refused(info, message):
    with pytest.raises(ValueError, match=message):
        atoms_graph(water(**info), cutoff=CUTOFF, species=(1, 8))


def test_who_says_nothing_is_a_neutral_singlet():
    assert charge_and_spin(ase.build.molecule("H2O")) == (0, 1)
    assert charge_and_spin(water(charge=np.int64(-2))) == (-2, 1)
    graph = padded(water(-1, 2), ase.build.molecule("H2O"))
    assert (graph.globals.charge[:2].tolist(), graph.globals.spin[:2].tolist()) == ([-1, 0], [2, 1])


def test_training_data_of_several_charges_are_refused_without_the_option():
    require_same_charges([water(1, 2), water(1, 2)])
    told = (
        r"structure 0 \(OH2\) has charge 0 and spin multiplicity 1, and structure 2 \(OH2\) charge 1 .* --charges True"
    )
    with pytest.raises(ValueError, match=told):
        require_same_charges([water(), water(), water(1, 1)])


def test_data_of_another_charge_are_others():
    def digest(*structures):
        return digest_data(Splits(Structures(structures), Structures(()), Structures(())))

    assert digest(ase.build.molecule("H2O")) == digest(water())
    assert len({digest(water()), digest(water(1)), digest(water(0, 3))}) == 3


def test_a_calculator_reads_the_charge_and_notices_another():
    model = model_of("schnet", charges=True)
    params = jax.jit(model.init)(KEY, padded(water()))
    potential = Potential(model, params, (1, 8), References({1: -13.0, 8: -2040.0}))
    atoms = ase.build.molecule("H2O")
    atoms.calc = Calculator(potential)
    energies, fresh = [], []
    for state in STATES:
        atoms.info.update(zip(("charge", "spin"), state, strict=True))
        energies.append(atoms.get_potential_energy())
        fresh.append(Calculator(potential).get_potential_energy(water(*state)))
    assert energies == fresh
    assert len(set(energies)) == 3
    assert (atoms.calc.listings, atoms.calc.compilations) == (3, 1)


def test_a_model_that_does_not_read_charges_says_so():
    model = model_of("schnet", charges=False)
    params = jax.jit(model.init)(KEY, padded(water()))
    potential = Potential(model, params, (1, 8), References({1: -13.0, 8: -2040.0}))
    neutral = potential.predict(Structures((water(),))).energy
    told = r"does not read charges and spins, so that 1 of 2 structures \(first 1, OH2, with charge 1 .* --charges True"
    with pytest.warns(UserWarning, match=told):
        both = potential.predict(Structures((water(), water(1, 2)))).energy
    np.testing.assert_allclose(both, neutral[0], rtol=1e-14)
    atoms = water(1, 2)
    atoms.calc = Calculator(potential)
    with pytest.warns(UserWarning, match="1 of 1 structures"):
        atoms.get_potential_energy()


def test_a_neutral_lone_atom_is_its_reference_in_any_spin():
    model, references = model_of("schnet", charges=True), References({1: -10.0, 8: -80.0}, isolated=True)
    potential = Potential(model, random_params(model, padded(water()), key=KEY), (1, 8), references)
    atoms = [ase.Atoms("HO", [(0, 0, 0), (0, 0, 50)], info={"spin": spin}) for spin in (2.0, 3.0)]
    atoms += [ase.Atoms("O", info={"charge": charge, "spin": 3.0}) for charge in (0, 1)]
    energies = potential.predict(Structures(tuple(atoms))).energy
    np.testing.assert_allclose(energies[:3], [-90, -90, -80], rtol=1e-12)
    assert abs(energies[3] + 80) > 1e-3, "an ion is not an atom"
