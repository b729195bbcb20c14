"""Isolated atoms among the frames of a data set, which are reference energies and no structures."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import ase
import numpy as np
from ase.cell import Cell
from ase.data import chemical_symbols

from symjax.data.structures.reading.frames import Frame
from symjax.data.structures.reading.labelling import Rules, describe_absence, label_of

NAMES = {"isolatedatom", "isolatedatoms", "singleatom", "freeatom", "loneatom"}
WIDE = 8.0  # Å between the images of an atom that feel nothing of one another
SAME = 1e-6  # eV


class LoneAtom(NamedTuple):
    """An isolated atom.

    Attributes:
        number: its atomic number.
        energy: in eV.
        where: the words that name its frame.
        named: whether its config_type says what it is.
    """

    number: int
    energy: float
    where: str
    named: bool


def is_isolated(frame: Frame, rules: Rules) -> bool:
    """Return whether a frame is one neutral atom that its config_type calls so, or is open, or 8 Å from its images."""
    if len(frame.atoms) != 1 or _is_charged(frame):
        return False
    return _is_named(frame) or not frame.atoms.pbc.any() or _is_wide(frame.atoms, rules.factors.length)


def lone_atom(frame: Frame, rules: Rules) -> LoneAtom:
    """Return an isolated atom of a file.

    Raises:
        ValueError: its energy is not known.
    """
    energy = float(label_of(frame, rules, "energy"))
    if np.isnan(energy):
        raise ValueError(describe_absence(frame, rules, "energy"))
    return LoneAtom(int(frame.atoms.numbers[0]), energy, frame.where, _is_named(frame))


def isolated_energies(atoms: Sequence[LoneAtom]) -> dict[int, float]:
    """Return the energies in eV by atomic number, of those that are named where some are.

    Raises:
        ValueError: there are two for one element.
    """
    energies: dict[int, float] = {}
    named = {atom.number for atom in atoms if atom.named}
    for number, energy, where, _ in [atom for atom in atoms if atom.named or atom.number not in named]:
        if abs(energies.setdefault(number, energy) - energy) > SAME:
            raise ValueError(
                f"{where}: isolated {chemical_symbols[number]} has {energy} eV, but {energies[number]} eV in an "
                "earlier frame; keep one of them, or mark it with config_type=IsolatedAtom"
            )
    return energies


def describe_isolated(energies: dict[int, float]) -> str:
    """Return the line that lists them."""
    listed = ", ".join(f"{chemical_symbols[number]} {energies[number]:.6g} eV" for number in sorted(energies))
    return f"isolated atoms, taken as reference energies and not as structures: {listed}"


def _is_named(frame: Frame) -> bool:
    """Return whether the config_type says so, whatever its capitals, spaces, dashes and underscores."""
    return re.sub(r"[\W_]", "", str(frame.labels.get("config_type", "")).lower()) in NAMES


def _is_charged(frame: Frame) -> bool:
    charge = np.asarray(frame.labels.get("charge", 0))
    return charge.ndim == 0 and charge.dtype.kind in "iuf" and bool(charge)


def _is_wide(atoms: ase.Atoms, length: float) -> bool:
    return atoms.cell.rank == 3 and bool(np.all(length * widths(atoms.cell)[atoms.pbc] > WIDE))


def widths(cell: Cell) -> np.ndarray:
    """Return the distances between opposite faces of a cell, which are at most the lengths of its lattice vectors."""
    rows = cell.array
    return cell.volume / np.linalg.norm(np.cross(rows[[1, 2, 0]], rows[[2, 0, 1]]), axis=1)
