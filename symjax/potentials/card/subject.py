"""A calculator and a structure that laws are tried on, with the noise of its calls."""

from collections.abc import Sequence
from typing import NamedTuple

import ase
import numpy as np
from ase.calculators.calculator import Calculator

FACTOR = 100  # times the noise, that a call at another place may differ
RELATIVE = 1e-8  # of the largest force: less than that matters to nobody
LEAST = 1e-9  # eV/Å, or eV
NUDGE = 3e-7  # Å, that noise is measured with: about a rounding of float32


class Answer(NamedTuple):
    """What a calculator says of a structure, in eV, eV/Å and eV/Å³."""

    energy: float
    forces: np.ndarray
    stress: np.ndarray | None


class Noise(NamedTuple):
    """How far calls are from a smooth function, in eV and eV/Å, and how far apart equal calls are."""

    energy: float
    forces: float
    repeat: float


class Measured(NamedTuple):
    """A residual, what is allowed, in which unit, and what there is to say of it."""

    residual: float
    allowed: float
    unit: str
    note: str = ""

    @property
    def excess(self) -> float:
        """How many times what is allowed; a residual that is no number is beyond everything."""
        return self.residual / max(self.allowed, 1e-300) if np.isfinite(self.residual) else np.inf


class NotAskedError(Exception):
    """A law that means nothing for this structure, or that this calculator does not speak of."""


class Subject:
    """A calculator and a structure in general position, what it says there, and how noisy it is.

    Attributes:
        atoms: the structure, each atom moved by some 0.05 Å: at rest or at a symmetric place, wrong forces pass.
        here: what the calculator says of it.
        noise: of calls.
        rng: decides the trials.
    """

    def __init__(self, calculator: Calculator, atoms: ase.Atoms, seed: int) -> None:
        self.calculator = calculator
        self.rng = np.random.default_rng(seed)
        self.atoms = atoms.copy()
        self.atoms.set_constraint()
        self.atoms.positions += 0.05 * self.rng.normal(size=(len(atoms), 3)) * (len(atoms) > 1)
        self.energy = "free_energy" if "free_energy" in calculator.implemented_properties else "energy"
        self.stressed = "stress" in calculator.implemented_properties
        self.here = self.ask(self.atoms)
        self.noise = self._measure_noise()

    def ask(self, atoms: ase.Atoms) -> Answer:
        """Call the calculator, which forgets what it said; its forces belong to the free energy, if it has one."""
        atoms = atoms.copy()
        if hasattr(self.calculator, "reset"):
            self.calculator.reset()
        atoms.calc = self.calculator
        forces = np.array(atoms.get_forces(apply_constraint=False), float)
        energy = np.asarray(self.calculator.get_property(self.energy, atoms), float).item()
        stress = np.array(atoms.get_stress(voigt=True), float) if self.stressed and atoms.pbc.all() else None
        return Answer(energy, forces, stress)

    def moved(self, moves: np.ndarray) -> Answer:
        """Return what is said when the atoms are moved, in Å."""
        atoms = self.atoms.copy()
        atoms.positions += moves
        return self.ask(atoms)

    @property
    def force(self) -> float:
        """The largest component of the forces."""
        return float(np.abs(self.here.forces).max())

    @property
    def precision(self) -> float:
        """The noise of the forces relative to the largest one."""
        return self.noise.forces / max(self.force, 1e-300)

    @property
    def single(self) -> bool:
        """Whether the noise is that of float32 or more."""
        return self.noise.forces > max(1e-9 * self.force, LEAST)

    @property
    def allowed(self) -> tuple[float, float]:
        """By how much energies and forces may differ that ought to be the same."""
        least = max(RELATIVE * self.force, LEAST)
        return FACTOR * self.noise.energy + least, FACTOR * self.noise.forces + least

    @property
    def allowed_stress(self) -> float:
        """By how much stresses may differ: a force on each atom, over some 10 Å."""
        return 10 * len(self.atoms) * self.allowed[1] / self.atoms.get_volume()

    def direction(self) -> np.ndarray:
        """Return random moves of 1 Å an atom, in the mean."""
        moves = self.rng.normal(size=self.here.forces.shape)
        return moves * np.sqrt(len(moves)) / np.linalg.norm(moves)

    def compare(self, there: Answer, energy: float, forces: np.ndarray, stress: np.ndarray | None = None) -> Measured:
        """Return the worst of energy, forces and stress against what they ought to be."""
        copies = len(forces) / len(self.atoms)
        worst = [
            Measured(abs(there.energy - energy), copies * self.allowed[0], "eV"),
            Measured(largest(there.forces - forces), self.allowed[1], "eV/Å"),
        ]
        if stress is not None and there.stress is not None:
            worst.append(Measured(largest(there.stress - stress), self.allowed_stress, "eV/Å³"))
        return max(worst, key=lambda measured: measured.excess)

    def _measure_noise(self) -> Noise:
        """Return what second differences over moves of 3e-7 Å are, where those of smooth functions vanish."""
        again = [self.ask(self.atoms) for _ in range(2)]
        repeat = max(abs(answer.energy - self.here.energy) for answer in again)
        repeat_forces = max(largest(answer.forces - self.here.forces) for answer in again)
        energies, forces = [], []
        for _ in range(4):
            move = NUDGE * self.direction()
            up, down = self.moved(move), self.moved(-move)
            energies.append(abs(up.energy + down.energy - 2 * self.here.energy))
            forces.append(largest(up.forces + down.forces - 2 * self.here.forces))
        rounding = np.finfo(float).eps
        energy = max(*energies, repeat, rounding * abs(self.here.energy))
        return Noise(energy, max(*forces, repeat_forces, rounding * self.force), repeat)


def largest(values: np.ndarray | Sequence[float]) -> float:
    """Return the largest magnitude; one that is no number wins."""
    return float(np.max(np.abs(values), initial=0.0))
