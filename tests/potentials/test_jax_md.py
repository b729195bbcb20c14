"""A potential in JAX-MD gives the energies and forces of our calculator, in its spaces and with its lists."""

import sys

import ase
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pair_model import CUTOFF, SPECIES, PairModel, params
from test_calculator import REFERENCES

from symjax.potentials import Calculator, Potential
from symjax.potentials.motion import to_jax_md

pytestmark = pytest.mark.filterwarnings("ignore:scatter inputs have incompatible types:FutureWarning")  # of JAX-MD
POTENTIAL = Potential(PairModel(), params(), SPECIES, REFERENCES)
CELL = np.array([[7.0, 0, 0], [1.5, 6.5, 0], [-0.8, 1.1, 6.2]])


@pytest.fixture(autouse=True)
def promotion():
    """JAX-MD lives by the promotion that is jax's default."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


def liquid(pbc):
    rng = np.random.default_rng(0)
    places = np.stack(np.meshgrid(*[np.arange(3)] * 3), -1).reshape(-1, 3) / 3 + rng.normal(0, 0.02, (27, 3))
    return ase.Atoms(rng.choice(SPECIES, 27), places @ CELL, cell=CELL, pbc=pbc)


def test_without_jax_md_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "jax_md", None)
    with pytest.raises(ValueError, match=r"pip install 'symjax\[md\]'"):
        to_jax_md(POTENTIAL, [1], np.subtract, 1.0)


@pytest.mark.parametrize("name", ["free", "real", "fractional"])
@pytest.mark.parametrize("kind", ["OrderedSparse", "Sparse"])
def test_energies_and_forces_are_those_of_the_calculator(name, kind):
    jax_md = pytest.importorskip("jax_md")
    atoms, box = liquid(name != "free"), CELL.T
    fractional = name == "fractional"
    space = jax_md.space.free() if name == "free" else jax_md.space.periodic_general(box, fractional)
    R = jnp.asarray(atoms.get_scaled_positions() if fractional else atoms.positions)
    kind = jax_md.partition.NeighborListFormat[kind]
    options = {"fractional_coordinates": fractional, "disable_cell_list": True, "format": kind}
    neighbor_fn, energy_fn = to_jax_md(POTENTIAL, atoms.numbers, space[0], box, dr_threshold=0.1, **options)
    neighbor = neighbor_fn.allocate(R)
    energy, slope = jax.jit(jax.value_and_grad(energy_fn))(R, neighbor=neighbor)
    atoms.calc = Calculator(POTENTIAL)
    np.testing.assert_allclose(energy, atoms.get_potential_energy(), rtol=1e-13)
    np.testing.assert_allclose(-slope, atoms.get_forces(), atol=1e-10)
    assert int((neighbor.idx[0] == len(atoms)).sum()) > 0  # padding


class Charged(PairModel):
    """A pair model that reads charge and spin."""

    charges = True

    def apply(self, params, graph):
        state = 0.7 * graph.globals.charge[0] + 0.1 * graph.globals.spin[0]
        return super().apply(params, graph) * (1 + state)


def test_charge_and_spin_are_read():
    jax_md = pytest.importorskip("jax_md")
    atoms, potential = liquid(False), Potential(Charged(), params(), SPECIES, REFERENCES)
    atoms.info.update(charge=-1, spin=2)
    neighbor_fn, energy_fn = to_jax_md(
        potential, atoms.numbers, jax_md.space.free()[0], CELL.T, disable_cell_list=True, charge=-1.0, spin=2.0
    )
    found = energy_fn(jnp.asarray(atoms.positions), neighbor=neighbor_fn.allocate(jnp.asarray(atoms.positions)))
    np.testing.assert_allclose(found, Calculator(potential).get_potential_energy(atoms), rtol=1e-13)


def test_energy_is_conserved_in_a_simulation_whose_lists_are_updated():
    jax_md = pytest.importorskip("jax_md")
    atoms, box = liquid(True), CELL.T
    displacement, shift = jax_md.space.periodic_general(box, fractional_coordinates=False)
    neighbor_fn, energy_fn = to_jax_md(POTENTIAL, atoms.numbers, displacement, box, disable_cell_list=True)
    init, step = jax_md.simulate.nve(energy_fn, shift, 0.002)
    R = jnp.asarray(atoms.positions)
    neighbor = neighbor_fn.allocate(R, extra_capacity=64)
    state = init(jax.random.key(0), R, kT=0.05, neighbor=neighbor)

    def total(state, neighbor):
        return energy_fn(state.position, neighbor=neighbor) + jax_md.simulate.kinetic_energy(state)

    @jax.jit
    def run(state, neighbor):
        def body(_, carry):
            state, neighbor = carry
            neighbor = neighbor.update(state.position)
            return step(state, neighbor=neighbor), neighbor

        return jax.lax.fori_loop(0, 200, body, (state, neighbor))

    before = total(state, neighbor)
    after, last = run(state, neighbor)
    assert not last.did_buffer_overflow
    assert np.abs(after.position - R).max() > 0.1
    np.testing.assert_allclose(total(after, last), before, atol=2e-3)


def test_what_jax_md_cannot_be_given_is_refused():
    jax_md = pytest.importorskip("jax_md")
    displacement, _ = jax_md.space.periodic_general(np.eye(3) * (2 * CUTOFF - 0.1), fractional_coordinates=False)
    with pytest.raises(ValueError, match=r"5\.9 Å high along a lattice vector.*repeat the cell"):
        to_jax_md(POTENTIAL, [1], displacement, np.eye(3) * (2 * CUTOFF - 0.1))
    free, _ = jax_md.space.free()
    with pytest.raises(ValueError, match="OrderedSparse or Sparse, got Dense"):
        to_jax_md(POTENTIAL, [1], free, 9.0, format=jax_md.partition.NeighborListFormat.Dense)
    with pytest.raises(ValueError, match="only knows the elements"):
        to_jax_md(POTENTIAL, [79], free, 9.0)
