"""Structures with their labels to any format that ASE writes."""

import os
import pathlib
import re
from collections.abc import Iterable
from typing import Any

import ase
import ase.io
from ase.calculators.calculator import all_properties
from ase.calculators.singlepoint import SinglePointCalculator
from ase.db import connect
from ase.io.formats import UnknownFileTypeError, filetype, get_ioformat
from ase.stress import full_3x3_to_voigt_6_stress

from symjax.data.structures.labels import LABELS, has_stress
from symjax.data.structures.structures import Structures

# a new energy outdates them all
ENERGETIC = ("energy", "free_energy", "energies", "forces", "stress", "stresses")
ENERGETIC += tuple(name for name in LABELS if name.endswith("_deviation"))
IN_ROWS = ("numbers", "positions", "tags", "momenta", "masses", "initial_magmoms", "initial_charges")
OF_GEOMETRY = {*ENERGETIC, *LABELS, "force", "virial", "virials"}
WHOLE, LABELLED = ("extxyz", "db", "json"), ("traj", "bundletrajectory")


def format_of(path: str | pathlib.Path, format: str | None = None) -> str:
    """Return the format of ASE that a file is to be written in: the one that is asked for, or that of its name.

    Raises:
        ValueError: ASE writes no such format.
    """
    try:
        name = format or filetype(os.fspath(path), read=False)
        if get_ioformat(name).can_write:
            return name
    except UnknownFileTypeError:
        pass
    asked = f"the format {format}" if format else f"the name {path}"
    raise ValueError(f"ASE writes no files of {asked}; try FILE.xyz, FILE.traj, or --format and a format of `ase info`")


def _lost(format: str, frames: list[ase.Atoms], labels: Iterable[str]) -> list[str]:
    """Return the labels that files of a format do not hold, and the columns that a trajectory of ASE does not."""
    if format in WHOLE:
        return []
    if format not in LABELLED:
        return [*labels]
    columns = sorted({name for atoms in frames for name in atoms.arrays}.difference(IN_ROWS))
    return [*dict.fromkeys([name for name in labels if name not in all_properties] + columns)]


def without_labels(atoms: ase.Atoms) -> tuple[ase.Atoms, list[str]]:
    """Return a structure without the notes and columns that hold of one geometry only, and their names.

    These are what is named after a label, such as `REF_energy` or `dft_forces`; weights and masks of labels stay.
    """
    bare, dropped = atoms.copy(), []
    for place in (bare.info, bare.arrays):
        for name in [name for name in place if _names_label(name)]:
            del place[name]
            dropped.append(name)
    return bare, dropped


def _names_label(name: str) -> bool:
    words = {*re.split(r"[\W_]+", name.lower())}
    return bool(words & OF_GEOMETRY) and not words & {"weight", "mask", "key"}


def write_structures(path: str | pathlib.Path, structures: Structures, *, format: str | None = None) -> list[str]:
    """Write structures with their columns and notes and all labels that they have, as results of a calculator.

    Labels replace columns and notes of the same name; a label that ASE has no name for becomes one. Stresses are
    written where a periodic cell has a volume. What ASE finds no place for in the format is left out; returned are the
    labels among that, and the columns that a trajectory of ASE has none for.

    Args:
        path: the file.
        structures: in eV and Å.
        format: as ASE calls it; None: the one that the name of the file says.

    Raises:
        ValueError: ASE writes no such format, or cannot put these structures into it.
        OSError: the file cannot be written.
    """
    format = format_of(path, format)
    frames = [_labelled(structures, i) for i in range(len(structures))]
    if get_ioformat(format).single and len(frames) > 1:
        raise ValueError(
            f"a file of the format {format} holds one structure, not {len(frames)}; name another one, such as FILE.xyz"
        )
    try:
        if format in ("db", "json"):
            _write_rows(path, frames)
        else:
            ase.io.write(path, frames, format=format)
    except OSError as error:
        raise OSError(error.errno, f"{path} could not be written: {error.strerror}") from error
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise ValueError(f"ASE cannot write {path} in the format {format}: {reason}; try FILE.xyz") from error
    return _lost(format, frames, structures.labels)


def _write_rows(path: str | pathlib.Path, frames: list[ase.Atoms]) -> None:
    """Write a database of ASE with the notes and columns of structures as data, which its own writer drops."""
    database: Any = connect(path, append=False, serial=True)  # whose type knows no with
    with database as rows:
        for atoms in frames:
            columns = {name: values for name, values in atoms.arrays.items() if name not in IN_ROWS}
            rows.write(atoms, data=atoms.info | columns)


def _labelled(structures: Structures, i: int) -> ase.Atoms:
    """Return a structure whose calculator has its labels."""
    atoms = structures.atoms[i].copy()
    labels = {name: values[i] for name, values in structures.labels.items()}
    if not has_stress(atoms):
        labels = {name: value for name, value in labels.items() if not name.startswith("stress")}
    if "stress" in labels:
        labels["stress"] = full_3x3_to_voigt_6_stress(labels["stress"])
    for name in (*labels, *(ENERGETIC if "energy" in labels else ())):
        atoms.info.pop(name, None)
        atoms.arrays.pop(name, None)
    for name in labels.keys() - set(all_properties):
        of_atoms = isinstance(structures.labels[name], tuple)
        (atoms.arrays if of_atoms else atoms.info)[name] = labels.pop(name)
    atoms.calc = SinglePointCalculator(atoms, **labels)
    return atoms
