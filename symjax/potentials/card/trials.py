"""What the laws of a potential energy say of single calls: moves that change nothing, and derivatives that agree."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.stats import special_ortho_group

from symjax.potentials.card.subject import FACTOR, LEAST, Measured, NotAskedError, Subject, largest

VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
STEPS = (0.03, 0.01, 2e-3)  # Å, or strains, of differences
RADIUS = 0.02  # Å an atom, of loops


def translation(subject: Subject) -> Measured:
    """Energy and forces after a shift of all atoms."""
    there = subject.moved(subject.rng.uniform(-3, 3, 3))
    return subject.compare(there, *subject.here)


def rotation(subject: Subject) -> Measured:
    """Energy, forces and stress after a proper rotation of atoms and cell."""
    return _turned(subject, special_ortho_group.rvs(3, random_state=subject.rng))


def reflection(subject: Subject) -> Measured:
    """Energy, forces and stress after a reflection."""
    if len(subject.atoms) < 4 and not subject.atoms.pbc.any():
        raise NotAskedError("fewer than four atoms are their own mirror image")
    measured = _turned(subject, -special_ortho_group.rvs(3, random_state=subject.rng))
    return measured._replace(note="tells left from right: its law is SE(3)" if measured.excess > 1 else "")


def permutation(subject: Subject) -> Measured:
    """Energy and forces after writing the atoms in another order."""
    if len(subject.atoms) < 2:
        raise NotAskedError("there is one atom")
    order = np.roll(subject.rng.permutation(len(subject.atoms)), 1)
    if np.array_equal(order, np.arange(len(order))):
        order = order[::-1]
    there = subject.ask(subject.atoms[order])
    return subject.compare(there, subject.here.energy, subject.here.forces[order], subject.here.stress)


def forces(subject: Subject) -> Measured:
    """Forces along some directions against central differences of the energy.

    What is allowed is what differences of two step widths differ by, for the best of the widths.
    """
    if subject.force <= LEAST + FACTOR * subject.noise.forces:
        raise NotAskedError("no atom feels a force here")
    along = subject.here.forces / np.sqrt((subject.here.forces**2).sum() / len(subject.atoms))
    trials = []
    for direction in (along, *(subject.direction() for _ in range(3))):
        norm = float(np.linalg.norm(direction))
        slope, error = derivative(lambda t, way=direction: subject.moved(t * way).energy, subject.noise.energy)
        residual = abs(slope + float((subject.here.forces * direction).sum())) / norm
        trials.append(Measured(residual, 4 * error / norm + subject.allowed[1], "eV/Å"))
    return max(trials, key=lambda measured: measured.excess)


def curl(subject: Subject) -> Measured:
    """The work of the forces around small circles, an atom: zero for whatever is the gradient of an energy.

    Sums over 16 points of a circle are exact up to what every second of them would make otherwise.
    """
    if len(subject.atoms) < 2:
        raise NotAskedError("there is one atom")
    trials = []
    for _ in range(2):
        first, second = subject.direction(), subject.direction()
        angles = 2 * np.pi * np.arange(16) / 16
        work = []
        for angle in angles:
            there = subject.moved(RADIUS * (np.cos(angle) * first + np.sin(angle) * second))
            step = RADIUS * (np.cos(angle) * second - np.sin(angle) * first)
            work.append(2 * np.pi * float((there.forces * step).sum()) / len(subject.atoms))
        error = abs(np.mean(work) - np.mean(work[::2]))
        allowed = 4 * float(error) + 2 * np.pi * RADIUS * subject.allowed[1]
        trials.append(Measured(abs(float(np.mean(work))), allowed, "eV"))
    return max(trials, key=lambda measured: measured.excess)


def stress(subject: Subject) -> Measured:
    """Stress against strain: sigma = dE/d epsilon / V, positive under tension, in the order xx yy zz yz xz xy."""
    if not subject.atoms.pbc.all():
        raise NotAskedError("the structure is not periodic in three directions")
    if subject.here.stress is None:
        raise NotAskedError("the calculator has no stress")
    volume = subject.atoms.get_volume()
    slopes = [derivative(lambda t, ab=ab: _strained(subject, ab, t), subject.noise.energy) for ab in VOIGT]
    expected = np.array([slope for slope, _ in slopes]) / volume
    error = max(error for _, error in slopes) / volume
    allowed = 4 * error + subject.allowed_stress
    residual = largest(subject.here.stress - expected)
    note = _misread(subject.here.stress, expected, allowed) if residual > allowed else ""
    return Measured(residual, allowed, "eV/Å³", note)


def extensivity(subject: Subject) -> Measured:
    """Energy and forces of twice the cell in each periodic direction, or of two molecules 100 Å apart.

    Two molecules may differ by what dipoles of 1 eÅ do at that distance.
    """
    repeats = np.where(subject.atoms.pbc, 2, 1)
    copies = int(repeats.prod())
    if copies > 1:
        there = subject.ask(subject.atoms.repeat(repeats))
        return subject.compare(there, copies * subject.here.energy, np.tile(subject.here.forces, (copies, 1)))
    other = subject.atoms.copy()
    other.positions += (100.0, 0.0, 0.0)
    measured = subject.compare(
        subject.ask(subject.atoms + other), 2 * subject.here.energy, np.tile(subject.here.forces, (2, 1))
    )
    return measured._replace(allowed=10 * measured.allowed + 3e-5)


def cell_choice(subject: Subject) -> Measured:
    """Energy, forces and stress in another cell of the same crystal, a_j + a_i for a_j."""
    periodic = np.flatnonzero(subject.atoms.pbc)
    if len(periodic) < 2:
        raise NotAskedError("fewer than two periodic directions have one cell only")
    atoms = subject.atoms.copy()
    cell = atoms.cell.array.copy()
    for i, j in pairwise(periodic):
        cell[j] += cell[i]
    atoms.set_cell(cell)
    return subject.compare(subject.ask(atoms), *subject.here)


def wrapping(subject: Subject) -> Measured:
    """Energy, forces and stress after moving each atom by some lattice vectors."""
    if not subject.atoms.pbc.any():
        raise NotAskedError("the structure is not periodic")
    images = subject.rng.integers(-2, 3, (len(subject.atoms), 3)) * subject.atoms.pbc
    images[0] = subject.atoms.pbc  # some atom moves
    return subject.compare(subject.moved(images @ subject.atoms.cell.array), *subject.here)


def sum_of_forces(subject: Subject) -> Measured:
    """The sum of the forces, which nothing outside makes."""
    return Measured(largest(subject.here.forces.sum(0)), np.sqrt(len(subject.atoms)) * subject.allowed[1], "eV/Å")


def sum_of_torques(subject: Subject) -> Measured:
    """The sum of the torques on a molecule."""
    if subject.atoms.pbc.any():
        raise NotAskedError("the structure is periodic")
    arms = subject.atoms.positions - subject.atoms.positions.mean(0)
    reach = float(np.linalg.norm(arms))
    return Measured(largest(np.cross(arms, subject.here.forces).sum(0)), reach * subject.allowed[1], "eV")


def repeated(subject: Subject) -> Measured:
    """The energies of three equal calls, up to roundings of the number itself and of forces over 1 Å."""
    energy, single, double = subject.here.energy, np.finfo(np.float32).eps, np.finfo(float).eps
    stored = single if float(np.float32(energy)) == energy else double
    allowed = stored * abs(energy) + (single if subject.single else double) * subject.force
    return Measured(subject.noise.repeat, max(FACTOR * float(allowed), LEAST), "eV")


def precision(subject: Subject) -> Measured:
    """Noise of the forces relative to the largest one: some 1e-11 for float64, some 1e-6 for float32."""
    if subject.force <= LEAST:
        raise NotAskedError("no atom feels a force here")
    kind = "less than float32" if subject.precision > 1e-4 else "float32" if subject.single else "float64"
    return Measured(subject.precision, 1e-4, "", kind)


TRIALS: dict[str, Callable[[Subject], Measured]] = {
    "translation": translation,
    "rotation": rotation,
    "reflection": reflection,
    "permutation": permutation,
    "forces = -dE/dx": forces,
    "forces have no curl": curl,
    "stress = dE/dstrain/V": stress,
    "size extensivity": extensivity,
    "choice of the cell": cell_choice,
    "wrapping": wrapping,
    "sum of forces": sum_of_forces,
    "sum of torques": sum_of_torques,
    "equal calls agree": repeated,
    "precision": precision,
}


def derivative(function: Callable[[float], float], noise: float) -> tuple[float, float]:
    """Return a derivative at zero by central differences, and how wrong it may be, for the best of some steps.

    Where the second derivative jumps nearby, as at the onset of a switch, two halves of one step agree by chance: what
    the next shorter step says otherwise, beyond its noise, is an error too.
    """
    found = []
    for step in STEPS:
        wide, narrow = ((function(h) - function(-h)) / (2 * h) for h in (step, step / 2))
        found.append(((4 * narrow - wide) / 3, abs(wide - narrow) / 3, 2 * noise / step))
    doubts = [max(0.0, abs(one - other) - rough) for (one, *_), (other, _, rough) in pairwise(found)]
    errors = [bent + rough + doubt for (_, bent, rough), doubt in zip(found, [*doubts, 0.0], strict=True)]
    return min(((value, error) for (value, *_), error in zip(found, errors, strict=True)), key=lambda pair: pair[1])


def _turned(subject: Subject, matrix: np.ndarray) -> Measured:
    atoms = subject.atoms.copy()
    atoms.set_cell(atoms.cell.array @ matrix.T)
    atoms.positions = atoms.positions @ matrix.T
    turned = None if subject.here.stress is None else _voigt(matrix @ _full(subject.here.stress) @ matrix.T)
    return subject.compare(subject.ask(atoms), subject.here.energy, subject.here.forces @ matrix.T, turned)


def _strained(subject: Subject, ab: tuple[int, int], strain: float) -> float:
    deformation = np.eye(3)
    deformation[ab] += strain / 2
    deformation[ab[::-1]] += strain / 2
    atoms = subject.atoms.copy()
    atoms.set_cell(atoms.cell.array @ deformation, scale_atoms=True)
    return subject.ask(atoms).energy


def _misread(given: np.ndarray, expected: np.ndarray, allowed: float) -> str:
    """Return what a wrong stress would be right as."""
    readings: dict[str, Any] = {
        "with the sign of a pressure": -given,
        "in GPa": given / 160.21766208,
        "in the order xx yy zz xy yz xz": given[[0, 1, 2, 4, 5, 3]],
        "in the order xx yy zz xy xz yz": given[[0, 1, 2, 5, 4, 3]],
    }
    right = [name for name, reading in readings.items() if largest(reading - expected) <= allowed]
    return f"given {right[0]}" if right else ""


def _full(voigt: np.ndarray) -> np.ndarray:
    xx, yy, zz, yz, xz, xy = voigt
    return np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])


def _voigt(full: np.ndarray) -> np.ndarray:
    return np.array([full[ab] for ab in VOIGT])
