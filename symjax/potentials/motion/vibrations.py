"""Vibrations of a structure at rest: wave numbers, and which modes move it as a whole."""

from typing import NamedTuple

import ase
import ase.units
import numpy as np
from ase.vibrations.data import VibrationsData
from jaxtyping import Float

from symjax.potentials.motion.hessian import hessian_of
from symjax.potentials.potential import Potential


class Mode(NamedTuple):
    """A normal mode.

    Attributes:
        wavenumber: in cm^-1; negative where it is imaginary, as usual.
        kind: "translation" and "rotation" move the structure as a whole, a "vibration" does not.
    """

    wavenumber: float
    kind: str

    @property
    def energy(self) -> float:
        """The quantum in eV; negative where it is imaginary."""
        return self.wavenumber * ase.units.invcm

    def __str__(self) -> str:
        mark = "i" if self.wavenumber < 0 else " "
        return f"{abs(self.wavenumber):.1f}{mark}"


class Vibrations(NamedTuple):
    """The modes of a structure in ascending order, and the same as ASE has it: displacements, Hessian, files."""

    modes: tuple[Mode, ...]
    data: VibrationsData

    @property
    def zero_point_energy(self) -> float:
        """Half a quantum of each vibration that is not imaginary, in eV."""
        return sum((mode.energy / 2 for mode in self.modes if mode.kind == "vibration" and mode.wavenumber > 0), 0.0)

    @property
    def imaginary(self) -> tuple[Mode, ...]:
        """The vibrations along which the energy falls."""
        return tuple(mode for mode in self.modes if mode.kind == "vibration" and mode.wavenumber < 0)


def vibrations(potential: Potential, atoms: ase.Atoms, more: Float[np.ndarray, "n 3 n 3"] | None = None) -> Vibrations:
    """Return the vibrations of the atoms that are free to move, in the harmonic approximation.

    Args:
        potential: of energies.
        atoms: at rest; atoms that a constraint fixes stay.
        more: a Hessian in eV/Å² to add to that of the potential.

    Raises:
        ValueError: as `hessian_of`, or all atoms are fixed.
    """
    free = np.array(VibrationsData.indices_from_constraints(atoms), int)
    if not len(free):
        raise ValueError(f"all atoms of {atoms.symbols} are fixed, and none can vibrate; free some")
    matrix = hessian_of(potential, atoms, free)[:, :, free]
    if more is not None:
        matrix = matrix + more[free][:, :, free]
    matrix = (matrix + matrix.transpose(2, 3, 0, 1)) / 2
    data = VibrationsData(atoms, matrix, free)
    energies, shapes = data.get_energies_and_modes()
    wavenumbers = (np.real(energies) - np.imag(energies)) / ase.units.invcm
    kinds = _kinds(atoms, free, shapes)
    order = np.argsort(wavenumbers, kind="stable")
    return Vibrations(tuple(Mode(float(wavenumbers[i]), kinds[i]) for i in order), data)


def _kinds(atoms: ase.Atoms, free: np.ndarray, shapes: Float[np.ndarray, "m k 3"]) -> list[str]:
    """Name each mode after the rigid motions that make up more than half of it."""
    root = np.sqrt(atoms.get_masses()[free])[:, None]
    weighted = (shapes * root).reshape(len(shapes), -1)
    weighted = weighted / np.linalg.norm(weighted, axis=1, keepdims=True)
    kinds = ["vibration"] * len(shapes)
    for kind, motions in _rigid_motions(atoms, np.setdiff1d(np.arange(len(atoms)), free)).items():
        rigid = (motions[:, free] * root).reshape(len(motions), 3 * len(free))
        _, sizes, axes = np.linalg.svd(rigid, full_matrices=False)
        overlap = ((weighted @ axes[sizes > 1e-6].T) ** 2).sum(axis=1)
        kinds = [kind if share > 0.5 else named for share, named in zip(overlap, kinds, strict=True)]
    return kinds


def _rigid_motions(atoms: ase.Atoms, fixed: np.ndarray) -> dict[str, Float[np.ndarray, "r n 3"]]:
    """Return how all atoms move as a whole, by kind: rotations need open boundaries, and fixed atoms allow few."""
    translations = np.broadcast_to(np.eye(3)[:, None], (3, len(atoms), 3))
    arms = atoms.positions - atoms.get_center_of_mass()
    rotations = np.cross(np.eye(3)[:, None], arms[None]) if not atoms.pbc.any() else np.zeros((0, len(atoms), 3))
    if not len(fixed):
        return {"translation": translations, "rotation": rotations}
    every = np.concatenate([translations, rotations])
    _, sizes, combinations = np.linalg.svd(every[:, fixed].reshape(len(every), -1).T)
    allowed = combinations[np.sum(sizes > 1e-6) :]
    return {"rotation": np.tensordot(allowed, every, 1)}
