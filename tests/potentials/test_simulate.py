"""Molecular dynamics: ASE's trajectory, conserved energies, sampled ensembles, and no neighbour missed."""

import re

import ase
import ase.build
import ase.units
import jax
import numpy as np
import pytest
from ase.constraints import FixAtoms, FixBondLength
from ase.md.verlet import VelocityVerlet
from pair_model import SPECIES, PairModel, params

from symjax.data import Structures
from symjax.potentials import Calculator, Potential, References
from symjax.potentials.motion import Dynamics, PressureSimulation, Simulation, draw_momenta, drift

REFERENCES = References({1: -13.6, 8: -2041.8}, shift=-0.1, scale=0.2)


def pairs(**changes):
    return Potential(
        **{"model": PairModel(), "params": params(), "species": SPECIES, "references": REFERENCES} | changes
    )


POTENTIAL = pairs()


def crystal(repeat=(2, 2, 1), temperature=150.0):
    """Atoms in a skewed cell smaller than the cutoff along one axis."""
    cell = [[2.2, 0, 0], [0.4, 2.5, 0], [0.1, -0.3, 2.7]]
    atoms = ase.Atoms("OH", [[0, 0, 0], [0.9, 1.0, 1.1]], cell=cell, pbc=True).repeat(repeat)
    atoms.rattle(0.05, seed=0)
    draw_momenta(atoms, temperature, seed=1)
    return atoms


SYSTEMS = {
    "crystal": crystal(),
    "one atom": ase.Atoms("O", [[5.0, 6, 7]], momenta=[[1.0, 2, 3]]),
    "no neighbours": ase.Atoms("OH", [[0, 0, 0], [50.0, 0, 0]], momenta=[[1.0, 0, 0], [0, 1, 0]]),
    "far from the origin": ase.Atoms("OH", [[1e4, 0, 0], [1e4 + 1.2, 0, 0]]),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_constant_energy_is_the_trajectory_of_ase(name):
    atoms = SYSTEMS[name].copy()
    simulation = Simulation(POTENTIAL, atoms, Dynamics("nve", timestep=0.5))
    state = simulation.advance(100)
    atoms.calc = Calculator(POTENTIAL)
    VelocityVerlet(atoms, 0.5 * ase.units.fs).run(100)
    np.testing.assert_allclose(state.positions, atoms.positions, rtol=1e-15, atol=1e-9)
    np.testing.assert_allclose(simulation.frame.get_momenta(), atoms.get_momenta(), atol=1e-8)
    np.testing.assert_allclose(simulation.frame.get_forces(), atoms.get_forces(), atol=1e-8)
    np.testing.assert_allclose(simulation.record.energy, atoms.get_potential_energy(), rtol=1e-12)
    assert simulation.record.step == 100


def conserved(ensemble, timestep, potential=POTENTIAL):
    simulation = Simulation(potential, crystal(), Dynamics(ensemble, timestep, friction=20.0))
    records = []
    for step in range(0, round(60 / timestep) + 1, round(2 / timestep)):
        simulation.advance(step)
        records.append(simulation.record)
    return np.ptp([record.conserved for record in records]), np.ptp([record.energy for record in records]), records


@pytest.mark.parametrize("ensemble", ["nve", "langevin"])
def test_the_conserved_energy_drifts_fourfold_less_at_half_the_step(ensemble):
    coarse, exchanged, records = conserved(ensemble, 0.5)
    assert coarse < 0.02 * exchanged
    assert abs(drift(records, 0.5)) < 1.0
    if ensemble == "nve":  # with noise, half the step is another trajectory
        np.testing.assert_allclose(coarse / conserved(ensemble, 0.25)[0], 4, rtol=0.15)


def test_a_float32_potential_moves_atoms_in_float64_where_that_is_off():
    double = Simulation(POTENTIAL, crystal(), Dynamics("nve")).advance(20)
    with jax.enable_x64(False):
        single = Simulation(pairs(params=params(np.float32)), crystal(), Dynamics("nve")).advance(20)
    assert single.positions.dtype == single.velocities.dtype == np.float64
    error = np.abs(single.positions - double.positions).max()
    assert 0 < error < 1e-5


def springs():
    """Independent atoms on springs to where they are, k = 3 eV/Å² each: an Einstein crystal."""

    def labels(params, graph):
        away = graph.nodes.positions - params
        return {"energy": 1.5 * (away**2).sum()[None], "forces": -3.0 * away}

    return labels


def test_a_bath_samples_temperature_and_variance(monkeypatch):
    side, temperature = 6, 400.0
    atoms = ase.Atoms(f"O{side**3}", 10.0 * np.indices((side,) * 3).reshape(3, -1).T)
    potential = pairs(params=np.zeros((250, 3)))
    monkeypatch.setattr(Potential, "labels", lambda self, **asked: springs())
    draw_momenta(atoms, temperature, seed=0)
    simulation = Simulation(potential, atoms, Dynamics("langevin", 2.0, temperature, friction=20.0), skin=1e3)
    at_rest = np.zeros(simulation._served.graph.nodes.positions.shape)
    at_rest[: len(atoms)] = simulation._served.centred
    simulation._params = at_rest
    kinetic, variance = [], []
    for block in range(60):
        state = simulation.advance(200 + 100 * block)
        kinetic.append(simulation.record.temperature)
        variance.append(np.mean((state.positions - atoms.positions) ** 2))
    for found, expected in ((kinetic, temperature), (variance, ase.units.kB * temperature / 3.0)):
        error = np.std(found, ddof=1) / np.sqrt(len(found))
        assert error < 0.01 * expected
        assert abs(np.mean(found) - expected) < 3 * error


def test_a_growing_list_moves_to_the_next_shape_and_no_neighbour_is_missed():
    atoms = ase.Atoms("O24", np.random.default_rng(0).uniform(0, 16, (24, 3)), cell=np.eye(3) * 16, pbc=True)
    atoms.set_momenta(-0.03 * (atoms.positions - 8) * atoms.get_masses()[:, None])  # they fall together
    told, potential = [], pairs()
    simulation = Simulation(potential, atoms, Dynamics("nve", 4.0), tell=told.append)
    shapes = set()
    for step in range(0, 41, 8):
        state = simulation.advance(step)
        shapes.add(simulation.saved["edges"].item())
        fresh = potential.predict(Structures((simulation.frame,)))
        np.testing.assert_allclose(state.forces, fresh.forces[0], atol=1e-10)
    assert 1 < len(shapes) <= len(told) + 1
    assert re.match(r"the list of neighbours is full at \d+ pairs; it goes on with \d+", told[0])
    assert simulation.listings > len(shapes)


@pytest.mark.parametrize("kind", [Simulation, PressureSimulation])
def test_what_was_saved_goes_on_with_the_same_bits(kind):
    def start(saved=None):
        ensemble = "langevin" if kind is Simulation else "npt"
        return kind(POTENTIAL, crystal(), Dynamics(ensemble, friction=50.0, pressure=1.0, seed=3), saved=saved)

    whole, first = start(), start()
    whole.advance(11)
    first.advance(11)
    again = start(first.saved)
    whole.advance(30)
    again.advance(30)
    for name, value in whole.saved.items():
        np.testing.assert_array_equal(again.saved[name], value, err_msg=name)
    assert whole.record == pytest.approx(again.record, abs=0, nan_ok=True)
    assert kind is Simulation or again.frame.cell.volume != crystal().cell.volume


def test_pressure_squeezes():
    volumes = []
    for pressure in (-20.0, 20.0):
        simulation = PressureSimulation(POTENTIAL, crystal(), Dynamics("npt", friction=100.0, pressure=pressure))
        simulation.advance(60)
        volumes.append(simulation.record.volume)
    assert volumes[1] < volumes[0]


@pytest.mark.parametrize("kind", [Simulation, PressureSimulation])
def test_an_explosion_stops_at_its_step_and_keeps_the_last_good_one(kind):
    ensemble = "nve" if kind is Simulation else "npt"
    simulation = kind(POTENTIAL, crystal(), Dynamics(ensemble, timestep=100.0))
    simulation.advance(1000)
    assert simulation.exploded
    assert 0 <= simulation.step < 100
    frame = simulation.frame
    for numbers in (frame.positions, frame.get_momenta(), frame.get_forces(), frame.get_potential_energy()):
        assert np.isfinite(numbers).all()
    assert frame.get_temperature() < 1.1e5


def test_forces_that_deviate_stop_it(monkeypatch):
    def doubtful(potential, stress=False):
        mean = potential.energy

        def labels(params, graph):
            forces = -jax.grad(lambda x: mean(params, graph._replace(nodes=graph.nodes._replace(positions=x))).sum())(
                graph.nodes.positions
            )
            return {"energy": mean(params, graph), "forces": forces, "forces_deviation": (forces**2).sum(1) / 100}

        return labels

    monkeypatch.setattr(Potential, "labels", doubtful)
    potential = pairs()
    free = Simulation(potential, crystal(), Dynamics("nve"))
    deviations = []
    for step in range(60):
        free.advance(step)
        deviations.append(free.deviation)
    limit = max(deviations[:3]) * (1 + 1e-9)
    first = next(step for step, deviation in enumerate(deviations) if deviation > limit)
    watched = Simulation(potential, crystal(), Dynamics("nve"), stop_at=limit)
    watched.advance(59)
    assert watched.doubtful
    assert (watched.step, watched.deviation) == (first, deviations[first])
    deviations_of_atoms = (watched.state.forces**2).sum(1) / 100
    np.testing.assert_allclose(watched.state.forces_deviation, deviations_of_atoms, rtol=1e-12)


def test_fixed_atoms_stay_and_others_have_the_temperature():
    atoms = crystal()
    atoms.set_constraint(FixAtoms([0, 3]))
    simulation = Simulation(POTENTIAL, atoms, Dynamics("langevin", friction=100.0))
    state = simulation.advance(20)
    moved = np.linalg.norm(state.positions - atoms.positions, axis=1)
    assert (moved[[0, 3]] == 0).all()
    assert (np.delete(moved, [0, 3]) > 1e-3).all()
    assert simulation.freedom == 3 * 6


def test_first_momenta_are_those_asked_for():
    atoms = ase.build.bulk("Si", cubic=True).repeat(3)
    draw_momenta(atoms, 300.0, seed=0)
    assert 270 < atoms.get_temperature() < 330
    np.testing.assert_allclose(atoms.get_momenta().sum(axis=0), 0, atol=1e-10)
    before = atoms.get_momenta()
    draw_momenta(atoms, 1000.0, seed=1)
    np.testing.assert_array_equal(atoms.get_momenta(), before)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Dynamics(pressure=float("nan")), "a finite pressure in GPa, got nan"),
        (lambda: Dynamics(timestep=0.0), "above 0 fs, got 0.0"),
        (lambda: Dynamics(friction=-1.0), "friction of 0 1/ps or more, got -1.0"),
        (lambda: Simulation(pairs(label="dipole"), crystal(), Dynamics()), "one of dipole, which moves no atoms"),
        (lambda: Simulation(POTENTIAL, ase.Atoms("Au"), Dynamics()), r"Au is not.*only knows the elements"),
        (lambda: PressureSimulation(POTENTIAL, ase.Atoms("O"), Dynamics("npt")), "periodic in all directions"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


def test_constraints_other_than_fixed_atoms_are_refused():
    atoms = crystal()
    atoms.set_constraint(FixBondLength(0, 1))
    with pytest.raises(ValueError, match="FixBondLengths, and dynamics knows fixed atoms only"):
        Simulation(POTENTIAL, atoms, Dynamics())
