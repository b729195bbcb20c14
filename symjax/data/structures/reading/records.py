"""Records of JSON with a structure of pymatgen each, such as those of mlearn, to structures and labels."""

import json
import pathlib
from collections.abc import Mapping
from typing import Any

import ase
import ase.units
import numpy as np

VASP_ORDER = (0, 1, 2, 4, 5, 3)  # xx, yy, zz, xy, yz, zx -> ASE's xx, yy, zz, yz, xz, xy
KBAR = -0.1 * ase.units.GPa  # VASP's sign, positive where the crystal pushes outwards


def read_records(path: pathlib.Path) -> list[tuple[ase.Atoms, dict[str, Any]]]:
    """Read a list of records `{"structure": a pymatgen Structure, ...}` and what else they hold.

    Numbers beside the structure, or under "outputs", are labels by their names; "group" is also a config_type, and
    "virial_stress", in mlearn the kbar of VASP in VASP's order, is also a "stress" in eV/Å³.

    Raises:
        ValueError: it is another kind of list.
    """
    records = json.loads(path.read_text())
    if not all(isinstance(record, Mapping) and "structure" in record for record in records):
        raise ValueError('it is a list, but not of records {"structure": ..., "outputs": {"energy": ...}}')
    return [(_atoms(record["structure"]), _labels(record)) for record in records]


def _atoms(structure: Mapping[str, Any]) -> ase.Atoms:
    """Return a periodic structure of sites that one element each occupies."""
    sites = structure["sites"]
    if any(len(site["species"]) != 1 or site["species"][0]["occu"] != 1 for site in sites):
        raise ValueError("sites that several elements share are no structure of atoms")
    symbols = [site["species"][0]["element"] for site in sites]
    cell = np.array(structure["lattice"]["matrix"])
    return ase.Atoms(symbols, scaled_positions=[site["abc"] for site in sites], cell=cell, pbc=True)


def _labels(record: Mapping[str, Any]) -> dict[str, Any]:
    beside = {name: value for name, value in record.items() if name not in ("structure", "outputs")}
    labels = beside | record.get("outputs", {})
    if "group" in labels:
        labels.setdefault("config_type", labels["group"])
    if "virial_stress" in labels:
        labels.setdefault("stress", KBAR * np.array(labels["virial_stress"])[[*VASP_ORDER]])
    return labels
