"""A potential in ASE gives what it predicts, lists neighbours seldom, and never misses one."""

import ase
import ase.build
import ase.units
import jax
import numpy as np
import pytest
from ase.calculators.calculator import PropertyNotImplementedError
from ase.filters import FrechetCellFilter
from ase.md.verlet import VelocityVerlet
from ase.optimize import BFGS
from ase.stress import full_3x3_to_voigt_6_stress
from pair_model import CUTOFF, SPECIES, PairModel, params, structures

from symjax.data import Structures
from symjax.graphs import atoms_graph
from symjax.models.atoms import NequIP, SchNet
from symjax.potentials import Calculator, Potential, References, energy_and_forces

REFERENCES = References({1: -13.6, 8: -2041.8}, shift=-0.1, scale=2.0)
SCHNET = SchNet(2, 3.0, cutoff=CUTOFF, channels=2, filters=2, layers=2, radial_basis=3)
NEQUIP = NequIP(2, 3.0, cutoff=CUTOFF, channels=2, lmax=1, layers=2, radial_basis=3, radial_widths=(4,))


def drawn(model):
    graph = atoms_graph(ase.build.molecule("H2O"), cutoff=CUTOFF, species=SPECIES)
    return jax.jit(model.init)(jax.random.key(0), graph)


def pairs(**changes):
    """The pair potential, whose traces are counted."""
    return Potential(
        **{"model": PairModel(), "params": params(), "species": SPECIES, "references": REFERENCES} | changes
    )


@pytest.fixture(scope="module")
def schnet():
    return Potential(SCHNET, drawn(SCHNET), SPECIES, REFERENCES)


def crystal(seed=0, repeat=(2, 1, 1)):
    """Water-like atoms in a skewed cell smaller than the cutoff along two axes."""
    cell = [[2.2, 0, 0], [0.4, 2.5, 0], [0.1, -0.3, 2.7]]
    atoms = ase.Atoms("OH", [[0, 0, 0], [0.9, 1.0, 1.1]], cell=cell, pbc=True).repeat(repeat)
    atoms.rattle(0.1, seed=seed)
    return atoms


def slab():
    atoms = crystal()
    atoms.pbc = (True, True, False)
    return atoms


LONE, FAR = ase.Atoms("O", [[5.0, 6, 7]]), ase.Atoms("OH", [[0, 0, 0], [50.0, 0, 0]])
SHAPES = {
    "molecule": ase.build.molecule("H2O"),
    "crystal": crystal(),
    "slab": slab(),
    "one atom": LONE,
    "one atom, small cell": ase.Atoms("H", cell=np.eye(3) * 1.7, pbc=True),
    "no neighbours": FAR,
}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("skin", [0.0, 1.0])
def test_gives_what_the_potential_predicts(schnet, name, skin):
    atoms = SHAPES[name].copy()
    expected = schnet.predict(Structures((atoms,)), stress=True)
    atoms.calc = Calculator(schnet, skin=skin)
    np.testing.assert_allclose(atoms.get_potential_energy(), expected.energy[0], rtol=1e-14)
    assert atoms.get_potential_energy(force_consistent=True) == atoms.get_potential_energy()
    np.testing.assert_allclose(atoms.get_potential_energies().sum(), expected.energy[0], rtol=1e-14)
    np.testing.assert_allclose(atoms.get_forces(), expected.forces[0], atol=1e-12)
    if atoms.pbc.any():
        np.testing.assert_allclose(
            atoms.get_stress(), full_3x3_to_voigt_6_stress(expected.stress[0]), rtol=1e-11, atol=1e-13
        )
    assert atoms.calc.listings == 1


def test_forces_are_differences_of_energies(schnet):
    atoms = crystal()
    atoms.calc = Calculator(schnet)
    forces, step = atoms.get_forces(), 1e-4
    for atom, axis in np.ndindex(forces.shape):
        energies = []
        for sign in (1, -1):
            atoms.positions[atom, axis] += sign * step
            energies.append(atoms.get_potential_energy())
            atoms.positions[atom, axis] -= sign * step
        np.testing.assert_allclose((energies[1] - energies[0]) / (2 * step), forces[atom, axis], atol=1e-6)
    assert (atoms.calc.listings, atoms.calc.compilations) == (1, 1)


def test_stress_is_the_slope_of_the_energy_with_strain_in_the_order_and_sign_of_ase(schnet):
    atoms = crystal()
    atoms.calc = Calculator(schnet)
    stress, step = atoms.get_stress(), 1e-5
    assert np.abs(stress).min() > 1e-4
    for k, (i, j) in enumerate([(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)]):
        energies = []
        for sign in (1, -1):
            strain = np.zeros((3, 3))
            strain[i, j] += sign * step / 2
            strain[j, i] += sign * step / 2
            strained = atoms.copy()
            strained.set_cell(atoms.cell.array @ (np.eye(3) + strain), scale_atoms=True)
            energies.append(atoms.calc.get_potential_energy(strained))
        slope = (energies[0] - energies[1]) / (2 * step) / atoms.get_volume()
        np.testing.assert_allclose(slope, stress[k], atol=1e-7)


def run(potential, skin, *, timestep, steps):
    """Return positions, total energies and the calculator of a trajectory at constant energy."""
    atoms = crystal(repeat=(2, 2, 1))
    atoms.set_momenta(np.random.default_rng(1).normal(0, 0.2, (len(atoms), 3)) * np.sqrt(atoms.get_masses())[:, None])
    atoms.calc = Calculator(potential, skin=skin)
    positions, energies = [], []
    dynamics = VelocityVerlet(atoms, timestep * ase.units.fs)
    dynamics.attach(lambda: positions.append(atoms.positions.copy()))
    dynamics.attach(lambda: energies.append(atoms.get_total_energy()))
    dynamics.run(steps)
    return np.array(positions), np.array(energies), atoms.calc


def test_energy_is_conserved_and_drifts_fourfold_less_at_half_the_step(schnet):
    def drift(timestep):
        energies = run(schnet, 1.0, timestep=timestep, steps=round(40 / timestep))[1]
        return np.abs(energies - energies[0]).max()

    coarse, fine = drift(0.5), drift(0.125)
    assert coarse < 1e-3  # eV, of 0.5 eV of kinetic energy
    np.testing.assert_allclose(coarse / fine, 4 * 4, rtol=0.1)


def test_a_skin_saves_lists_and_programs_and_changes_no_number(schnet):
    positions, energies, bare = run(schnet, 0.0, timestep=1.0, steps=40)
    assert bare.listings == 41
    others, same, skinned = run(schnet, 1.0, timestep=1.0, steps=40)
    np.testing.assert_allclose(others, positions, atol=1e-10)
    np.testing.assert_allclose(same, energies, rtol=1e-14)
    assert np.linalg.norm(np.diff(positions, axis=0), axis=-1).sum(axis=0).max() > 1
    assert 2 <= skinned.listings <= 8
    assert skinned.compilations <= bare.compilations <= 3


@pytest.mark.parametrize("seed", range(4))
def test_no_pair_is_missed_while_atoms_move_less_than_half_the_skin(seed):
    rng, potential = np.random.default_rng(seed), pairs()
    atoms = ase.Atoms(rng.choice(SPECIES, 20), rng.uniform(0, 7, (20, 3)), cell=np.eye(3) * 7, pbc=rng.random(3) < 0.5)
    atoms.calc = Calculator(potential, skin=1.0)
    atoms.get_potential_energy()
    steps = rng.normal(size=(20, 3))
    atoms.positions += 0.499 * steps / np.linalg.norm(steps, axis=1, keepdims=True)
    fresh = potential.predict(Structures((atoms,)))
    np.testing.assert_allclose(atoms.get_forces(), fresh.forces[0], atol=1e-12)
    assert atoms.calc.listings == 1
    atoms.positions[3] += 0.5 * steps[3] / np.linalg.norm(steps[3])
    fresh = potential.predict(Structures((atoms,)))
    np.testing.assert_allclose(atoms.get_forces(), fresh.forces[0], atol=1e-12)
    assert atoms.calc.listings == 2


@pytest.mark.parametrize("model", [SCHNET, NEQUIP], ids=["schnet", "nequip"])
def test_pairs_beyond_the_cutoff_add_exactly_nothing(model):
    graph = atoms_graph(crystal(), cutoff=CUTOFF + 1.0, species=SPECIES)
    place = graph.nodes.positions
    lengths = np.linalg.norm(place[graph.senders] - place[graph.receivers] + graph.edges.shifts, axis=1)
    away = np.where(lengths[:, None] < CUTOFF, graph.edges.shifts, [1e3, 0.0, 0.0])
    assert 10 < np.sum(lengths >= CUTOFF) < len(lengths) - 10
    potential = Potential(model, drawn(model), SPECIES, REFERENCES)
    predict = jax.jit(energy_and_forces(potential.energy, stress=True))
    near, far = (
        predict(potential.params, graph._replace(edges=graph.edges._replace(shifts=shifts)))
        for shifts in (graph.edges.shifts, away)
    )
    jax.tree.map(np.testing.assert_array_equal, near[:2], far[:2])
    np.testing.assert_allclose(near.stress, far.stress, atol=1e-15)


def test_each_shape_is_compiled_once_for_all_calculators_and_a_growing_list_moves_to_the_next():
    potential, energies, expected = pairs(), [], []
    twins = Calculator(potential), Calculator(potential)
    for scale in (1.0, 0.92, 0.85, 0.92, 1.0):
        atoms = crystal(repeat=(2, 2, 2))
        atoms.set_cell(atoms.cell * scale, scale_atoms=True)
        energies.append([twin.get_potential_energy(atoms) for twin in twins])
        expected += [pairs().predict(Structures((atoms,))).energy] * 2
    np.testing.assert_allclose(np.ravel(energies), np.ravel(expected), rtol=1e-14)
    assert potential.model.traces == twins[0].compilations == twins[1].compilations == 3
    twins[0].get_potential_energies(atoms)
    assert potential.model.traces == twins[0].compilations == 4


def test_results_are_kept_until_positions_cell_or_periodicity_change():
    potential, atoms = pairs(), crystal()
    atoms.calc = Calculator(potential, skin=10.0)

    def agrees(calls):
        fresh = potential.predict(Structures((atoms,)), stress=True)
        np.testing.assert_allclose(atoms.get_potential_energy(), fresh.energy[0], rtol=1e-14)
        np.testing.assert_allclose(atoms.get_stress(), full_3x3_to_voigt_6_stress(fresh.stress[0]), atol=1e-12)
        return atoms.calc.listings == calls

    assert agrees(1)
    assert not atoms.calc.calculation_required(atoms, ["energy", "forces", "stress"])
    atoms.set_initial_charges([1.0, 0.0] * 2)
    assert not atoms.calc.calculation_required(atoms, ["energy"])
    atoms.set_cell(atoms.cell * 1.01)  # the atoms stay where they are
    assert agrees(2)
    atoms.pbc = (True, False, True)
    assert agrees(3)
    atoms.numbers = atoms.numbers[::-1]
    assert agrees(4)
    atoms.positions += 1e-9
    assert agrees(4)


def test_positions_may_be_wrapped_or_not(schnet):
    atoms = crystal()
    atoms.calc = Calculator(schnet)
    energy, forces = atoms.get_potential_energy(), atoms.get_forces()
    atoms.positions += [[1], [0], [-3], [0]] * atoms.cell.array[1]
    np.testing.assert_allclose(atoms.get_potential_energy(), energy, rtol=1e-14)
    np.testing.assert_allclose(atoms.get_forces(), forces, atol=1e-12)
    atoms.wrap()
    np.testing.assert_allclose(atoms.get_forces(), forces, atol=1e-12)


def test_atoms_and_cell_relax_together():
    atoms = crystal()
    atoms.calc = Calculator(pairs())
    energies = [atoms.get_potential_energy()]
    relaxation = BFGS(FrechetCellFilter(atoms), logfile=None)
    relaxation.attach(lambda: energies.append(atoms.get_potential_energy()))
    relaxation.run(steps=5)
    assert energies[0] == energies[1]
    assert (np.diff(energies[1:]) < 0).all()
    assert atoms.calc.listings == 6
    assert atoms.calc.compilations <= 3


def test_a_run_that_learnt_dipoles_gives_dipoles(schnet):
    potential = Potential(SCHNET, schnet.params, SPECIES, References({}, scale=0.5), "dipole")
    atoms = ase.build.molecule("H2O")
    atoms.calc = Calculator(potential)
    expected = potential.predict(Structures((atoms,))).labels["dipole"][0]
    np.testing.assert_allclose(atoms.get_dipole_moment(), expected, atol=1e-14)
    assert np.abs(expected).max() > 1e-3
    with pytest.raises(PropertyNotImplementedError, match="energy"):
        atoms.get_potential_energy()
    atoms.pbc, atoms.cell = True, np.eye(3) * 9
    with pytest.raises(PropertyNotImplementedError, match=r"no meaning where structures repeat.*set atoms\.pbc"):
        atoms.get_dipole_moment()


def test_single_precision_is_that_of_the_parameters_and_references_stay_double():
    potential = pairs(params=params(np.float32))
    atoms = structures(labels=False).atoms[4].copy()
    atoms.calc = Calculator(potential)
    error = np.abs(atoms.get_forces() - pairs().predict(Structures((atoms,))).forces[0]).max()
    assert 0 < error < 1e-3
    atoms.positions += 1e4  # far away nothing blurs
    assert np.abs(atoms.get_forces() - pairs().predict(Structures((atoms,))).forces[0]).max() < 1e-3


def test_what_cannot_be_is_refused_in_one_sentence():
    with pytest.raises(ValueError, match=r"a skin of zero or more Å, got -1"):
        Calculator(pairs(), skin=-1.0)
    calculator, atoms = Calculator(pairs()), ase.build.molecule("H2O")
    with pytest.raises(ValueError, match="none was given yet"):
        calculator.get_potential_energy()
    with pytest.raises(PropertyNotImplementedError, match="periodic cell with a volume"):
        calculator.get_stress(atoms)
    assert np.isfinite(calculator.get_forces(atoms)).all()
    atoms.positions[1, 2] = np.nan
    with pytest.raises(ValueError, match="positions must be finite, but atom 1"):
        calculator.get_forces(atoms)
    with pytest.raises(ValueError, match=r"Au is not.*only knows the elements"):
        calculator.get_forces(ase.Atoms("HAu", [[0, 0, 0], [0, 0, 1]]))
