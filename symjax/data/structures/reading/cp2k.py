"""Trajectories of CP2K: positions with energies in PROJECT-pos-1.xyz, forces and cells in files beside it."""

import pathlib
import re
from typing import Any

import ase
import ase.io
import numpy as np
from ase.units import Bohr, Hartree

POSITIONS = re.compile(r"(.*)-pos-(\d+)\.xyz")


def is_trajectory(path: pathlib.Path) -> bool:
    """Return whether a file has the name that CP2K gives to positions."""
    return POSITIONS.fullmatch(path.name) is not None


def read_trajectory(path: pathlib.Path) -> list[tuple[ase.Atoms, dict[str, Any]]]:
    """Return the steps of a trajectory with "energy" in eV, and "forces" in eV/Å and cells where their files are there.

    CP2K writes positions in Å, energies in Hartree, PROJECT-frc-1.xyz in Hartree/bohr and PROJECT-1.cell in Å.

    Raises:
        ValueError: a file beside it lacks a step.
    """
    project, run = re.findall(POSITIONS, path.name)[0]
    forces, cells = path.with_name(f"{project}-frc-{run}.xyz"), path.with_name(f"{project}-{run}.cell")
    force_of = {step: atoms.positions for step, atoms in _steps(forces)} if forces.exists() else None
    cell_of = {int(row[0]): row[2:11].reshape(3, 3) for row in np.loadtxt(cells, ndmin=2)} if cells.exists() else None
    found = []
    for step, atoms in _steps(path):
        labels = {"energy": atoms.info["E"] * Hartree} if "E" in atoms.info else {}
        for file, values in ((forces, force_of), (cells, cell_of)):
            if values is not None and step not in values:
                raise ValueError(f"{file.name} beside it has no step {step}")
        if force_of is not None:
            labels["forces"] = force_of[step] * Hartree / Bohr
        if cell_of is not None:
            atoms.set_cell(cell_of[step])
            atoms.pbc = True
        found.append((atoms, labels))
    return found


def _steps(path: pathlib.Path) -> list[tuple[int, ase.Atoms]]:
    frames = ase.io.iread(path, index=":", format="extxyz", do_not_split_by_at_sign=True)
    return [(int(atoms.info.get("i", i)), atoms) for i, atoms in enumerate(frames)]
