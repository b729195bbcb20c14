"""Reading data sets: keys, units, isolated atoms, and one clear sentence for each kind of bad file."""

import ase
import ase.build
import ase.io
import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator

from symjax.data import (
    Structures,
    read_isolated_atoms,
    read_structures,
    read_whole,
    statistics,
    write_structures,
)

KCAL = 0.0433641042418009


def water(energy=-10.0, scale=1.0, **labels):
    atoms = ase.build.molecule("H2O")
    atoms.positions *= scale
    forces = np.arange(9.0).reshape(3, 3)
    atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=forces, **labels)
    return atoms


def written(tmp_path, *frames, name="data.xyz"):
    ase.io.write(tmp_path / name, frames, format="extxyz")
    return tmp_path / name


def test_standard_labels_are_read_from_the_calculator_and_survive_a_change_of_cell(tmp_path):
    crystal = ase.build.bulk("Si")
    stress = np.array([1.0, 2, 3, 4, 5, 6])
    crystal.calc = SinglePointCalculator(crystal, energy=-3.0, forces=np.ones((2, 3)), stress=stress)
    data = read_structures(written(tmp_path, crystal), stress_key="stress", units="kcal/mol", length="nm")
    assert data.atoms[0].calc is None
    np.testing.assert_allclose(data.energy, [-3 * KCAL])
    np.testing.assert_allclose(data.forces[0], np.full((2, 3), KCAL / 10))
    np.testing.assert_allclose(data.stress[0], np.array([[1, 6, 5], [6, 2, 4], [5, 4, 3]]) * KCAL / 1000)
    np.testing.assert_allclose(data.atoms[0].cell.array, crystal.cell.array * 10)
    np.testing.assert_allclose(data.atoms[0].positions, crystal.positions * 10, atol=1e-6)
    assert data.atoms[0].pbc.all()


def test_labels_under_other_names(tmp_path):
    atoms = ase.build.molecule("H2O", vacuum=3.0, pbc=True)
    atoms.info |= {"REF_energy": -5.0, "REF_stress": np.arange(9.0).reshape(3, 3) / 10}
    atoms.arrays["REF_forces"] = np.full((3, 3), 2.0)
    data = read_structures(
        written(tmp_path, atoms), energy_key="REF_energy", forces_key="REF_forces", stress_key="REF_stress"
    )
    assert data.energy.tolist() == [-5.0]
    np.testing.assert_array_equal(data.forces[0], 2.0)
    np.testing.assert_allclose(data.stress[0], np.arange(9.0).reshape(3, 3) / 10)
    assert data.energy.dtype == data.forces[0].dtype == data.stress.dtype == np.float64


def test_only_what_is_asked_for_is_read(tmp_path):
    data = read_structures(written(tmp_path, ase.build.molecule("H2O")), energy_key=None, forces_key=None)
    assert data.energy is data.forces is data.stress is None


@pytest.mark.parametrize("names", ["ERFz", "energies coords forces nuclear_charges", "energy positions forces numbers"])
def test_npz_layouts(tmp_path, names):
    keys = names.split() if " " in names else list(names)
    energies, positions, forces = np.arange(4.0), np.arange(36.0).reshape(4, 3, 3), np.ones((4, 3, 3))
    values = [energies[:, None], positions, forces, np.array([8, 1, 1], np.uint8)]
    np.savez(tmp_path / "a.npz", **dict(zip(keys, values, strict=True)), type=np.bytes_("d"), old_indices=np.arange(4))
    data = read_structures(tmp_path / "a.npz", units="kcal/mol")
    np.testing.assert_allclose(data.energy, energies * KCAL)
    np.testing.assert_allclose(data.forces[2], forces[2] * KCAL)
    np.testing.assert_array_equal(data.atoms[3].positions, positions[3])
    assert data.species == (1, 8)
    assert not data.atoms[0].pbc.any()


def test_npz_lattice_vectors_are_columns(tmp_path):
    lattice = np.array([[3.0, 1, 0], [0, 3, 0], [0, 0, 3]])
    np.savez(tmp_path / "a.npz", z=[14], R=np.zeros((2, 1, 3)), E=np.zeros(2), F=np.zeros((2, 1, 3)), lattice=lattice)
    data = read_structures(tmp_path / "a.npz")
    assert len(data) == 2
    np.testing.assert_array_equal(data.atoms[0].cell.array[1], [1, 3, 0])


def test_isolated_atoms_become_references(tmp_path):
    hydrogen, oxygen, sodium = (ase.Atoms(symbol) for symbol in ("H", "O", "Na"))
    oxygen.set_cell(np.eye(3) * 20)
    oxygen.pbc = True
    oxygen.info["config_type"] = "IsolatedAtom"
    sodium.set_cell(np.eye(3) * 3)
    sodium.pbc = True
    for atoms, energy in ((hydrogen, -1.0), (oxygen, -2.0), (sodium, -3.0)):
        atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=np.zeros((1, 3)))
    path = written(tmp_path, hydrogen, water(), oxygen, sodium)
    data = read_structures(path, units="kcal/mol")
    assert [str(atoms.symbols) for atoms in data.atoms] == ["OH2", "Na"]
    assert data.isolated == pytest.approx({1: -KCAL, 8: -2 * KCAL})
    assert read_isolated_atoms(path) == {1: -1.0, 8: -2.0}


def test_two_energies_for_one_isolated_element_are_refused(tmp_path):
    frames = [ase.Atoms("H"), ase.Atoms("H")]
    for atoms, energy in zip(frames, (-1.0, -2.0), strict=True):
        atoms.calc = SinglePointCalculator(atoms, energy=energy)
    with pytest.raises(ValueError, match=r"frame 1: isolated H has -2.0 eV, but -1.0 eV in an earlier frame"):
        read_isolated_atoms(written(tmp_path, *frames))
    with pytest.raises(ValueError, match="nothing but isolated atoms"):
        read_structures(written(tmp_path, frames[0]))
    with pytest.raises(ValueError, match="holds no isolated atoms"):
        read_isolated_atoms(written(tmp_path, water()))


def test_a_missing_label_names_file_frame_and_what_there_is(tmp_path):
    bare = ase.build.molecule("H2O")
    bare.info["dft_energy"] = 1.0
    path = written(tmp_path, bare, bare)
    with pytest.raises(ValueError, match=r"data.xyz, frame 0: there is no energy under 'energy', only dft_energy;"):
        read_structures(path)
    with pytest.raises(ValueError, match=r"under 'None', .* with --energy-key, in Python energy_key$"):
        read_structures(path, energy_key="None")
    words = "there is no stress under 'stress', only energy, forces; .* --stress-key, in Python stress_key, or None to"
    with pytest.raises(ValueError, match=words):
        read_structures(written(tmp_path, water()), stress_key="stress")


def test_a_file_name_is_only_a_name(tmp_path):
    assert len(read_structures(written(tmp_path, water(), water(), name="300K@0.xyz"))) == 2


def test_an_infinite_label_is_named(tmp_path):
    with pytest.raises(ValueError, match="frame 1: 'energy' is infinite"):
        read_structures(written(tmp_path, water(), water(energy=np.inf)))


def test_labels_of_some_frames_and_of_some_atoms_are_known_where_they_are(tmp_path):
    bare, torn, crystal = ase.build.molecule("CO2"), water(energy=np.nan), ase.build.bulk("Si")
    torn.calc.results["forces"][1, 2] = np.nan
    crystal.calc = SinglePointCalculator(crystal, energy=-3.0, stress=np.ones(6))
    data = read_structures(written(tmp_path, water(), bare, torn, crystal), stress_key="stress")
    assert data.known("energy").tolist() == [True, False, False, True]
    assert data.known("stress").tolist() == [False, False, False, True]
    assert data.known("forces").tolist() == [True] * 3 + [False] * 3 + [True, False, True] + [False] * 2
    facts = statistics(data, [6, 6, 6, 8])
    assert facts.mean_energy_per_atom == pytest.approx((-10 / 3 - 3 / 2) / 2)
    rms = np.sqrt((2 * np.sum(np.arange(9.0) ** 2) - 3.0**2 - 4.0**2 - 5.0**2) / 15)
    assert facts.force_rms == pytest.approx(rms)
    with pytest.raises(ValueError, match="there is no stress under 'stress'"):
        read_structures(written(tmp_path, water(), bare), stress_key="stress")


@pytest.mark.parametrize("end", ["db", "json"])
def test_databases_keep_notes_columns_and_deviations(tmp_path, end):
    atoms = ase.Atoms("HO", [(0.0, 0.0, 0.0), (0.0, 0.0, 1.0)], info={"name": "a row", "weight": 2.5})
    atoms.set_array("layer", np.arange(2.0))
    path, labels = tmp_path / f"out.{end}", {"energy": np.ones(1), "energy_deviation": np.full(1, 0.25)}
    for _ in range(2):
        write_structures(path, Structures((atoms,), labels))
    (read,) = read_whole(path).atoms
    assert (read.info["name"], read.info["weight"], read.info["energy_deviation"]) == ("a row", 2.5, 0.25)
    assert read.arrays["layer"].tolist() == [0, 1]
    assert ase.io.read(path).get_potential_energy() == 1


def test_kind_charge_and_spin_are_kept_and_other_notes_are_not(tmp_path):
    noted = water()
    noted.info |= {"config_type": "liquid", "charge": -1, "spin": 2, "mood": "calm"}
    data = read_structures(written(tmp_path, noted, water()))
    assert data.atoms[0].info == {"config_type": "liquid", "charge": -1, "spin": 2}
    assert data.kinds == ["liquid", ""]


def test_a_label_of_the_wrong_shape_or_kind_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"frame 0: 'forces' should have the shape \(\) of energy, got \(3, 3\)"):
        read_structures(written(tmp_path, water()), energy_key="forces")
    noted = water()
    noted.info["note"] = "hello"
    with pytest.raises(ValueError, match="frame 0: 'note' should be numbers, got 'hello'"):
        read_structures(written(tmp_path, noted), energy_key="note")
    np.savez(tmp_path / "turned.npz", z=[1, 1], R=np.eye(3)[None, :2], E=[0.0], F=np.zeros((1, 3, 2)))
    with pytest.raises(ValueError, match=r"'forces' should have the shape \(2, 3\) of forces, got \(3, 2\)"):
        read_structures(tmp_path / "turned.npz")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.xyz", "", "empty.xyz is empty"),
        ("broken.xyz", "3\ncomment\nH 0 0\n", "cannot read .*broken.xyz"),
        ("strange.foo", "hello", "cannot read .*strange.foo"),
        ("text.npz", "hello", "cannot read .*text.npz"),
        ("none.xyz", "0\nProperties=species:S:1:pos:R:3 energy=1.0 pbc=F\n", "frame 0 has no atoms"),
        ("nan.xyz", '2\nProperties=species:S:1:pos:R:3 pbc="F F F"\nH nan 0 0\nH 0 0 0\n', "frame 0 has positions"),
    ],
)
def test_a_bad_file_gets_one_sentence(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=message):
        read_structures(tmp_path / name, energy_key=None, forces_key=None)


def test_a_missing_file_and_a_wrong_unit(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no file .*nowhere.xyz"):
        read_structures(tmp_path / "nowhere.xyz")
    with pytest.raises(ValueError, match="unknown energy unit 'calories'"):
        read_structures(written(tmp_path, water()), units="calories")


def test_bad_archives(tmp_path):
    np.savez(tmp_path / "a.npz", R=np.zeros((2, 3, 3)), E=np.zeros(2))
    with pytest.raises(ValueError, match=r"it has no numbers \(z or nuclear_charges\), only R, E"):
        read_structures(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", R=np.zeros((2, 4, 3)), z=[1, 1])
    with pytest.raises(ValueError, match=r"atomic numbers \[n\], .* got \[2, 4, 3\] and \[2\]"):
        read_structures(tmp_path / "b.npz")
    np.savez(tmp_path / "d.npz", R=np.zeros((2, 3, 3)), z=np.ones((2, 3), int))
    with pytest.raises(ValueError, match=r"the same in all frames, got \[2, 3, 3\] and \[2, 3\]"):
        read_structures(tmp_path / "d.npz")
    np.savez(tmp_path / "e.npz", R=np.zeros((3, 1, 3)), z=[14], E=np.zeros(2))
    with pytest.raises(ValueError, match=r"there are 3 frames of positions, but E has the shape \[2\]"):
        read_structures(tmp_path / "e.npz", forces_key=None)
    np.savez(tmp_path / "c.npz", R=np.zeros((2, 1, 3)), z=[14], E=np.array([{}, {}]))
    with pytest.raises(ValueError, match=r"cannot read .*allow_pickle=False"):
        read_structures(tmp_path / "c.npz")


def test_splits_are_disjoint_and_reproducible(tmp_path):
    data = read_structures(written(tmp_path, *(water(energy=float(i)) for i in range(10))))
    parts = data.split(5, 2, seed=1)
    assert [len(part) for part in parts] == [5, 2, 3]
    assert sorted(np.concatenate([part.energy for part in parts]).tolist()) == list(range(10))
    assert data.split(5, 2, 1, seed=1)[0].energy.tolist() == parts[0].energy.tolist()
    assert data.split(5, 2, seed=2)[0].energy.tolist() != parts[0].energy.tolist()
    assert [len(part) for part in data.split(10, 0)] == [10, 0, 0]
    for sizes in [(9, 2), (11, 0, 0), (-1, 2)]:
        with pytest.raises(ValueError, match="cannot split 10 structures"):
            data.split(*sizes)


def test_statistics():
    atoms = (ase.build.molecule("H2O"), ase.build.molecule("OH"))
    labels = {"energy": np.array([-6.0, -2.0]), "forces": (np.full((3, 3), 2.0), np.zeros((2, 3)))}
    data = Structures(atoms, labels)
    summary = statistics(data, [6, 2])
    assert summary == (2, 5, (1, 8), -1.5, pytest.approx((4 * 3 / 5) ** 0.5), 8 / 5)


def test_the_published_sets(shared):
    revised = read_structures(shared / "data/rmd17_ethanol/train.xyz")
    original = read_structures(shared / "data/md17_ethanol/ethanol.npz", units="kcal/mol")
    assert (len(revised), len(original)) == (1000, 2000)
    assert revised.species == original.species == (1, 6, 8)
    # Another level of theory and part of the trajectory: a few eV in total, some per cent in the size of forces.
    assert revised.energy.mean() == pytest.approx(original.energy.mean(), abs=8)
    sizes = [np.concatenate(data.forces).std() for data in (revised, original)]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.3)
    isolated = read_isolated_atoms(shared / "data/rmd17_ethanol/isolated_atoms.xyz")
    binding = revised.energy.mean() - 2 * isolated[6] - 6 * isolated[1] - isolated[8]
    assert -45 < binding < -30
    assert len(read_structures(shared / "data/3bpa/train_300K.xyz")) == 500
