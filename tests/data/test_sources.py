"""What `--data` names: files, patterns, slices, a .toml of sources, databases, records; and the parts they are for."""

import json
import pathlib

import ase
import ase.build
import ase.db
import ase.io
import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator

from symjax.data import Structures, digest_data, find_sources, read_sources, read_structures, read_weights, split_data

KBAR = 0.1 / 160.21766208  # eV/Å³


def water(energy=0.0, **notes):
    atoms = ase.build.molecule("H2O")
    atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=np.ones((3, 3)))
    atoms.info |= notes
    return atoms


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two files of structures whose energies count them, and one with an @ in its name."""
    monkeypatch.chdir(tmp_path)
    for name, energies in {"a.xyz": range(10), "b.xyz": range(10, 14), "c@0.xyz": [20.0]}.items():
        ase.io.write(name, [water(float(energy)) for energy in energies], format="extxyz")
    return tmp_path


def energies(*words, **rules):
    return read_sources(find_sources(words, **rules)).structures.energy.tolist()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["a.xyz@:3", "b.xyz"], [0, 1, 2, 10, 11, 12, 13]),
        (["[ab].xyz@::4"], [0, 4, 8, 10]),
        (["b.xyz@-1"], [13]),
        (["a.xyz@-2:"], [8, 9]),
        (["a.xyz@7::-3"], [7, 4, 1]),
        (["a.xyz@2:7:2"], [2, 4, 6]),
        (["**/c@0.xyz"], [20]),
        (["c@0.xyz@0"], [20]),
    ],
)
def test_words(folder, words, expected):
    assert energies(*words) == expected


@pytest.mark.parametrize(
    ("word", "kind", "message"),
    [
        ("d.xyz", FileNotFoundError, "there is no file d.xyz"),
        ("*.cif", FileNotFoundError, r"there is no file \*.cif"),
        ("a.xyz@three", FileNotFoundError, "there is no file a.xyz@three"),
        ("a.xyz@10:", ValueError, "a.xyz holds 10 structures, and none is in the slice"),
        ("a.xyz@::0", ValueError, "a step that is not 0"),
        (".", ValueError, r"\. is a folder; name the files in it, such as '\./\*/OUTCAR'"),
    ],
)
def test_words_that_name_nothing(folder, word, kind, message):
    with pytest.raises(kind, match=message):
        energies(word)


TOML = """
[[source]]
path = ["a.xyz@:8", "data/far.xyz"]
weight = 2.0

[[source]]
path = "b.xyz"
energy_key = "E"
forces_key = false
units = "meV"
part = "valid"
"""


@pytest.fixture
def entries(folder):
    other = ase.build.molecule("H2O")
    other.info["E"] = 500.0
    (folder / "data").mkdir()
    ase.io.write(folder / "data/far.xyz", water(9.0), format="extxyz")
    ase.io.write(folder / "b.xyz", [other, other], format="extxyz")
    (folder / "set.toml").write_text(TOML)
    return folder / "set.toml"


def test_a_toml_gives_each_source_its_keys_units_weight_and_part(entries, monkeypatch):
    monkeypatch.chdir("/")
    found = read_sources(find_sources([entries]))
    assert found.part("train").energy.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 9]
    assert found.part("train").weights.tolist() == [2.0] * 9
    assert found.part("valid").energy.tolist() == [0.5, 0.5]
    assert found.part("valid").known("forces").sum() == 0
    assert found.part("test") is None
    assert "forces: known for 9 of 11 structures" in found.notes


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("weight", "wieght"), "set.toml, source 0 has 'wieght'; known are .*weight"),
        (("weight = 2.0", "weight = -1"), "source 0: weight is a positive number, not -1.0"),
        (("weight = 2.0", 'weight = "2"'), "source 0: weight should be a number, got '2'"),
        (('units = "meV"', "units = 1"), "source 1: units should be a string, got 1"),
        (('"valid"', '"dev"'), "source 1: part is train, valid, test, not 'dev'"),
        (('path = "b.xyz"\n', ""), "source 1 has no path"),
        (("[[source]]", "[[sources]]"), r"should hold \[\[source\]\] tables and nothing else, got sources"),
        (("[[source]]", "[[source]"), "set.toml is no TOML"),
        (('units = "meV"', 'units = "miles"'), "unknown energy unit 'miles'"),
        (("data/far.xyz", "data/near.xyz"), "there is no file .*near.xyz"),
    ],
)
def test_a_toml_that_says_something_else(entries, change, message):
    entries.write_text(TOML.replace(*change))
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        read_sources(find_sources([entries]))


def test_what_is_asked_for_is_looked_for_in_all_files(folder):
    marked, lone = water(50.0), ase.Atoms("O")
    marked.arrays["good"] = np.array([1, 0, 1])
    lone.calc = SinglePointCalculator(lone, energy=-1.0)
    ase.io.write("marked.xyz", marked, format="extxyz")
    ase.io.write("lone.xyz", lone, format="extxyz")
    found = read_sources(find_sources(["b.xyz", "marked.xyz"], mask_key="good"))
    assert found.structures.known("forces").tolist() == [True] * 13 + [False, True]
    alone = find_sources(["lone.xyz"], stress_key="stress")
    assert read_sources(find_sources(["b.xyz"]) + alone).structures.isolated == {8: -1.0}


def test_parts_of_their_own_and_no_test_part(folder):
    sources = find_sources(["a.xyz"]) + find_sources(["b.xyz"], part="test")
    splits = split_data(read_sources(sources), valid=2.0, test=0.5, seed=0)
    assert [len(part) for part in splits] == [8, 2, 4]
    none = split_data(read_structures("a.xyz"), valid=2.0, test=0.0, seed=0)
    assert [len(part) for part in none] == [8, 2, 0]
    with pytest.raises(ValueError, match="0 structures cannot be split"):
        split_data(read_sources(find_sources(["b.xyz"], part="test")), valid=1.0, test=1.0, seed=0)


def test_a_label_that_one_part_lacks(folder):
    bare = ase.build.molecule("H2O")
    bare.info["energy"] = 1.0
    ase.io.write("bare.xyz", [bare], format="extxyz")
    found = read_sources(find_sources(["a.xyz"]) + find_sources(["bare.xyz"], part="valid"))
    with pytest.raises(ValueError, match=r"forces is known of some structures, but of none for validation; .* --valid"):
        split_data(found, valid=0.1, test=0.0, seed=0)


def test_weights_of_config_types(folder):
    kinds = [water(config_type="liquid"), water(1.0, config_type="gas"), water(2.0)]
    ase.io.write("kinds.xyz", kinds, format="extxyz")
    found = read_sources(find_sources(["kinds.xyz"]), weights=read_weights("liquid=0.1, gas=5"))
    assert found.structures.weights.tolist() == [0.1, 5.0, 1.0]
    assert read_sources(find_sources(["kinds.xyz"]), weights=read_weights(None)).structures.weights is None
    with pytest.raises(ValueError, match="no structure has the config_type 'ice', which has a weight; there are gas"):
        read_sources(find_sources(["kinds.xyz"]), weights=read_weights("ice=2"))
    for text in ("liquid", "liquid=much", "=2", "liquid=0"):
        with pytest.raises(ValueError, match="--config-type-weights takes positive numbers such as"):
            read_weights(text)


def test_weights_are_part_of_the_digest_where_there_are_any(folder):
    plain = read_structures("a.xyz")
    weighed = Structures(plain.atoms, plain.labels, weights=np.full(10, 2.0))
    one, same, other = (digest_data(split_data(data, valid=1.0, test=1.0, seed=0)) for data in (plain, plain, weighed))
    assert one == same != other


def test_databases_keep_labels_in_data_and_in_key_value_pairs(folder):
    with ase.db.connect("set.db") as rows:
        rows.write(ase.build.molecule("H2O"), data={"REF_forces": np.full((3, 3), 2.0)}, e_dft=-5.0, config_type="gas")
        rows.write(water(3.0), e_dft=-6.0)
    data = read_structures("set.db", energy_key="e_dft", forces_key="REF_forces")
    assert data.energy.tolist() == [-5, -6]
    assert data.known("forces").tolist() == [True] * 3 + [False] * 3
    assert data.kinds == ["gas", ""]
    assert read_structures("set.db").known("energy").tolist() == [False, True]
    (folder / "far.aselmdb").write_text("something")
    with pytest.raises(ValueError, match=r"cannot read far\.aselmdb: it asks for ase_db_backends"):
        read_structures("far.aselmdb")


def test_records_with_a_structure_of_pymatgen(folder):
    site = {"species": [{"element": "Si", "occu": 1}], "abc": [0.25, 0.0, 0.5]}
    structure = {"lattice": {"matrix": (np.eye(3) * 4).tolist()}, "sites": [site]}
    outputs = {"energy": -5.0, "forces": [[0.0, 0.0, 1.0]], "virial_stress": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}
    records = [{"structure": structure, "group": "AIMD", "outputs": outputs}]
    (folder / "set.json").write_text(json.dumps(records))
    data = read_structures("set.json", stress_key="stress")
    np.testing.assert_allclose(data.atoms[0].positions, [[1, 0, 2]])
    assert data.atoms[0].pbc.all()
    assert data.kinds == ["AIMD"]
    expected = -KBAR * np.array([[1, 4, 6], [4, 2, 5], [6, 5, 3]])
    np.testing.assert_allclose(data.stress[0], expected, rtol=1e-6)
    (folder / "list.json").write_text("[1, 2]")
    with pytest.raises(ValueError, match=r'a list, but not of records \{"structure"'):
        read_structures("list.json")


def test_trajectories_of_cp2k(folder):
    header, row = " i = {}, time = {}.000, E = {}\n", "H {} 0.0 0.0\n"
    steps = [header.format(i, i, -1.0 - i) for i in (0, 5)]
    (folder / "md-pos-1.xyz").write_text("".join("2\n" + step + row.format(0.0) + row.format(0.75) for step in steps))
    (folder / "md-frc-1.xyz").write_text("".join("2\n" + step + row.format(0.1) + row.format(-0.1) for step in steps))
    data = read_structures("md-pos-1.xyz")
    np.testing.assert_allclose(data.energy, [-27.211386, -163.268316], rtol=1e-6)
    np.testing.assert_allclose(data.forces[1][:, 0], [5.1422067, -5.1422067], rtol=1e-6)
    assert not data.atoms[0].pbc.any()
    cell = "9 0 0 0 9 0 0 0 9 729\n"
    (folder / "md-1.cell").write_text(f"# Step Time ...\n0 0.0 {cell}5 2.5 {cell}")
    assert read_structures("md-pos-1.xyz").atoms[1].cell.volume == pytest.approx(729)
    (folder / "md-1.cell").write_text(f"0 0.0 {cell}")
    with pytest.raises(ValueError, match=r"cannot read md-pos-1\.xyz: md-1\.cell beside it has no step 5"):
        read_structures("md-pos-1.xyz")


def test_a_format_that_the_name_does_not_tell(folder):
    (folder / "frames.dat").write_text((folder / "a.xyz").read_text())
    assert energies("frames.dat@:2", format="extxyz") == [0, 1]
    with pytest.raises(ValueError, match=r"cannot read frames.dat: .*\(--format names one\)"):
        energies("frames.dat")


OUTPUTS = pathlib.Path(ase.__file__).parent / "test/testdata"


@pytest.mark.skipif(not OUTPUTS.is_dir(), reason="needs the outputs that come with ASE")
def test_outputs_of_programs():
    vasp = read_sources(find_sources([OUTPUTS / "vasp/OUTCAR_example_1", OUTPUTS / "vasp/*.xml"], stress_key="stress"))
    assert len(vasp.structures) == 3
    assert any("read from 'energy', extrapolated to sigma = 0" in note for note in vasp.notes)
    aims = read_structures(OUTPUTS / "aims/md.out", format="aims-output")
    assert len(aims) == 5
    assert aims.known("forces").all()
    with pytest.raises(ValueError, match="--format"):
        read_structures(OUTPUTS / "aims/md.out")


def test_published_records(shared):
    data = read_structures(shared / "data/mlearn_si/Si_test.json", stress_key="stress")
    assert len(data) == 25
    assert {*data.kinds} >= {"AIMD-NVT", "Vacancy"}
    assert 0.01 < np.abs(data.stress).max() < 0.2


def test_frames_that_a_file_of_numbers_names(folder):
    (folder / "splits").mkdir()
    (folder / "splits" / "index_train_01.csv").write_text("3\n1\n7\n")
    assert energies("a.xyz@splits/index_train_01.csv") == [3, 1, 7]
    (folder / "splits" / "other.txt").write_text("0, 10")
    with pytest.raises(ValueError, match=r"a\.xyz holds 10 structures, and none of number 10, which is asked for"):
        energies("a.xyz@splits/other.txt")
    (folder / "splits" / "other.txt").write_text("first\n")
    with pytest.raises(ValueError, match=r"other\.txt should list the numbers of frames, whole and from 0"):
        energies("a.xyz@splits/other.txt")
    for word in ("a.xyz@splits/none.csv", "none.xyz@splits/other.txt"):
        with pytest.raises(FileNotFoundError, match=r"there is no file .*none"):
            energies(word)


def test_archives_that_name_their_units(folder):
    frames = {"z": [8, 1], "R": np.array([[[0.0, 0, 0], [1, 0, 0]]]), "E": [1.0], "F": np.zeros((1, 2, 3))}
    np.savez("md22.npz", **frames, e_unit="kcal/mol", r_unit=np.bytes_("Ang"))
    assert energies("md22.npz", units="kcal/mol") == pytest.approx([0.0433641])
    with pytest.raises(ValueError, match=r"frame 0 is in kcal/mol, as it says itself; name the unit with --units kcal"):
        energies("md22.npz")
