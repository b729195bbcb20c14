"""Exact second derivatives, frequencies and force constants."""

import numpy as np
import pytest
from pair_model import SPECIES, PairModel, params
from test_calculator import REFERENCES, SCHNET, crystal, drawn

from symjax.potentials import Calculator, Potential
from symjax.potentials.motion import hessian_of

PAIRS = Potential(PairModel(), params(), SPECIES, REFERENCES)


def differences(potential, atoms, row, step=1e-4):
    """Central differences of forces: the rows of an atom."""
    atoms, found = atoms.copy(), []
    atoms.calc = Calculator(potential, skin=1.0)
    for axis in range(3):
        forces = []
        for sign in (1, -1):
            atoms.positions[row, axis] += sign * step
            forces.append(atoms.get_forces())
            atoms.positions[row, axis] -= sign * step
        found.append((forces[1] - forces[0]) / (2 * step))
    return np.array(found)


def test_the_hessian_is_the_difference_of_forces_is_symmetric_and_knows_no_translation():
    """In a cell smaller than the cutoff, where atoms see their own images."""
    potential, atoms = Potential(SCHNET, drawn(SCHNET), SPECIES, REFERENCES), crystal()
    matrix = hessian_of(potential, atoms)
    largest = np.abs(matrix).max()
    assert largest > 1e-2
    np.testing.assert_allclose(matrix, matrix.transpose(2, 3, 0, 1), atol=1e-12 * largest)
    np.testing.assert_allclose(matrix.sum(axis=2), 0, atol=1e-12 * largest)
    for row in range(2):
        np.testing.assert_allclose(matrix[row], differences(potential, atoms, row), atol=1e-6 * largest)


def test_a_hessian_that_does_not_fit_is_refused_before_it_is_computed(monkeypatch):
    monkeypatch.setattr("symjax.math.memory.memory_limit", lambda: 1e4)
    with pytest.raises(ValueError, match=r"a Hessian of 8 by 8 atoms would take about .* GiB of the"):
        hessian_of(PAIRS, crystal(repeat=(2, 2, 1)))
