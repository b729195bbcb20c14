"""What is known in part, what cannot be and what looks doubtful, each in one sentence while a data set is read."""

import ase
import ase.build
import ase.io
import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms, FixCartesian

from symjax.data import find_sources, read_sources, read_structures


def labelled(atoms, energy=0.0, forces=1.0, arrays=(), **notes):
    results = {"energy": energy, "forces": np.broadcast_to(forces, (len(atoms), 3))}
    results |= {name: notes.pop(name) for name in ("stress", "free_energy") if name in notes}
    atoms.calc = SinglePointCalculator(atoms, **results)
    atoms.info |= notes
    for name, values in dict(arrays).items():
        atoms.arrays[name] = np.array(values)
    return atoms


def told(found):
    return "\n".join(found.notes)


def water(*args, **kwargs):
    return labelled(ase.build.molecule("H2O"), *args, **kwargs)


def silicon(*args, **kwargs):
    return labelled(ase.build.bulk("Si"), *args, **kwargs)


def boxed(symbols, width, pbc=True, **kwargs):
    return labelled(ase.Atoms(symbols, cell=np.eye(3) * width, pbc=pbc), **kwargs)


@pytest.fixture
def read(tmp_path):
    """Write frames and read them as a data set."""

    def read(*frames, **rules):
        ase.io.write(tmp_path / "set.xyz", frames, format="extxyz")
        return read_sources(find_sources([tmp_path / "set.xyz"], **rules))

    return read


@pytest.mark.parametrize(
    ("rules", "column", "known", "words"),
    [
        ({}, {"force_mask": [1, 1, 0]}, [1, 1, 0], "1 masked by force_mask"),
        ({}, {"forces_mask": [True, False, False]}, [1, 0, 0], "2 masked by forces_mask"),
        ({"mask_key": "1-force_mask"}, {"force_mask": [1, 1, 0]}, [0, 0, 1], "2 masked by force_mask"),
        ({"mask_key": "good"}, {"good": [0, 1, 1]}, [0, 1, 1], "1 masked by good"),
    ],
)
def test_a_mask_column_leaves_forces_out(read, rules, column, known, words):
    found = read(water(arrays=column), **rules)
    assert found.structures.known("forces").tolist() == [bool(k) for k in known]
    assert words in told(found)
    assert "--mask-key 1-" in told(found)


def test_a_mask_of_something_else_is_refused(read):
    with pytest.raises(ValueError, match="frame 0: 'force_mask' should be true or false for each of its 3 atoms"):
        read(water(arrays={"force_mask": [1, 2, 3]}))
    with pytest.raises(ValueError, match="frame 0: there is no column 'good', which --mask-key names"):
        read(water(), mask_key="good")


def test_fixed_atoms_have_forces_unless_these_are_exactly_zero(read):
    kept, blank, half = water(), water(forces=[[0.0] * 3, [1.0] * 3, [1.0] * 3]), water(forces=[[1.0, 1.0, 0.0]] * 3)
    for atoms in (kept, blank):
        atoms.set_constraint(FixAtoms([0]))
    half.set_constraint(FixCartesian([1], [False, False, True]))
    found = read(kept, blank, half)
    assert found.structures.known("forces").tolist() == [True] * 3 + [False, True, True] + [True, False, True]
    assert "forces: known for 3 of 3 structures; atoms without: 2 fixed with forces of exactly zero" in found.notes


def test_what_is_known_in_part_is_counted(read):
    bare, torn = ase.build.molecule("H2O"), water()
    torn.calc.results["forces"] = np.array([[np.nan, 0, 0], [0, 0, 0], [0, 0, 0]])
    found = read(bare, torn, water())
    assert "energy: known for 2 of 3 structures" in found.notes
    assert "forces: known for 2 of 3 structures; atoms without: 1 nan" in found.notes
    assert read(water()).notes == ()


def test_virials_and_other_units_of_stress(read):
    virial = np.diag([1.0, 2.0, 3.0])
    crystal = silicon(virial=virial, GPa=virial)
    volume = crystal.get_volume()
    np.testing.assert_allclose(read(crystal, virial_key="virial").structures.stress[0], -virial / volume)
    rules = {"virial_key": "virial", "stress_factor": -1.0, "units": "meV", "length": "nm"}
    np.testing.assert_allclose(read(crystal, **rules).structures.stress[0], virial / volume / 1e6)
    found = read(crystal, stress_key="GPa", stress_factor=0.00624151)
    np.testing.assert_allclose(found.structures.stress[0], virial / 160.2177, rtol=1e-5)
    assert "--virial-key virial reads it as a virial" in told(read(crystal, stress_key="virial", stress_factor=0.1))
    with pytest.raises(ValueError, match="--stress-key and --virial-key name the same label"):
        read(crystal, virial_key="virial", stress_key="GPa")
    with pytest.raises(ValueError, match=r"no stress under 'V', .* with --virial-key, in Python virial_key, or None"):
        read(crystal, virial_key="V")


def test_mixtures_are_counted_and_stress_is_of_what_has_a_volume(read, tmp_path):
    slab = ase.build.fcc111("Cu", (1, 1, 2), vacuum=6.0)
    slab.info = {}
    slab = labelled(slab, stress=np.ones(6) / 100)
    found = read(silicon(stress=np.ones(6)), slab, water(stress=np.zeros(6)), boxed("H", 12.0), stress_key="stress")
    assert (
        "periodic directions: three (crystals) of 1, two (slabs) of 1, none (molecules) of 1 structures" in found.notes
    )
    assert found.structures.known("stress").tolist() == [True, True, False]
    assert "stress: left out of 1 structures (first " in told(found)
    assert read_structures(tmp_path / "set.xyz", stress_key="stress").known("stress").tolist() == [True, True, False]
    with pytest.raises(ValueError, match="is not periodic and can have no stress; leave --stress-key out"):
        read(water(stress=np.zeros(6)), stress_key="stress")
    with pytest.raises(ValueError, match="is not periodic and can have no stress; leave --stress-key out"):
        read_structures(tmp_path / "set.xyz", stress_key="stress")


def test_lattices_that_were_lost(read, tmp_path):
    lower = (
        '2\nlattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3:forces:R:3 energy=1.0\n' + "Si 0 0 0 0 0 0\n" * 2
    )
    (tmp_path / "lower.xyz").write_text(lower.replace("Si 0", "Si 1", 1))
    [note] = read_sources(find_sources([tmp_path / "lower.xyz"])).notes
    assert "the header of 1 structures (first " in note
    assert "lower.xyz, frame 0) has 'lattice', but they have no cell" in note
    filled = silicon()
    filled.pbc = False
    assert "fill a cell but have no periodic direction" in told(read(filled))
    vacuum = water()
    vacuum.center(vacuum=5.0)
    assert read(vacuum).notes == ()
    torn = silicon()
    torn.set_cell(None)
    torn.pbc = False
    assert "1 structures are open where others of the same composition" in told(read(silicon(), torn))
    torn.pbc = True
    with pytest.raises(ValueError, match="frame 1: periodic directions need independent lattice vectors"):
        read(silicon(), torn)


def test_a_stress_beyond_reason_is_told_and_many_are_refused(read):
    good, bad = silicon(stress=np.full(6, 0.01)), silicon(stress=np.full(6, 3.0))
    with pytest.raises(ValueError, match=r"frame 1: a stress of 3 eV/Å³ is 481 GPa; .* --virial-key, .* --stress-f"):
        read(good, bad, bad, stress_key="stress")
    assert "frame 2: a stress of 3 eV/Å³" in told(read(good, good, bad, stress_key="stress"))


def test_ghosts_and_atoms_at_one_point_are_refused(read):
    with pytest.raises(ValueError, match="frame 1: atom 2 is X, no element; remove such atoms"):
        read(water(), labelled(ase.Atoms("OHX", positions=np.eye(3))))
    image = boxed("Si2", 4.0)
    image.positions[1] = [4.0, 4.0, -4.0]
    with pytest.raises(ValueError, match="frame 1: atoms 0 and 1 of Si2 are at one point"):
        read(water(), image)
    image.pbc = [True, True, False]
    assert len(read(water(), image).structures) == 2


def test_one_geometry_with_two_energies(read):
    found = read(water(0.0), water(3.0, charge=1, spin=2))
    assert "frame 1 are one geometry with 0 and 3 eV (1 such pair) and another charge or spin" in told(found)
    assert "--charges True" in told(found)
    found = read(water(0.0), water(3.0))
    assert "frame 1 are one geometry with 0 and 3 eV (1 such pair) and no charge or spin" in told(found)
    assert read(water(0.0), water(0.1)).notes == ()


@pytest.mark.parametrize(
    ("energy", "force", "words"),
    [
        (1.0, 1.0, None),
        (23.06, 1.0, "energies in kcal/mol beside forces in eV/Å"),
        (1 / 27.211, 1 / 51.422, "--units Hartree/bohr"),
        (1.0, -1.0, "the sign of the gradient"),
    ],
)
def test_energies_that_do_not_go_with_forces(read, energy, force, words):
    rng = np.random.default_rng(0)
    frames = []
    for _ in range(30):
        atoms = ase.build.molecule("H2O")
        moved = rng.normal(0, 0.1, (3, 3))
        atoms.positions += moved
        frames.append(labelled(atoms, energy * 5 * np.sum(moved**2), -force * 10 * moved))
    notes = told(read(*frames))
    assert (words in notes) if words else notes == ""


def test_energies_that_no_electrons_give(read):
    assert "frame 0 has -47900 eV, more than all electrons of OH2" in told(read(water(-47900.0)))
    assert read(water(-47900.0), units="kcal/mol").notes == ()
    atoms = [boxed(symbol, 10.0, energy=energy) for symbol, energy in (("H", -0.5), ("O", -75.0))]
    assert "-668 eV an atom from those of the isolated atoms" in told(read(water(-2079.0), *atoms))


def test_forces_that_atoms_do_not_feel(read):
    assert "forces of 30 eV/Å are typical" in told(read(water(forces=30.0)))
    assert read(water(forces=30.0), units="kcal/mol").notes == ()
    assert read(water(forces=[[30.0] * 3, [1.0] * 3, [1.0] * 3])).notes == ()


def test_which_energy_of_a_metal_was_read(read):
    crystal = silicon(energy=-3.0, free_energy=-3.25)
    assert "read from 'energy', extrapolated to sigma = 0; 'free_energy'" in told(read(crystal))
    found = read(crystal, energy_key="free_energy")
    assert found.structures.energy.tolist() == [-3.25]
    assert "read from 'free_energy', of which forces are derivatives; 'energy' differs by up to 0.25 eV" in told(found)
    assert read(silicon(energy=-3.0, free_energy=-3.0)).notes == ()


@pytest.mark.parametrize("kind", ["IsolatedAtom", "isolated_atom", "isolated atom", "Isolated-Atom", "single_atom"])
def test_isolated_atoms_by_their_config_type(read, kind):
    found = read(silicon(), boxed("Na", 3.0, energy=-2.5, config_type=kind))
    assert found.structures.isolated == {11: -2.5}
    assert "isolated atoms, taken as reference energies and not as structures: Na -2.5 eV" in found.notes


def test_isolated_atoms_by_their_box(read):
    skewed = boxed("Na", 9.0)
    skewed.set_cell([[9.0, 0, 0], [8.0, 2.0, 0], [0, 0, 9.0]])
    found = read(silicon(), boxed("Na", 9.0, energy=-2.5), boxed("K", 7.0), skewed)
    assert found.structures.isolated == {11: -2.5}
    assert len(found.structures) == 3
    named = read(silicon(), boxed("Na", 9.0, energy=-2.0), boxed("Na", 3.0, energy=-2.5, config_type="IsolatedAtom"))
    assert named.structures.isolated == {11: -2.5}
    assert len(read(silicon(), labelled(ase.Atoms("Na"), charge=1)).structures) == 2
    with pytest.raises(
        ValueError, match=r"isolated Na has -1.0 eV, but -2.0 eV in an earlier frame.* config_type=IsolatedAtom"
    ):
        read(silicon(), boxed("Na", 9.0, energy=-2.0), boxed("Na", 10.0, energy=-1.0))
    assert read(silicon(), boxed("Na", 0.9, energy=-2.0), length="nm").structures.isolated == {11: -2.0}
