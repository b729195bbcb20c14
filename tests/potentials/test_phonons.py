"""Phonons of exact force constants are those of small displacements, and sound is slow at long waves."""

import ase
import ase.build
import e3nn_jax as e3nn
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.graphs import edge_vectors
from symjax.math import poly_envelope, safe_norm, segment_sum
from symjax.potentials import Calculator, Potential, References
from symjax.potentials.motion import Relaxation, phonons


class LennardJones:
    """A pair potential that crystals are stable in, with the interface of a linen module."""

    cutoff = 6.0

    def apply(self, params, graph):
        lengths = safe_norm(jnp.asarray(edge_vectors(graph)))
        sixth = (params["sigma"] / lengths) ** 6
        edges = 2 * params["depth"] * (sixth**2 - sixth) * poly_envelope(lengths, cutoff=self.cutoff)
        atoms = segment_sum(edges, graph.receivers, graph.nodes.species.shape[0])
        return e3nn.IrrepsArray("1x0e", atoms[:, None])


PARAMS = {"sigma": jnp.array(2.58, float), "depth": jnp.array(0.4, float)}
POTENTIAL = Potential(LennardJones(), PARAMS, (13,), References({13: 0.0}))


def test_bands_are_those_of_displacements_and_acoustic_ones_end_at_zero(tmp_path):
    phonopy = pytest.importorskip("phonopy")
    start = ase.build.bulk("Al", a=4.05)
    atoms = Relaxation(fmax=1e-6, cell="UnitCellFilter").relax(start, Calculator(POTENTIAL)).atoms
    found = phonons(POTENTIAL, atoms, supercell=(2, 2, 2))
    np.testing.assert_allclose(found.gamma, 0, atol=1e-4)
    assert found.lowest > -1e-4
    unit = phonopy.structure.atoms.PhonopyAtoms(
        symbols=["Al"], cell=atoms.cell.array, scaled_positions=atoms.get_scaled_positions()
    )
    control, forces = phonopy.Phonopy(unit, supercell_matrix=np.diag([2, 2, 2]), primitive_matrix="P"), []
    control.generate_displacements(distance=1e-3)
    for cell in control.supercells_with_displacements:
        moved = ase.Atoms(cell.symbols, scaled_positions=cell.scaled_positions, cell=cell.cell, pbc=True)
        forces.append(Calculator(POTENTIAL).get_forces(moved))
    control.forces = forces
    control.produce_force_constants()
    expected = control.run_qpoints([[0.5, 0, 0.5]]).frequencies[0]
    place = next(i for i, (_, name) in enumerate(found.marks) if name == "X")
    row = np.argmin(np.abs(found.distances - found.marks[place][0]))
    np.testing.assert_allclose(found.bands[row], expected, rtol=1e-4)
    found.draw(tmp_path / "phonons.png")
    found.write_heat(tmp_path / "phonons.csv")
    assert (tmp_path / "phonons.png").stat().st_size > 10_000
    lines = (tmp_path / "phonons.csv").read_text().splitlines()
    assert lines[0].startswith("temperature_K,free_energy_kJ_per_mol")
    assert len(lines) == 22


def test_what_has_no_phonons_is_refused():
    pytest.importorskip("phonopy")
    with pytest.raises(ValueError, match="repeats nowhere and has no phonons; ask for --frequencies"):
        phonons(POTENTIAL, ase.build.molecule("H2O"))
    sheet = ase.Atoms("O", cell=[2, 2, 9], pbc=(True, True, False))
    with pytest.raises(ValueError, match="1 where nothing repeats"):
        phonons(POTENTIAL, sheet, supercell=(2, 2, 2))
