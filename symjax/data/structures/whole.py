"""Structures with everything that a file says of them, for programs that add to it."""

import pathlib

import ase
import numpy as np

from symjax.data.structures.labels import LABELS
from symjax.data.structures.reading import Frame, read_frames
from symjax.data.structures.structures import Structures


def read_whole(path: str | pathlib.Path) -> Structures:
    """Read structures without labels, with all columns, notes, constraints and momenta of the file.

    What calculators left, and other arrays of .npz files, become columns and notes of the same name.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is empty, or not what its format promises.
    """
    return Structures(tuple(map(_noted, read_frames(path))))


def _noted(frame: Frame) -> ase.Atoms:
    atoms = frame.atoms.copy()
    for name in frame.labels.keys() - atoms.info.keys() - atoms.arrays.keys():
        value = frame.labels[name]
        of_graph = name in LABELS and LABELS[name].of == "graph"
        if of_graph or np.shape(value)[:1] != (len(atoms),):
            atoms.info[name] = value
        else:
            atoms.arrays[name] = np.array(value)
    return atoms
