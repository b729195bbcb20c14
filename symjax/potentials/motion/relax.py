"""Structures at rest: the optimisers and cell filters of ASE on any calculator."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import ase
import ase.filters
import ase.optimize
import ase.units
import numpy as np
from ase.calculators.calculator import BaseCalculator
from ase.constraints import FixSymmetry
from jaxtyping import Float

from symjax.data import has_stress
from symjax.graphs import require_apart

Optimizer = Literal["bfgs", "lbfgs", "fire", "fire2", "bfgslinesearch", "lbfgslinesearch", "gpmin", "mdmin"]
Cell = Literal["none", "FrechetCellFilter", "UnitCellFilter", "StrainFilter"]
OPTIMIZERS = {name.lower(): getattr(ase.optimize, name) for name in ase.optimize.__all__ if name != "RestartError"}


class Relaxed(NamedTuple):
    """A structure at the end of a relaxation.

    Attributes:
        atoms: at the last geometry whose forces are numbers, without a calculator.
        before: energy at the start, in eV.
        energy: at the end, in eV.
        forces: at the end, in eV/Å, whatever is fixed.
        stress: at the end, in eV/Å³; None without a periodic cell.
        fmax: the largest force on an atom or the cell that is free to move, in eV/Å (of the cell as its filter has it).
        steps: that the optimiser took.
        trouble: why it has not converged; empty where it has.
        deviations: at the end, of energy, forces and stress, where the calculator has them.
    """

    atoms: ase.Atoms
    before: float
    energy: float
    forces: Float[np.ndarray, "n 3"]
    stress: Float[np.ndarray, "3 3"] | None
    fmax: float
    steps: int
    trouble: str
    deviations: Mapping[str, Any] = {}


@dataclasses.dataclass(frozen=True)
class Relaxation:
    """How structures are moved downhill until no force is large; their own constraints hold.

    Attributes:
        optimizer: of ASE, by name.
        fmax: in eV/Å, of the largest force; frequencies and phonons want less, such as 0.001.
        steps: at most.
        cell: the filter of ASE by which the cell moves too; "none" keeps it.
        pressure: in GPa, on a cell that moves.
        fix_symmetry: whether the space group of the start is kept, which needs spglib.
    """

    optimizer: Optimizer = "bfgs"
    fmax: float = 0.05
    steps: int = 500
    cell: Cell = "none"
    pressure: float = 0.0
    fix_symmetry: bool = False

    def relax(self, atoms: ase.Atoms, calculator: BaseCalculator) -> Relaxed:
        """Return a structure at rest; the start is left as it is.

        Args:
            atoms: the start.
            calculator: of energy and forces, and of stress where the cell moves.

        Raises:
            ValueError: as `require_meaning`, spglib is missing, or the calculator refuses the structure.
        """
        self.require_meaning(atoms)
        moving, own = atoms.copy(), list(atoms.constraints)
        moving.calc = calculator
        before = float(moving.get_potential_energy())
        if not (np.isfinite(before) and np.isfinite(moving.get_forces()).all()):
            raise ValueError(f"energy or forces of {atoms.symbols} are not finite at the start; mend the structure")
        if self.fix_symmetry:
            moving.set_constraint([*own, _symmetry(moving)])
        target = _filtered(moving, self.cell, self.pressure)
        taken, trouble = self._descend(target, moving, calculator)
        largest = float(np.linalg.norm(target.get_forces(), axis=1).max())
        moving.set_constraint(own)
        energy, forces = float(moving.get_potential_energy()), moving.get_forces(apply_constraint=False)
        stress = moving.get_stress(apply_constraint=False, voigt=False) if has_stress(moving) else None
        deviations = {name: value for name, value in calculator.results.items() if name.endswith("_deviation")}
        return Relaxed(moving.copy(), before, energy, forces, stress, largest, taken, trouble, deviations)

    def _descend(self, target: Any, moving: ase.Atoms, calculator: BaseCalculator) -> tuple[int, str]:
        """Move until converged, or back to where forces were numbers; return the steps, and what went wrong."""
        optimizer, good, taken = OPTIMIZERS[self.optimizer](target, logfile=None), moving.copy(), 0
        trouble = f"the largest force is above {self.fmax:g} eV/Å after {self.steps} steps"
        try:
            for converged in optimizer.irun(fmax=self.fmax, steps=self.steps):
                if not all(np.isfinite(result).all() for result in calculator.results.values()):
                    trouble = f"energy or forces are not finite after step {optimizer.nsteps}"
                    break
                good, taken = moving.copy(), optimizer.nsteps
                if converged:
                    return taken, ""
        except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
            trouble = f"step {taken + 1} led nowhere: {error}"
        moving.set_cell(good.cell, apply_constraint=False)
        moving.set_positions(good.positions, apply_constraint=False)
        return taken, trouble

    def require_meaning(self, atoms: ase.Atoms) -> None:
        """Refuse what cannot be relaxed.

        Raises:
            ValueError: a size has no meaning, the cell shall move and there is none, or two atoms are at one point.
        """
        if not (0 < self.fmax < np.inf and self.steps >= 0 and np.isfinite(self.pressure)):
            raise ValueError(
                f"expected a positive --fmax, zero or more --steps and a finite --pressure, got {self.fmax}, "
                f"{self.steps} and {self.pressure}"
            )
        where = f"{atoms.symbols} with pbc {atoms.pbc.tolist()}"
        if self.cell != "none" and not has_stress(atoms):
            raise ValueError(f"{where} has no periodic cell with a volume that could move; leave out --cell")
        if self.pressure and (self.cell in ("none", "StrainFilter") or not atoms.pbc.all()):
            raise ValueError(
                f"a --pressure needs a crystal and --cell FrechetCellFilter or another filter that takes one, got "
                f"{where} and --cell {self.cell}"
            )
        require_apart(atoms)


def _filtered(atoms: ase.Atoms, cell: str, pressure: float) -> Any:
    if cell == "none":
        return atoms
    if cell == "StrainFilter":
        return ase.filters.StrainFilter(atoms)
    return getattr(ase.filters, cell)(atoms, scalar_pressure=pressure * ase.units.GPa)


def _symmetry(atoms: ase.Atoms) -> FixSymmetry:
    try:
        return FixSymmetry(atoms)
    except ImportError as error:
        raise ValueError(f"--fix-symmetry needs spglib ({error}); pip install spglib, or leave it out") from None
