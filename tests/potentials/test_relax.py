"""Structures come to rest, or it is said why not; vibrations, phonons and dispersion at rest."""

import ase
import ase.build
import ase.units
import numpy as np
import pytest
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.constraints import FixAtoms
from pair_model import SPECIES, PairModel, params
from test_calculator import REFERENCES, crystal

from symjax.potentials import Calculator, Potential
from symjax.potentials.motion import Relaxation, vibrations

POTENTIAL = Potential(PairModel(), params(), SPECIES, REFERENCES)
CALCULATOR = Calculator(POTENTIAL)
FINE = Relaxation(fmax=1e-7)


def test_hydrogens_are_fixed_where_they_are_and_columns_stay():
    atoms = ase.build.molecule("H2O")
    atoms.set_constraint(FixAtoms([1]))
    atoms.info["name"] = "water"
    found = FINE.relax(atoms, CALCULATOR)
    assert (found.trouble, found.stress) == ("", None)
    assert found.energy < found.before
    np.testing.assert_array_equal(found.atoms.positions[1], atoms.positions[1])
    np.testing.assert_array_equal(atoms.positions, ase.build.molecule("H2O").positions)
    assert (found.atoms.info["name"], found.atoms.constraints[0].index.tolist()) == ("water", [1])
    np.testing.assert_allclose(CALCULATOR.get_forces(found.atoms), found.forces, atol=1e-12)


@pytest.mark.parametrize("cell", ["FrechetCellFilter", "UnitCellFilter", "StrainFilter"])
def test_the_cell_moves_until_the_stress_is_gone_or_the_pressure(cell):
    pressure = 0.0 if cell == "StrainFilter" else 2.0
    start = ase.build.bulk("Cu", a=3.7)
    found = Relaxation(cell=cell, pressure=pressure, fmax=1e-5).relax(start, EMT())
    assert not found.trouble
    np.testing.assert_allclose(found.stress, -pressure * ase.units.GPa * np.eye(3), atol=1e-5)
    assert found.atoms.get_volume() < 0.95 * start.get_volume()


@pytest.mark.parametrize("optimizer", ["bfgs", "lbfgs", "fire", "fire2", "bfgslinesearch", "lbfgslinesearch", "mdmin"])
def test_every_optimizer_finds_the_same_bond(optimizer):
    found = Relaxation(optimizer=optimizer, fmax=1e-5).relax(ase.Atoms("OH", [[0, 0, 0], [1.2, 0.1, 0]]), CALCULATOR)
    np.testing.assert_allclose(found.atoms.get_distance(0, 1), 1.0, atol=1e-5)


def test_too_few_steps_are_told():
    found = Relaxation(steps=1).relax(ase.build.molecule("H2O"), CALCULATOR)
    assert found.trouble == "the largest force is above 0.05 eV/Å after 1 steps"
    assert (found.steps, found.fmax > 0.05) == (1, True)


class Cliff(LennardJones):
    """Forces that end at a bond of 1.5 Å, as those of a model that has never seen it may."""

    def calculate(self, atoms=None, *words):
        super().calculate(atoms, *words)
        if self.atoms.get_distance(0, 1) > 1.5:
            self.results["forces"] = np.full((2, 3), np.nan)


def test_a_relaxation_that_leaves_all_numbers_stops_at_the_last_good_step():
    found = FINE.relax(ase.Atoms("H2", [[0, 0, 0], [1.0, 0, 0]]), Cliff(sigma=1.4, epsilon=0.05))
    assert found.trouble.startswith("energy or forces are not finite after step")
    assert 1.0 < found.atoms.get_distance(0, 1) <= 1.5
    assert np.isfinite(found.energy)
    assert np.isfinite(found.forces).all()


@pytest.mark.parametrize("atoms", [ase.Atoms("O"), ase.Atoms("OH", [[0, 0, 0], [9.0, 0, 0]])], ids=["one", "apart"])
def test_atoms_without_neighbours_are_at_rest(atoms):
    found = Relaxation().relax(atoms, CALCULATOR)
    assert (found.steps, found.trouble, found.fmax) == (0, "", 0.0)
    modes = vibrations(POTENTIAL, atoms).modes
    np.testing.assert_allclose([mode.wavenumber for mode in modes], 0, atol=1e-6)


@pytest.mark.parametrize(
    ("atoms", "options", "words"),
    [
        (ase.Atoms("O2"), {}, "atoms 0 and 1 of O2 are at one point"),
        (ase.Atoms("O2", [[0, 0, 0], [0, 0, 2]], cell=[3, 3, 2], pbc=True), {}, "are at one point"),
        (ase.Atoms("O"), {"cell": "UnitCellFilter"}, "no periodic cell with a volume that could move"),
        (ase.Atoms("O", cell=[2, 2, 0], pbc=(1, 1, 0)), {"cell": "StrainFilter"}, "no periodic cell with a volume"),
        (ase.Atoms("O", cell=[2, 2, 0], pbc=True), {}, "independent lattice vectors"),
        (crystal(), {"pressure": 1.0}, "needs a crystal and --cell FrechetCellFilter"),
        (crystal(), {"fmax": 0.0}, "a positive --fmax"),
        (ase.Atoms("Au"), {}, "only knows the elements"),
    ],
)
def test_what_cannot_be_relaxed_is_refused_in_one_sentence(atoms, options, words):
    with pytest.raises(ValueError, match=words) as refused:
        Relaxation(**options).relax(atoms, CALCULATOR)
    assert "\n" not in str(refused.value)


def test_a_dimer_has_the_frequency_of_its_spring_and_five_rigid_motions():
    atoms = FINE.relax(ase.Atoms("OH", [[0, 0, 0], [0.7, 0.7, 0]]), CALCULATOR).atoms
    found, step = vibrations(POTENTIAL, atoms), 1e-4
    kinds = [mode.kind for mode in found.modes]
    assert (kinds.count("translation"), kinds.count("rotation"), kinds[-1]) == (3, 2, "vibration")
    np.testing.assert_allclose([mode.wavenumber for mode in found.modes[:5]], 0, atol=0.01)
    slopes = []
    for sign in (1, -1):
        stretched = atoms.copy()
        stretched.set_distance(0, 1, 1.0 + sign * step, fix=0)
        bond = stretched.positions[1] - stretched.positions[0]
        slopes.append(-CALCULATOR.get_forces(stretched)[1] @ bond / np.linalg.norm(bond))
    spring, mass = (slopes[0] - slopes[1]) / (2 * step), 1 / np.sum(1 / atoms.get_masses())
    quantum = ase.units._hbar * np.sqrt(spring / mass * ase.units._e / ase.units._amu) * 1e10 / ase.units._e
    np.testing.assert_allclose(found.modes[-1].energy, quantum, rtol=1e-6)
    np.testing.assert_allclose(found.zero_point_energy, quantum / 2, rtol=1e-6)
    assert not found.imaginary


def test_modes_of_a_saddle_are_imaginary_and_fixed_atoms_have_none():
    row = ase.Atoms("HOH", [[-1, 0, 0], [0, 0, 0], [1.0, 0, 0]])
    found = vibrations(POTENTIAL, row)
    assert len(found.modes) == 9
    assert len(found.imaginary) == 2
    assert str(found.modes[0]).endswith("i")
    row.set_constraint(FixAtoms([1]))  # turns about its middle
    assert [mode.kind for mode in vibrations(POTENTIAL, row).modes].count("rotation") == 2
    row.set_constraint(FixAtoms([0, 2]))  # turns about its axis, on which the last atom is
    assert [mode.kind for mode in vibrations(POTENTIAL, row).modes] == ["vibration"] * 3
    row.set_constraint(FixAtoms([0, 1, 2]))
    with pytest.raises(ValueError, match="all atoms of HOH are fixed"):
        vibrations(POTENTIAL, row)
