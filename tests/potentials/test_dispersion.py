"""D3 beside a calculator: energy, forces, stress and Hessian are those of one function."""

import ase
import ase.build
import numpy as np
import pytest
from ase.calculators.lj import LennardJones

from symjax.potentials.motion import dispersion_hessian, with_dispersion

SHORT = LennardJones(sigma=1.5, epsilon=1e-2, rc=4.0)


def slope(function, step=1e-3):
    return (function(step) - function(-step)) / (2 * step)


def test_forces_and_hessian_are_slopes_of_the_sum():
    pytest.importorskip("dftd3")
    atoms = ase.build.molecule("CH3OH")
    atoms.calc = calculator = with_dispersion(SHORT, "pbe")
    assert atoms.get_potential_energy() < SHORT.get_potential_energy(atoms) - 0.01
    assert atoms.get_potential_energy(force_consistent=True) == atoms.get_potential_energy()

    def moved(step):
        other = atoms.copy()
        other.positions[1, 0] += step
        return other

    found = slope(lambda step: calculator.get_potential_energy(moved(step)), step=1e-4)
    np.testing.assert_allclose(atoms.get_forces()[1, 0], -found, rtol=1e-5)
    alone = with_dispersion(LennardJones(epsilon=0.0), "pbe")
    found = slope(lambda step: -alone.get_forces(moved(step)))
    np.testing.assert_allclose(dispersion_hessian("pbe", atoms)[1, 0], found, atol=1e-6)


def test_stress_is_the_slope_of_the_sum_with_strain():
    pytest.importorskip("dftd3")
    atoms = ase.build.bulk("Ar", a=5.2, cubic=True)
    atoms.calc = calculator = with_dispersion(SHORT, "pbe")

    def strained(step):
        other = atoms.copy()
        other.set_cell(atoms.cell.array @ np.diag([1, 1, 1 + step]), scale_atoms=True)
        return other

    found = slope(lambda step: calculator.get_potential_energy(strained(step))) / atoms.get_volume()
    np.testing.assert_allclose(atoms.get_stress()[2], found, rtol=2e-3)  # D3 ends sharply, at 32 Å
    assert found > 1e-3


def test_a_functional_without_parameters_is_refused():
    pytest.importorskip("dftd3")
    with pytest.raises(ValueError, match=r"no parameters for the functional 'nothing'.*such as pbe"):
        with_dispersion(SHORT, "nothing")
