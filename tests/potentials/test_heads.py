"""What graphs get from their atoms, on outputs made by hand."""

import ase
import ase.build
import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.graphs import ATOMS, Budget, atoms_graph, batch_graphs
from symjax.groups import E
from symjax.laws import Equivariance, check
from symjax.potentials import heads
from symjax.reps import Irreps, Matrices, Tree, Trivial, Vectors

WATER, OXYGEN = ase.build.molecule("H2O"), ase.Atoms("O", [(1.0, 2.0, 3.0)])
SPECIES = (1, 8)
dipole = jax.jit(heads.dipole)


def graph_of(*structures, spare=1):
    graphs = [atoms_graph(atoms, cutoff=2.0, species=SPECIES) for atoms in structures]
    nodes, edges = sum(len(atoms) for atoms in structures), sum(len(graph.senders) for graph in graphs)
    batch = batch_graphs(graphs, Budget(nodes + spare, edges + spare, len(graphs) + spare))
    return jax.tree.map(jnp.asarray, batch)


def outputs(irreps, graph):
    irreps, rows = e3nn.Irreps(irreps), graph.nodes.species.shape[0]
    return e3nn.IrrepsArray(irreps, jnp.asarray(np.random.default_rng(0).normal(size=(rows, irreps.dim))))


def point_charges(graph, hydrogen, oxygen):
    charges = jnp.array([hydrogen, oxygen], graph.nodes.positions.dtype)
    return e3nn.IrrepsArray("1x0e", charges[graph.nodes.species][:, None])


def test_energies_are_sums_and_averages_are_means():
    graph = graph_of(WATER, OXYGEN)
    one, two = outputs("1x0e", graph), outputs("2x0e", graph)
    np.testing.assert_allclose(heads.energy(graph, one)[:2], [one.array[:3, 0].sum(), one.array[3, 0]], rtol=1e-14)
    np.testing.assert_allclose(heads.average(graph, two)[:2], [two.array[:3].mean(axis=0), two.array[3]], rtol=1e-14)


def test_the_energy_of_many_atoms_is_exact_in_float32():
    """One after another, 4096 equal terms of -3.6116 add up to -14792.84 rather than -14793.11."""
    graph = graph_of(ase.Atoms("H4096", np.arange(4096)[:, None] * [10.0, 0.0, 0.0]))
    atoms = e3nn.IrrepsArray("1x0e", jnp.full((4097, 1), -3.6116, jnp.float32))
    total = jax.jit(heads.energy)(graph, atoms)
    assert total.dtype == jnp.float32
    np.testing.assert_allclose(total[0], 4096 * np.float32(-3.6116), rtol=1e-6)


def test_point_charges_have_their_dipole():
    """Hydrogen carries 0.4 charges and oxygen -0.8, and ions are neutralised: only the excess of oxygen counts."""
    graph = graph_of(WATER, OXYGEN)
    hydrogens, oxygen = WATER.positions[1:], WATER.positions[0]
    expected = 0.4 * hydrogens.sum(axis=0) - 0.8 * oxygen
    assert np.linalg.norm(expected) > 0.4
    for excess in (0.0, 0.3):
        found = dipole(graph, point_charges(graph, 0.4 + excess, -0.8 + excess))
        np.testing.assert_allclose(found[:2], [expected, np.zeros(3)], atol=1e-14)


def test_dipoles_of_the_atoms_are_added():
    graph = graph_of(WATER, OXYGEN)
    atoms = outputs("1x0e + 1x1o", graph)
    added = dipole(graph, atoms) - dipole(graph, e3nn.IrrepsArray("1x0e", atoms.array[:, :1]))
    np.testing.assert_allclose(added[:2], [atoms.array[:3, 1:].sum(axis=0), atoms.array[3, 1:]], rtol=1e-12)


@pytest.mark.parametrize("irreps", ["1x0e", "1x0e + 1x1o"])
def test_dipoles_turn_and_ignore_translations(irreps):
    graph = graph_of(WATER, WATER)
    law = Equivariance(E(3), Tree((ATOMS, Irreps(irreps))), Vectors())
    check(lambda x: dipole(*x), (graph, outputs(irreps, graph)), key=jax.random.key(0), laws=[law]).raise_if_broken()


@pytest.mark.parametrize(
    ("head", "irreps", "rep"),
    [
        ("dipole_magnitude", "1x0e + 1x1o", Trivial()),
        ("polarisability", "1x0e + 1x2e", Matrices()),
        ("extent", "2x0e", Trivial()),
    ],
)
def test_properties_turn_and_ignore_translations(head, irreps, rep):
    graph = graph_of(WATER, WATER)
    law = Equivariance(E(3), Tree((ATOMS, Irreps(irreps))), rep)
    read = getattr(heads, head)
    check(lambda x: read(*x), (graph, outputs(irreps, graph)), key=jax.random.key(0), laws=[law]).raise_if_broken()


def test_polarisabilities_are_traces_and_symmetric_matrices_of_the_same_length():
    graph = graph_of(WATER, OXYGEN)
    atoms = outputs("1x0e + 1x2e", graph)
    found = heads.polarisability(graph, atoms)[:2]
    total = np.stack([atoms.array[:3].sum(axis=0), atoms.array[3]])
    np.testing.assert_allclose(np.trace(found, axis1=1, axis2=2) / 3, total[:, 0], rtol=1e-12)
    np.testing.assert_allclose(found, found.swapaxes(1, 2), atol=1e-14)
    traceless = found - total[:, :1, None] * np.eye(3)[None]
    np.testing.assert_allclose((traceless**2).sum(axis=(1, 2)), (total[:, 1:] ** 2).sum(axis=1), rtol=1e-12)


def test_electrons_around_their_atoms_have_an_extent():
    """Squares of the distances from the mean of the positions, and what the atoms have themselves."""
    graph = graph_of(WATER, OXYGEN)
    atoms = outputs("2x0e", graph)
    squares = ((WATER.positions - WATER.positions.mean(axis=0)) ** 2).sum(axis=1)
    expected = [squares @ atoms.array[:3, 0] + atoms.array[:3, 1].sum(), atoms.array[3, 1]]
    np.testing.assert_allclose(heads.extent(graph, atoms)[:2], expected, rtol=1e-12)


def test_padding_changes_no_dipole():
    tight, roomy = graph_of(WATER, OXYGEN), graph_of(WATER, OXYGEN, spare=6)
    atoms = outputs("1x0e + 1x1o", roomy)
    few, many = dipole(tight, atoms[:5]), dipole(roomy, atoms)
    alone = dipole(jax.tree.map(jnp.asarray, atoms_graph(WATER, cutoff=2.0, species=SPECIES)), atoms[:3])
    np.testing.assert_allclose(few[:2], many[:2], rtol=1e-13)
    np.testing.assert_allclose(few[0], alone[0], rtol=1e-13)


def test_single_precision_is_kept_far_from_the_origin():
    """At 4096 Å rounding could cost 1e-4; the positions here are multiples of 1/16 Å, which float32 keeps."""
    exact = graph_of(ase.Atoms("OHH", np.round(16 * WATER.positions) / 16 + 4096))
    single = jax.tree.map(lambda x: x.astype(jnp.float32) if jnp.issubdtype(x.dtype, jnp.floating) else x, exact)
    found, expected = (dipole(graph, point_charges(graph, 0.63, -0.47)) for graph in (single, exact))
    assert found.dtype == jnp.float32
    np.testing.assert_allclose(found[0], expected[0], atol=1e-6)


@pytest.mark.parametrize(("head", "irreps"), [("energy", "2x0e"), ("average", "1x1o"), ("dipole", "1x1o + 1x0e")])
def test_other_outputs_are_refused(head, irreps):
    graph = graph_of(WATER)
    with pytest.raises(ValueError, match="expected outputs"):
        getattr(heads, head)(graph, outputs(irreps, graph))
