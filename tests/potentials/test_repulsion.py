"""ZBL repulsion: its values, its end at the cutoff, and that networks learn what it leaves."""

import ase
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ase.data import covalent_radii
from pair_model import SPECIES, PairModel, params, structures

from symjax.data import Structures
from symjax.graphs import AtomEdges, Budget, atoms_graph, batch_graphs
from symjax.potentials import (
    Potential,
    References,
    Repulsion,
    energy_and_forces,
    fit_references,
    scaled_energy,
    without_repulsion,
)

NUMBERS, CUTOFF = (1, 6, 14, 79), 4.0
PAIRS = [(1, 1), (1, 6), (6, 6), (14, 14), (1, 79)]
ENERGY = scaled_energy(Repulsion(NUMBERS, CUTOFF), 1.0)
PREDICT = jax.jit(energy_and_forces(ENERGY))
BUDGET = Budget(3, 4, 2)


def dimer(pair, distance=0.7):
    graph = atoms_graph(ase.Atoms(pair, [(0, 0, 0), (0, 0, distance)]), cutoff=CUTOFF, species=NUMBERS)
    return jax.tree.map(jnp.asarray, batch_graphs([graph], BUDGET))


def at(pair, distance):
    return PREDICT({}, dimer(pair, distance))


def screened(first, second, r):
    """The universal potential without an end."""
    x = r * (first**0.23 + second**0.23) / 0.46850
    terms = (0.1818, 3.2), (0.5099, 0.9423), (0.2802, 0.4029), (0.02817, 0.2016)
    return 14.399645 * first * second / r * sum(share * np.exp(-decay * x) for share, decay in terms)


@pytest.mark.parametrize("pair", PAIRS)
def test_a_dimer_follows_the_universal_potential_and_is_repulsive_up_to_its_end(pair):
    assert at(pair, 0.2).energy[0] == pytest.approx(screened(*pair, 0.2), rel=0.02)
    distances = np.linspace(0.02, 0.6, 59)
    pulls = [float(at(pair, r).forces[1, 2]) for r in distances]
    assert min(pulls) > 0
    energies = [float(at(pair, r).energy[0]) for r in distances]
    assert (np.diff(energies) < 0).all()


@pytest.mark.parametrize("pair", PAIRS)
def test_it_ends_at_the_sum_of_the_radii_with_two_derivatives(pair):
    end = covalent_radii[list(pair)].sum()
    graph = dimer(pair, end - 0.05)

    def energy(r):
        nodes = graph.nodes._replace(positions=graph.nodes.positions.at[1, 2].set(r))
        return ENERGY({}, graph._replace(nodes=nodes))[0]

    @jax.jit
    def derivatives(r):
        return jnp.array([energy(r), jax.grad(energy)(r), jax.grad(jax.grad(energy))(r)])

    assert not derivatives(end).any()
    inner, near = (abs(derivatives(end - step)) for step in (1e-1, 1e-4))
    assert (inner > 1e-3).all()
    assert (near < 1e-2 * inner).all()


def test_the_cutoff_of_the_model_ends_it_sooner():
    graph = dimer((14, 14), 0.9)
    short = scaled_energy(Repulsion(NUMBERS, 1.0), 1.0)
    assert 0 < short({}, graph)[0] < at((14, 14), 0.9).energy[0]
    assert short({}, dimer((14, 14), 1.0))[0] == 0


def test_forces_are_minus_the_gradient():
    up, down = (float(at((1, 6), r).energy[0]) for r in (0.5 + 1e-5, 0.5 - 1e-5))
    assert at((1, 6), 0.5).forces[1, 2] == pytest.approx((down - up) / 2e-5, rel=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_coincident_atoms_and_padding_are_finite_with_two_derivatives(dtype):
    near = ase.Atoms("Au2", [(0, 0, 0), (0, 0, 1)])
    graph = atoms_graph(near, cutoff=CUTOFF, species=NUMBERS)
    graph = jax.tree.map(jnp.asarray, batch_graphs([graph], BUDGET, dtype=dtype))
    graph = graph._replace(nodes=graph.nodes._replace(positions=jnp.zeros((3, 3), dtype)))
    found = PREDICT({}, graph)
    assert found.energy[0] > 1e6
    assert found.energy[1] == 0, "padding edges are longer than any cutoff"
    assert isinstance(graph.edges, AtomEdges)
    assert jnp.isfinite(found.energy).all()
    again = jax.grad(lambda x: jnp.sum(PREDICT({}, graph._replace(nodes=graph.nodes._replace(positions=x))).forces))
    assert jnp.isfinite(again(graph.nodes.positions)).all()
    assert found.forces.dtype == dtype


def test_a_potential_adds_it_to_its_network():
    def potential(repulsion):
        return Potential(PairModel(), params(), SPECIES, References({1: -1.0, 8: -2.0}, repulsion=repulsion))

    pair = Structures((ase.Atoms("OH", [(0, 0, 0), (0, 0, 0.3)]),))
    [found, bare] = (potential(repulsion).predict(pair) for repulsion in ("zbl", "none"))
    theirs = scaled_energy(Repulsion(SPECIES, PairModel().cutoff), 1.0)
    graph = atoms_graph(pair.atoms[0], cutoff=PairModel().cutoff, species=SPECIES)
    expected = jax.jit(energy_and_forces(theirs))({}, graph)
    np.testing.assert_allclose(found.energy - bare.energy, expected.energy, rtol=1e-9)
    np.testing.assert_allclose(found.forces[0] - bare.forces[0], expected.forces, rtol=1e-9)
    programs = potential("zbl").programs
    energies = programs["atoms"](params(), graph)["energies"]
    np.testing.assert_allclose(energies.sum(), programs["labels"](params(), graph)["energy"][0], rtol=1e-12)


def test_networks_and_references_see_labels_without_it():
    bare = structures(labels=False)
    nuclei = Potential(Repulsion(SPECIES, 3.0), {"unit": np.ones(())}, SPECIES, References({1: -1.0, 8: -2.0}))
    left = without_repulsion(nuclei.predict(bare, stress=True), "zbl", cutoff=3.0)
    np.testing.assert_allclose(left.energy, References({1: -1.0, 8: -2.0}).of(bare.numbers), atol=1e-9)
    np.testing.assert_allclose(np.concatenate([*left.forces]), 0, atol=1e-9)
    np.testing.assert_allclose(left.stress, 0, atol=1e-12)
    assert fit_references(left).energies == pytest.approx({1: -1.0, 8: -2.0})
    assert without_repulsion(bare, "none", cutoff=3.0) is bare


def test_nuclei_do_not_ask_for_charges():
    ion = structures(labels=False)
    ion.atoms[0].info["charge"] = 1.0
    without_repulsion(ion, "zbl", cutoff=3.0)  # a warning would be an error
