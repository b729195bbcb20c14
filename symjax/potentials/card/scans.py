"""What a potential does along lines: jumps where neighbours enter and leave, and the curves of dimers."""

import functools
from collections.abc import Callable
from itertools import combinations_with_replacement, pairwise
from typing import NamedTuple

import ase
import numpy as np
from ase.data import chemical_symbols, covalent_radii

from symjax.potentials.card.subject import Answer, Measured, NotAskedError, Subject, largest

POINTS = 41  # of a line, before it is looked at more closely
SPLITS = 120
SEEN = 0.5  # of the jump that is allowed: no closer look is taken
NARROW = 2.0**-20  # of a line: a smooth function does not change across so little
JUMP = 1e-3  # of the change along the line
FARTHEST = 12.0  # Å
DIMERS = 6  # at most, the first of them


class Line(NamedTuple):
    """Energies and largest forces along a line, and its largest jump."""

    name: str
    axis: str
    x: np.ndarray
    energy: np.ndarray
    force: np.ndarray
    jump: Measured


class _Interval(NamedTuple):
    low: float
    high: float
    bend: tuple[float, float]


def scan(name: str, axis: str, call: Callable[[float], Answer], ends: tuple[float, float], subject: Subject) -> Line:
    """Look for jumps of energy and forces along a line, from its lowest energy on.

    What a function deviates at the middle of an interval from the mean of its ends falls with the square of the width
    where it is smooth, and stays half the jump where it jumps. The interval that deviates most is halved again and
    again; twice the deviation that is left is the largest jump that there can be. Allowed is a thousandth of what
    energy and forces change along the line.
    """
    at = functools.cache(call)
    grid = np.geomspace(*ends, POINTS).tolist()
    lowest = int(np.argmin([at(x).energy for x in grid]))
    smooth = grid[lowest:] if lowest < 3 * POINTS // 4 else grid
    change = np.ptp([at(x).energy for x in smooth]), np.ptp([at(x).forces for x in smooth], axis=0).max()
    limits = np.maximum(JUMP * np.array(change), subject.allowed)
    worst, halved = _narrow(at, smooth, limits)
    of_energy, of_forces = (2 * bend for bend in worst.bend)
    jumps = Measured(of_energy, float(limits[0]), "eV"), Measured(of_forces, float(limits[1]), "eV/Å")
    jump = max(jumps, key=lambda measured: measured.excess)
    if jump.excess > 1 and _is_narrow(worst, smooth):
        jump = jump._replace(note=f"at {worst.low:.4g} ({axis})")
    x = sorted({*grid, *halved})
    energy, force = [at(i).energy for i in x], [largest(at(i).forces) for i in x]
    return Line(name, axis, np.array(x), np.array(energy), np.array(force), jump)


def _narrow(at: Callable[[float], Answer], grid: list[float], limits: np.ndarray) -> tuple[_Interval, list[float]]:
    """Return the interval with the largest jump there can be, and where the line was halved."""

    def interval(low: float, high: float) -> _Interval:
        a, b, c = at(low), at((low + high) / 2), at(high)
        forces = largest(b.forces - (a.forces + c.forces) / 2)
        return _Interval(low, high, (abs(b.energy - (a.energy + c.energy) / 2), forces))

    def size(one: _Interval) -> float:
        return float(np.max(2 * np.array(one.bend) / limits))

    intervals = [interval(*pair) for pair in pairwise(grid)]
    halved = []
    for _ in range(SPLITS):
        worst = max(intervals, key=size)
        if size(worst) <= SEEN or _is_narrow(worst, grid):
            break
        intervals.remove(worst)
        halved.append((worst.low + worst.high) / 2)
        intervals += [interval(worst.low, halved[-1]), interval(halved[-1], worst.high)]
    return max(intervals, key=size), halved


def _is_narrow(one: _Interval, grid: list[float]) -> bool:
    return one.high - one.low <= NARROW * (grid[-1] - grid[0])


def cutoff_lines(subject: Subject) -> list[Line]:
    """Scan an expansion of a crystal by half, or two molecules that part from 2 Å to 12 Å."""
    if subject.atoms.pbc.any():
        return [scan("expansion", "length scale", lambda scale: _expanded(subject, scale), (0.95, 1.5), subject)]
    size = float(np.ptp(subject.atoms.positions[:, 0]))

    def parted(gap: float) -> Answer:
        other = subject.atoms.copy()
        other.positions += (size + gap, 0.0, 0.0)
        return subject.ask(subject.atoms + other)

    return [scan("two molecules", "gap, Å", parted, (2.0, FARTHEST), subject)]


def dimer_lines(subject: Subject) -> list[Line]:
    """Scan the dimers of the elements there are, from three tenths of the sum of their covalent radii to 12 Å."""
    species = sorted(set(subject.atoms.numbers.tolist()))
    return [_dimer_line(subject, pair) for pair in [*combinations_with_replacement(species, 2)][:DIMERS]]


def repulsion(lines: list[Line], subject: Subject) -> Measured:
    """Return how much the energies fall, at most, on the way from six to three tenths of a bond."""
    trials = []
    for line in lines:
        rises = np.diff(line.energy[line.x <= 2 * line.x[0]])
        measured = Measured(float(rises.max(initial=0.0)), subject.allowed[0], "eV")
        note = f"{line.name} attract each other at short distance" if measured.excess > 1 else ""
        trials.append(measured._replace(note=note))
    return max(trials, key=lambda measured: measured.excess)


def smoothness(lines: list[Line]) -> Measured:
    """Return the largest jump of all lines, and where it is.

    Raises:
        NotAskedError: A line bends so much that the scan ends before it is resolved.
    """
    line = max(lines, key=lambda line: (line.jump.note > "", line.jump.excess))
    if line.jump.excess > 1 and not line.jump.note:
        raise NotAskedError(f"{line.name}: too steep, or not finite, to tell jumps")
    note = f"{line.name}: a jump {line.jump.note}" if line.jump.note else ""
    return line.jump._replace(note=note)


def _dimer_line(subject: Subject, pair: tuple[int, int]) -> Line:
    bond = float(covalent_radii[list(pair)].sum())
    name = "-".join(chemical_symbols[z] for z in pair)

    def at(distance: float) -> Answer:
        return subject.ask(ase.Atoms(pair, [(0, 0, 0), (distance, 0, 0)]))

    return scan(name, "distance, Å", at, (0.3 * bond, FARTHEST), subject)


def _expanded(subject: Subject, scale: float) -> Answer:
    atoms = subject.atoms.copy()
    atoms.set_cell(scale * atoms.cell.array, scale_atoms=True)
    return subject.ask(atoms)
