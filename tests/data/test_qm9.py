import importlib.util

import numpy as np
import pytest
from ase import units

from symjax.data.qm9 import TARGETS, parse_qm9, read_qm9, split_qm9, target_of

HEADER = (
    "XYZ_file,Index,SMILES,N_atoms,Elements,XYZ_Ang,Dipole_debye,Polarizability_bohr3,HOMO_au,LUMO_au,HOMO_LUMO_gap_au,"
    "R2_bohr2,ZPVE_au,InternalEnergy_0K_au,InternalEnergy_298K_au,Enthalphy_298K_au,GibbsFreeEnergy_298K_au,"
    "Heatcapacity_Cv_cal_mol_K"
)
WATER = (
    '"dsgdb9nsd_000003.xyz",3,"O",3,"[\'O\',\'H\',\'H\']","[[-0.0343604951,0.9775395708,0.0076015923],[0.0647664923,'
    '0.0205721989,0.0015346341],[0.8717903737,1.3007924048,6.E-10]]",1.8511,6.31,-0.2928,0.0687,0.3615,19.0002,'
    "0.021375,-76.404702,-76.401867,-76.400922,-76.422349,6.002"
)
CYANIDE = (
    '"dsgdb9nsd_000005.xyz",5,"C#N",3,"[\'C\',\'N\',\'H\']","[[-0.0133239314,1.1324657151,0.0082758861],[0.0023107217,'
    '-0.0191585871,0.0019287305],[-0.0278026991,2.1989492963,0.0141537903]]",2.8937,12.99,-0.3604,0.0191,0.3796,'
    "48.7476,0.016601,-93.411888,-93.40937,-93.408425,-93.431246,6.278"
)


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "part.csv"
    path.write_text("\n".join([HEADER, CYANIDE, WATER]) + "\n")
    return path


def test_tables_become_arrays_in_the_order_of_the_index(table):
    data = parse_qm9(table)
    assert data.index.tolist() == [3, 5]
    cyanide, water = data.molecules([1, 0])
    assert str(cyanide.symbols) == "CNH"
    assert water.numbers.tolist() == [8, 1, 1]
    np.testing.assert_allclose(water.positions[2], [0.8717903737, 1.3007924048, 6e-10])
    assert data.target("mu").tolist() == [1.8511, 2.8937]
    np.testing.assert_allclose(data.target("gap"), np.array([0.3615, 0.3796]) * units.Hartree)
    atoms = np.array([-75.064579 - 2 * 0.500273, -37.846772 - 54.583861 - 0.500273])
    np.testing.assert_allclose(data.target("U0"), ([-76.404702, -93.411888] - atoms) * units.Hartree, rtol=1e-12)


def test_a_target_that_does_not_exist(table):
    with pytest.raises(ValueError, match=r"no target 'u0'; its twelve are mu, alpha, homo, .*, U0, U, H, G, Cv"):
        target_of("u0")
    assert len(TARGETS) == 12
    table.write_text(table.read_text().replace("ZPVE_au", "ZOVE_au"))
    with pytest.raises(ValueError, match=r"part\.csv has no column ZPVE_au; this version of symjax reads"):
        parse_qm9(table)


def test_arrays_are_kept_and_made_anew_where_they_are_damaged(table, tmp_path, monkeypatch):
    monkeypatch.setattr("symjax.data.qm9._tables", lambda: [table])
    first = read_qm9(tmp_path / "caches")
    monkeypatch.setattr("symjax.data.qm9._tables", lambda: pytest.fail("parsed twice"))
    kept = read_qm9(tmp_path / "caches")
    for one, other in zip(first, kept, strict=True):
        np.testing.assert_array_equal(one, other)
    path = tmp_path / "caches" / "qm9.npz"
    path.write_bytes(path.read_bytes()[:-100])
    monkeypatch.setattr("symjax.data.qm9._tables", lambda: [table])
    assert read_qm9(tmp_path / "caches").index.tolist() == [3, 5]
    assert [file.name for file in path.parent.iterdir()] == ["qm9.npz"]
    (tmp_path / "file").write_text("no folder")
    assert read_qm9(tmp_path / "file").sizes.tolist() == [3, 3]


def test_without_the_package(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"QM9 comes with the package qm9pack.* pip install 'symjax\[qm9\]'"):
        read_qm9(tmp_path)


def test_the_split_is_disjoint_and_of_the_published_sizes():
    parts = split_qm9()
    assert [len(part) for part in parts] == [110_000, 10_000, 10_831]
    assert len(np.unique(np.concatenate(parts))) == 130_831
    with pytest.raises(ValueError, match="cannot split 10 molecules into 9 for training, 1 for validation"):
        split_qm9(10, train=9, valid=1)
