"""Forces and stress against plain automatic differentiation and against finite differences of the energy."""

import functools

import ase
import ase.build
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import PartitionSpec

from symjax.graphs import (
    Budget,
    atoms_graph,
    batch_graphs,
    edge_vectors,
    graph_index,
    mean_budget,
    node_mask,
    strain_graph,
    unpad,
)
from symjax.potentials import Prediction, energy_and_forces

CUTOFF = 4.0
SPECIES = (1, 6, 8, 14)


def pair_energy(params, graph):
    """A smooth pair potential whose strength depends on the elements, plus a term that sees the cell."""
    vectors = edge_vectors(graph)
    lengths = jnp.sqrt(jnp.sum(vectors**2, axis=-1))
    x = jnp.where(lengths < CUTOFF, lengths / CUTOFF, 1)
    pair = (
        params["element"][graph.nodes.species[graph.senders]] * params["element"][graph.nodes.species[graph.receivers]]
    )
    hidden = jnp.tanh(x[:, None] * params["in"][None, :] + pair)
    terms = jnp.sum(hidden * params["out"][None, :], axis=-1) * (1 - x) ** 3
    per_atom = jax.ops.segment_sum(terms, graph.receivers, len(graph.nodes.positions)) ** 2
    return jax.ops.segment_sum(per_atom, graph_index(graph), len(graph.n_node)) + jnp.sum(graph.globals.cell**2, (1, 2))


def naive(energy, *, stress=False):
    """The textbook composition: gradients with respect to positions and an explicit strain."""

    def predict(params, graph):
        def total(positions, strain):
            moved = graph._replace(nodes=graph.nodes._replace(positions=positions))
            energies = energy(params, strain_graph(moved, strain))
            return energies.sum(), energies

        strain = jnp.zeros_like(graph.globals.cell)
        (gradient, virial), energies = jax.grad(total, argnums=(0, 1), has_aux=True)(graph.nodes.positions, strain)
        volume = jnp.abs(jnp.linalg.det(graph.globals.cell))[:, None, None]
        padded = jnp.where(volume > 0, virial / jnp.where(volume > 0, volume, 1), 0)
        return Prediction(energies, -gradient, padded if stress else None)

    return predict


def parameters():
    keys = jax.random.split(jax.random.key(0), 3)
    shapes = {"in": (5,), "out": (5,), "element": (4, 5)}
    return {name: 3 * jax.random.normal(key, shape) for key, (name, shape) in zip(keys, shapes.items(), strict=True)}


def crystal():
    """Two silicon atoms off their sites in a triclinic cell smaller than the cutoff."""
    atoms = ase.build.bulk("Si")
    atoms.set_cell(atoms.cell.array @ np.array([[1.0, 0.1, 0], [0, 0.9, -0.05], [0.02, 0, 1.1]]), scale_atoms=True)
    atoms.positions[1] += [0.2, -0.1, 0.15]
    return atoms


def graph_of(atoms):
    return jax.tree.map(jnp.asarray, atoms_graph(atoms, cutoff=CUTOFF, species=SPECIES))


def batch_of(*structures, spare=(0, 0, 0)):
    graphs = [atoms_graph(atoms, cutoff=CUTOFF, species=SPECIES) for atoms in structures]
    budget = mean_budget([len(g.nodes.positions) for g in graphs], [len(g.senders) for g in graphs], len(graphs))
    budget = Budget(*(sum(pair) for pair in zip(budget, spare, strict=True)))
    return jax.tree.map(jnp.asarray, batch_graphs(graphs, budget))


PARAMS = parameters()
ENERGY = jax.jit(pair_energy)
PREDICT = jax.jit(energy_and_forces(pair_energy, stress=True))


def assert_close(ours, theirs, tolerance=1e-10):
    assert jax.tree.structure(ours) == jax.tree.structure(theirs)
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        np.testing.assert_allclose(a, b, atol=tolerance * max(1, np.abs(b).max(initial=0)), rtol=0)


def floats(tree):
    return [x for x in jax.tree.leaves(tree) if jnp.issubdtype(x.dtype, jnp.inexact)]


def loss(predict, params, graph):
    """Something that pulls on every output with a different weight and is not linear in any."""
    prediction = predict(params, graph)
    return sum(
        jnp.sum(jnp.sin(x) * jnp.cos(jnp.arange(x.size, dtype=x.dtype)).reshape(x.shape))
        for x in jax.tree.leaves(prediction)
    )


@pytest.mark.parametrize("stress", [False, True])
def test_values_and_gradients_equal_plain_automatic_differentiation(stress):
    graph = batch_of(crystal(), ase.build.molecule("CH3OH"), spare=(2, 3, 1))
    results = []
    for transform in (energy_and_forces, naive):
        predict = transform(pair_energy, stress=stress)
        gradient = jax.grad(functools.partial(loss, predict), argnums=(0, 1), allow_int=True)
        results.append(jax.jit(lambda p, g, f=predict, d=gradient: (f(p, g), d(p, g)))(PARAMS, graph))
    (ours, our_gradients), (theirs, their_gradients) = results
    assert_close(ours, theirs)
    assert_close(floats(our_gradients), floats(their_gradients))
    assert all(np.abs(leaf).max() > 1e-3 for leaf in floats(our_gradients)[: 5 + stress])


@pytest.mark.parametrize("output", ["energy", "forces", "stress"])
def test_each_cotangent_alone(output):
    graph = graph_of(crystal())
    gradients = []
    for transform in (energy_and_forces, naive):
        predict = transform(pair_energy, stress=True)
        value = functools.partial(lambda f, p, g: jnp.sum(jnp.sin(getattr(f(p, g), output))), predict)
        gradients.append(floats(jax.jit(jax.grad(value, argnums=(0, 1), allow_int=True))(PARAMS, graph)))
    assert_close(*gradients)


def test_forward_mode_gives_the_hessian():
    graph = graph_of(ase.build.molecule("OH"))

    def at(positions):
        return graph._replace(nodes=graph.nodes._replace(positions=positions))

    forces = energy_and_forces(pair_energy)
    ours = jax.jacfwd(lambda x: -forces(PARAMS, at(x)).forces)(graph.nodes.positions)
    assert_close(ours, jax.hessian(lambda x: pair_energy(PARAMS, at(x)).sum())(graph.nodes.positions))


def test_it_maps_over_shards_and_parameters():
    graph = graph_of(ase.build.molecule("CH3OH"))
    shards = jax.tree.map(lambda x: jnp.stack([x, x]), graph)
    value = functools.partial(loss, energy_and_forces(pair_energy, stress=True))
    alone = jax.jit(jax.grad(value))(PARAMS, graph)
    stacked = jax.tree.map(lambda x: jnp.stack([x, x]), PARAMS)
    for axes, params in ((None, PARAMS), (0, stacked)):
        mapped = jax.jit(jax.vmap(jax.grad(value), in_axes=(axes, 0)))(params, shards)
        assert_close(jax.tree.map(lambda x: x[1], mapped), alone)


def test_it_runs_on_many_devices_with_checked_replication():
    graph = graph_of(ase.build.molecule("CH3OH"))
    mesh = jax.make_mesh((2,), ("data",), axis_types=(jax.sharding.AxisType.Auto,))
    value = functools.partial(loss, energy_and_forces(pair_energy, stress=True))
    split = PartitionSpec("data")

    @jax.jit
    @functools.partial(jax.shard_map, mesh=mesh, in_specs=(PartitionSpec(), split), out_specs=PartitionSpec())
    def summed(params, shards):
        mine = jax.tree.map(lambda x: jax.lax.pcast(x, "data", to="varying"), params)
        gradient = jax.grad(value)(mine, jax.tree.map(lambda x: x[0], shards))
        return jax.lax.psum(gradient, "data")

    alone = jax.jit(jax.grad(value))(PARAMS, graph)
    both = summed(PARAMS, jax.tree.map(lambda x: jnp.stack([x, x]), graph))
    assert_close(both, jax.tree.map(lambda x: 2 * x, alone))


def test_forces_are_finite_differences_of_the_energy():
    graph = graph_of(crystal())
    forces = PREDICT(PARAMS, graph).forces
    for atom, axis in [(0, 0), (1, 1), (1, 2)]:
        nudge = jnp.zeros_like(graph.nodes.positions).at[atom, axis].set(1e-5)
        up, down = (
            ENERGY(PARAMS, graph._replace(nodes=graph.nodes._replace(positions=graph.nodes.positions + sign * nudge)))
            for sign in (1, -1)
        )
        np.testing.assert_allclose(forces[atom, axis], -(up - down)[0] / 2e-5, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("recomputed", [True, False])
def test_stress_is_the_finite_difference_of_the_energy_under_strain(recomputed):
    atoms = crystal()
    graph = graph_of(atoms)

    def strained_energy(strain):
        if not recomputed:
            return ENERGY(PARAMS, strain_graph(graph, strain[None]))[0]
        deformed = atoms.copy()
        deformed.set_cell(atoms.cell.array @ (np.eye(3) + np.asarray(strain)), scale_atoms=True)
        return pair_energy(PARAMS, graph_of(deformed))[0]

    expected = np.empty((3, 3))
    for i, j in np.ndindex(3, 3):
        strain = np.zeros((3, 3))
        strain[i, j] += 0.5e-5
        strain[j, i] += 0.5e-5
        strain = jnp.asarray(strain)
        expected[i, j] = (strained_energy(strain) - strained_energy(-strain)) / 2e-5 / atoms.get_volume()
    stress = PREDICT(PARAMS, graph).stress[0]
    np.testing.assert_allclose(stress, expected, atol=1e-8)
    assert np.abs(stress).max() > 1e-3
    np.testing.assert_array_equal(stress, stress.T)


def test_a_stretched_chain_pulls_back():
    # Harmonic springs beyond their rest length: stress is positive in tension.
    graph = graph_of(ase.Atoms("H", cell=[1.2, 1.2, 1.2], pbc=True))
    springs = lambda params, g: jnp.sum((jnp.linalg.norm(edge_vectors(g), axis=1) - 1) ** 2)[None]  # noqa: E731
    assert (jnp.diagonal(energy_and_forces(springs, stress=True)({}, graph).stress[0]) > 0).all()


def test_forces_sum_to_zero_and_translation_changes_nothing():
    atoms = crystal()
    moved = atoms.copy()
    moved.positions += [10.3, -20.1, 7.7]
    here, there = (PREDICT(PARAMS, graph_of(a)) for a in (atoms, moved))
    np.testing.assert_allclose(here.forces.sum(axis=0), 0, atol=1e-10)
    assert_close(here, there)


def test_wrapping_an_atom_by_a_lattice_vector_changes_nothing():
    atoms = crystal()
    wrapped = atoms.copy()
    wrapped.positions[1] += np.array([1, -2, 3]) @ atoms.cell.array
    assert_close(*(PREDICT(PARAMS, graph_of(a)) for a in (atoms, wrapped)))


def test_padding_changes_nothing_and_is_zero():
    structures = crystal(), ase.build.molecule("CH3OH")
    tight, roomy = (batch_of(*structures, spare=spare) for spare in [(0, 0, 0), (7, 11, 3)])
    few, many = PREDICT(PARAMS, tight), PREDICT(PARAMS, roomy)
    assert_close((few.energy[:2], few.stress[:2]), (many.energy[:2], many.stress[:2]), 1e-13)
    atoms = unpad(tight).n_node.sum()
    assert_close(few.forces[:atoms], many.forces[:atoms], 1e-13)
    assert not many.forces[~node_mask(roomy)].any()
    assert not many.stress[1:].any()
    for graph, atoms in zip((0, 1), structures, strict=True):
        np.testing.assert_allclose(many.energy[graph], ENERGY(PARAMS, graph_of(atoms))[0], rtol=1e-12)


def test_single_precision_stays_single():
    graph = jax.tree.map(
        lambda x: x.astype(jnp.float32) if jnp.issubdtype(x.dtype, jnp.inexact) else x, batch_of(crystal())
    )
    params = jax.tree.map(lambda x: x.astype(jnp.float32), PARAMS)
    value = functools.partial(loss, energy_and_forces(pair_energy, stress=True))
    prediction, gradient = jax.jit(lambda p, g: (PREDICT(p, g), jax.grad(value)(p, g)))(params, graph)
    assert {leaf.dtype for leaf in jax.tree.leaves((prediction, gradient))} == {jnp.dtype("float32")}
