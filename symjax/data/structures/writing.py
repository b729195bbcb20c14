"""Structures with their labels to extended xyz, as ASE reads them back."""

import pathlib

import ase
import ase.io
from ase.calculators.calculator import all_properties
from ase.calculators.singlepoint import SinglePointCalculator
from ase.stress import full_3x3_to_voigt_6_stress

from symjax.data.structures.structures import Structures


def write_structures(path: str | pathlib.Path, structures: Structures) -> None:
    """Write structures with all labels that they have; stresses only where all directions are periodic.

    Raises:
        OSError: the file cannot be written.
    """
    frames = [_labelled(structures, i) for i in range(len(structures))]
    try:
        ase.io.write(path, frames, format="extxyz")
    except OSError as error:
        raise OSError(error.errno, f"{path} could not be written: {error.strerror}") from error


def _labelled(structures: Structures, i: int) -> ase.Atoms:
    atoms = structures.atoms[i].copy()
    labels = {name: values[i] for name, values in structures.labels.items() if name != "stress" or atoms.pbc.all()}
    if "stress" in labels:
        labels["stress"] = full_3x3_to_voigt_6_stress(labels["stress"])
    if unknown := labels.keys() - set(all_properties):
        raise ValueError(f"ASE does not write {sorted(unknown)}, only {all_properties}")
    atoms.calc = SinglePointCalculator(atoms, **labels)
    return atoms
