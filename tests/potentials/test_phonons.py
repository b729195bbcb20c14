"""Phonons of exact force constants are those of small displacements, and sound is slow at long waves."""

import ase
import ase.build
import numpy as np
import pytest
from pair_model import SPECIES, PairModel, params
from test_calculator import REFERENCES

from symjax.potentials import Calculator, Potential, Relaxation, phonons

POTENTIAL = Potential(PairModel(), params(), SPECIES, REFERENCES)


def test_bands_are_those_of_displacements_and_acoustic_ones_end_at_zero(tmp_path):
    phonopy = pytest.importorskip("phonopy")
    start = ase.Atoms("OH", [[0, 0, 0], [0.75, 0.75, 0.75]], cell=np.eye(3) * 1.5, pbc=True)
    atoms = Relaxation(fmax=1e-6).relax(start, Calculator(POTENTIAL)).atoms
    found = phonons(POTENTIAL, atoms, supercell=(2, 2, 2))
    np.testing.assert_allclose(found.gamma[:3], 0, atol=1e-4)
    assert found.gamma[3] > 1
    unit = phonopy.structure.atoms.PhonopyAtoms(
        symbols=["O", "H"], cell=atoms.cell.array, scaled_positions=atoms.get_scaled_positions()
    )
    control, forces = phonopy.Phonopy(unit, supercell_matrix=np.diag([2, 2, 2]), primitive_matrix="P"), []
    control.generate_displacements(distance=1e-3)
    for cell in control.supercells_with_displacements:
        moved = ase.Atoms(cell.symbols, scaled_positions=cell.scaled_positions, cell=cell.cell, pbc=True)
        forces.append(Calculator(POTENTIAL).get_forces(moved))
    control.forces = forces
    control.produce_force_constants()
    expected = control.run_qpoints([[0.5, 0, 0], [0, 0, 0]]).frequencies
    place = next(i for i, (_, name) in enumerate(found.marks) if name == "X")
    row = np.argmin(np.abs(found.distances - found.marks[place][0]))
    np.testing.assert_allclose(found.bands[row], expected[0], rtol=1e-3)
    np.testing.assert_allclose(found.gamma[3:], expected[1][3:], rtol=1e-3)
    found.draw(tmp_path / "phonons.png")
    found.write_heat(tmp_path / "phonons.csv")
    assert (tmp_path / "phonons.png").stat().st_size > 10_000
    lines = (tmp_path / "phonons.csv").read_text().splitlines()
    assert lines[0].startswith('"temperature, K","free energy, kJ/mol"')
    assert len(lines) == 22


def test_what_has_no_phonons_is_refused():
    pytest.importorskip("phonopy")
    with pytest.raises(ValueError, match="repeats nowhere and has no phonons; ask for --frequencies"):
        phonons(POTENTIAL, ase.build.molecule("H2O"))
    sheet = ase.Atoms("O", cell=[2, 2, 9], pbc=(True, True, False))
    with pytest.raises(ValueError, match="1 where nothing repeats"):
        phonons(POTENTIAL, sheet, supercell=(2, 2, 2))
