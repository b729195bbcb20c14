import functools

import ase
import ase.build
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.graphs import Budget, atoms_graph, batch_graphs, strain_graph
from symjax.models.atoms import NequIP
from symjax.potentials import energy_and_forces, scaled_energy
from tests.cases import DEGENERATE, load, start

CUTOFF = 3.0
MODEL = NequIP(species=2, average_neighbours=3.0, cutoff=CUTOFF, channels=2, layers=2)
BUDGET = Budget(nodes=7, edges=40, graphs=2)
TRIANGLE = np.array([(0.0, 0.0, 0.0), (1.0, 0.3, 0.0), (0.2, 1.1, 0.5)])
predict = jax.jit(energy_and_forces(scaled_energy(MODEL, 1.0), stress=True))


def as_graph(atoms, *, budget=BUDGET, dtype=np.float64):
    graph = atoms_graph(atoms, cutoff=CUTOFF, species=(1, 14))
    return jax.tree.map(jnp.asarray, batch_graphs([graph], budget, dtype=dtype))


def molecule(positions):
    return ase.Atoms(([1, 14] * len(positions))[: len(positions)], positions)


@pytest.fixture(scope="module")
def params():
    return start(MODEL, as_graph(molecule(TRIANGLE)), key=jax.random.key(0))[0]


def test_continuous_at_the_cutoff(params):
    """An atom, with a neighbour of its own, leaves the sphere of another: their edges leave the list."""

    def at(distance):
        far = TRIANGLE[0] - distance * np.array([0.0, 0.6, 0.8])
        graph = as_graph(molecule([*TRIANGLE, far, far - np.array([0.0, 1.0, 0.0])]))
        return graph.n_edge[0], predict(params, graph)

    (_, inside), (more, before), (fewer, after) = (at(CUTOFF + step) for step in (-1.5, -1e-4, 1e-4))
    assert more == fewer + 2
    assert abs(inside.energy[0] - after.energy[0]) > 1e-2
    np.testing.assert_allclose(before.energy, after.energy, atol=1e-9)
    np.testing.assert_allclose(before.forces, after.forces, atol=1e-5)


def test_forces_sum_to_zero(params):
    forces = predict(params, as_graph(molecule(TRIANGLE))).forces
    assert jnp.abs(forces).max() > 1e-3
    np.testing.assert_allclose(forces.sum(axis=0), 0, atol=1e-13)


def test_stress_is_the_derivative_with_respect_to_strain(params):
    crystal = ase.build.bulk("Si")
    crystal.positions[1] += [0.2, -0.1, 0.15]
    graph = as_graph(crystal)
    strain = np.zeros((2, 3, 3))
    strain[0] = 1e-5 * np.array([(1.0, 0.3, -0.2), (0.3, -0.5, 0.4), (-0.2, 0.4, 0.7)])
    up, down = (predict(params, strain_graph(graph, jnp.asarray(sign * strain))).energy[0] for sign in (1, -1))
    work = jnp.sum(predict(params, graph).stress[0] * strain[0]) * crystal.get_volume()
    np.testing.assert_allclose(work, (up - down) / 2, rtol=1e-6)


def test_far_copies_add_up(params):
    one, two = (predict(params, as_graph(molecule(x))) for x in (TRIANGLE, [*TRIANGLE, *TRIANGLE + 50.0]))
    swapped = predict(params, as_graph(ase.Atoms([14, 1, 14], TRIANGLE)))
    np.testing.assert_allclose(two.energy[0], one.energy[0] + swapped.energy[0], rtol=1e-12)
    np.testing.assert_allclose(two.forces[:3], one.forces[:3], atol=1e-12)


def test_more_padding_changes_nothing(params):
    few, many = (predict(params, as_graph(molecule(TRIANGLE), budget=budget)) for budget in (BUDGET, Budget(11, 51, 4)))
    np.testing.assert_allclose(few.energy[0], many.energy[0], rtol=1e-13)
    np.testing.assert_allclose(few.forces[:3], many.forces[:3], atol=1e-13)
    np.testing.assert_array_equal(many.forces[3:], 0)


def test_float32_all_through(params):
    graph = as_graph(molecule(TRIANGLE), dtype=np.float32)
    single = jax.tree.map(lambda leaf: leaf.astype(np.float32), params)
    fresh = jax.eval_shape(MODEL.init, jax.random.key(0), graph)
    assert {str(leaf.dtype) for leaf in jax.tree.leaves(fresh)} == {"float32"}
    low, high = predict(single, graph), predict(params, as_graph(molecule(TRIANGLE)))
    assert {str(leaf.dtype) for leaf in low} == {"float32"}
    np.testing.assert_allclose(low.energy, high.energy, rtol=1e-5)
    np.testing.assert_allclose(low.forces, high.forces, atol=1e-5 * jnp.abs(high.forces).max())


@functools.cache
def training_gradient(model):
    def loss(params, graph):
        return jnp.sum(energy_and_forces(scaled_energy(model, 1.0))(params, graph).forces ** 2)

    return jax.jit(jax.grad(loss))


@pytest.mark.parametrize("name", [name for name in DEGENERATE if name.startswith("NequIP")])
def test_forces_can_be_trained_on_symmetric_structures(name):
    model, graph, params, _ = load(name)
    gradient = training_gradient(model)(params, graph)
    assert all(jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))


def test_the_last_interaction_only_computes_scalars(params):
    """Three paths, from 0e, 1o and 2e, lead to scalars; no gates, no other irreps."""
    c, layer = MODEL.channels, params["params"]["layer_1"]
    sizes = {name: sum(leaf.size for leaf in jax.tree.leaves(layer[name])) for name in ("down", "connect")}
    assert sizes == {"down": 3 * c * c, "connect": MODEL.species * c * c}
    assert layer["radial"]["kernel_2"].shape == (64, 3 * c)


def test_higher_outputs_have_their_own_paths():
    """One layer reaches 0e, 1o and 2e; the last one keeps what the outputs need, and the scalars that gate it."""
    graph = as_graph(molecule(TRIANGLE))
    model = NequIP(2, 3.0, cutoff=CUTOFF, outputs="2x0e + 1x1o + 1x2e", channels=2, layers=1)
    atoms, params = jax.eval_shape(lambda graph: model.init_with_output(jax.random.key(0), graph), graph)
    assert atoms.irreps == "2x0e + 1x1o + 1x2e"
    readout = {name: leaf.shape for name, leaf in params["params"]["readout"].items()}
    assert readout == {"0e_0": (2, 2), "1o_1": (2, 1), "2e_2": (2, 1)}
    assert params["params"]["layer_0"]["connect"]["0e_0"].shape == (2, 2, 2 + 2 * 2)


@pytest.mark.parametrize(
    ("outputs", "options"), [("1x3o", {"layers": 1}), ("1x0e + 1x1e", {"layers": 1}), ("1x0o", {"layers": 5})]
)
def test_outputs_that_nothing_reaches_are_refused(outputs, options):
    NequIP(2, 3.0, outputs=outputs, lmax=2, parity=True, layers=3)
    with pytest.raises(ValueError, match="expected outputs that the layers reach"):
        NequIP(2, 3.0, outputs=outputs, lmax=2, **options)
