"""D3 beside a calculator: energy, forces, stress and Hessian are those of one function."""

import ase
import ase.build
import numpy as np
import pytest
from ase.calculators.lj import LennardJones

from symjax.potentials import dispersion_hessian, with_dispersion

SHORT = LennardJones(sigma=1.5, epsilon=1e-2, rc=4.0)


def layers():
    atoms = ase.build.graphene(a=2.46, vacuum=5.0)
    atoms.rattle(0.05, seed=1)
    atoms.pbc = True
    return atoms


def slope(energy, step=1e-3):
    return (energy(step) - energy(-step)) / (2 * step)


def test_forces_stress_and_hessian_are_slopes_of_the_sum():
    pytest.importorskip("dftd3")
    atoms = layers()
    atoms.calc = calculator = with_dispersion(SHORT, "pbe")
    assert atoms.get_potential_energy() < SHORT.get_potential_energy(atoms) - 0.05
    assert atoms.get_potential_energy(force_consistent=True) == atoms.get_potential_energy()

    def moved(step):
        other = atoms.copy()
        other.positions[0, 2] += step
        return other

    def strained(step):
        other = atoms.copy()
        other.set_cell(atoms.cell.array @ np.diag([1, 1, 1 + step]), scale_atoms=True)
        return other

    found = slope(lambda step: calculator.get_potential_energy(moved(step)))
    np.testing.assert_allclose(atoms.get_forces()[0, 2], -found, rtol=1e-3)  # D3 ends sharply, at 32 Å
    found = slope(lambda step: calculator.get_potential_energy(strained(step))) / atoms.get_volume()
    np.testing.assert_allclose(atoms.get_stress()[2], found, rtol=1e-3)
    alone = with_dispersion(LennardJones(epsilon=0.0), "pbe")
    found = slope(lambda step: -alone.get_forces(moved(step)))
    np.testing.assert_allclose(dispersion_hessian("pbe", atoms)[0, 2], found, atol=1e-5)


def test_a_functional_without_parameters_is_refused():
    pytest.importorskip("dftd3")
    with pytest.raises(ValueError, match=r"no parameters for the functional 'nothing'.*such as pbe"):
        with_dispersion(SHORT, "nothing")
