"""Molecular dynamics at constant pressure: ASE's Langevin-Hoover barostat drives our calculator."""

import math
import warnings
from collections.abc import Mapping
from typing import Any

import ase
import ase.units
import numpy as np
from ase.calculators.singlepoint import SinglePointCalculator

from symjax.data import has_stress
from symjax.potentials.motion.calculator import Calculator
from symjax.potentials.motion.listing import require_energies
from symjax.potentials.motion.simulate import Dynamics, Record, hottest, note_deviations
from symjax.potentials.motion.steps import LEAP
from symjax.potentials.potential import Potential

BAROSTAT = ("p_eps", "force_eps", "accel")  # what it knows beside the atoms
RESULTS = ("energy", "forces", "stress")
SLOWER = 20.0  # how many times slower than the atoms the volume forgets


class PressureSimulation:
    """Atoms in a cell whose volume breathes and whose shape is kept, as Quigley and Probert (2004) let it.

    It has what `Simulation` has. The calculator lists the neighbours at every step, for the cell has moved.

    Args:
        potential: of energies.
        atoms: with momenta (`draw_momenta`) and a periodic cell.
        dynamics: of the ensemble "npt".
        stop_at: the deviation of a force in eV/Å beyond which `advance` stops.
        saved: what `saved` was, to go on from with the same bits.

    Raises:
        ValueError: the structure has no volume or fixed atoms, there is no friction, or ASE is too old.
    """

    def __init__(
        self,
        potential: Potential,
        atoms: ase.Atoms,
        dynamics: Dynamics,
        *,
        stop_at: float | None = None,
        saved: Mapping[str, np.ndarray] | None = None,
    ):
        _require_volume(potential, atoms, dynamics)
        self.atoms, self.dynamics, self.exploded, self.deviation = atoms.copy(), dynamics, False, 0.0
        self.stop_at, self.step = math.inf if stop_at is None else stop_at, -1
        self._calculator = self.atoms.calc = Calculator(potential, skin=0.0)
        if saved is not None:
            self.atoms.set_cell(saved["cell"])
            self.atoms.positions = saved["positions"]
            self.atoms.set_momenta(saved["momenta"])
        self._barostat = _barostat(self.atoms, dynamics)
        if saved is not None:
            for name in BAROSTAT:
                setattr(self._barostat, name, np.array(saved[name]))
            self._keep(int(saved["step"]))

    @property
    def listings(self) -> int:
        """How many times the neighbours have been listed."""
        return self._calculator.listings

    @property
    def doubtful(self) -> bool:
        """Whether a force deviates more than is allowed."""
        return self.deviation > self.stop_at

    @property
    def record(self) -> Record:
        """What is written down of the last good state."""
        atoms = self.frame
        temperature = float(atoms.get_temperature())
        return Record(self.step, atoms.get_potential_energy(), temperature, math.nan, atoms.cell.volume)

    def advance(self, until: int) -> None:
        """Run up to a step, or to where the atoms explode or the forces are doubtful."""
        while self.step < until and not self.doubtful:
            if not self._step():
                self.exploded = True
                return
            self._keep(self.step + 1)

    def _step(self) -> bool:
        """Do a step, the random numbers of which are its own, and return whether it is sound.

        A sound step changes the enthalpy by no more than `LEAP` an atom beside what the bath may give.
        """
        before = None if self.step < 0 else self._enthalpy
        if self.step >= 0:
            self._barostat.rng = np.random.default_rng([self.dynamics.seed, self.step])
            try:
                with np.errstate(all="ignore"):
                    self._barostat.step()
            except ValueError:  # no neighbours can be listed of such places or such a cell
                return False
        numbers = self._calculator.results
        finite = np.isfinite(numbers["energy"]) and np.isfinite(numbers["forces"]).all()
        if not finite:
            return False
        allowed = (LEAP + 3 * ase.units.kB * self.dynamics.temperature) * len(self.atoms)
        if before is not None and not abs(self._enthalpy - before) <= allowed:
            return False
        return bool(self.atoms.get_kinetic_energy() <= hottest(self.atoms, self.dynamics))

    @property
    def _enthalpy(self) -> float:
        work = self.dynamics.pressure * ase.units.GPa * self.atoms.cell.volume
        return self._calculator.results["energy"] + self.atoms.get_kinetic_energy() + work

    def _keep(self, step: int) -> None:
        """Remember a good state: what is written of it, and all that goes on from it with the same bits."""
        atoms, results = self.atoms, self._calculator.results
        places = {"positions": atoms.positions.copy(), "momenta": atoms.get_momenta(), "cell": atoms.cell.array.copy()}
        own = {name: np.array(getattr(self._barostat, name)) for name in BAROSTAT}
        self.step, self.saved, self.frame = step, {"step": np.array(step), **places, **own}, atoms.copy()
        self.frame.calc = SinglePointCalculator(self.frame, **{name: results[name] for name in RESULTS})
        if "forces_deviation" in results:
            note_deviations(self.frame, results["energy_deviation"], results["forces_deviation"])
            self.deviation = float(np.max(results["forces_deviation"]))


def _require_volume(potential: Potential, atoms: ase.Atoms, dynamics: Dynamics) -> None:
    require_energies(potential)
    if not (has_stress(atoms) and atoms.pbc.all()):
        raise ValueError(
            f"npt needs a cell that is periodic in all directions, got the cell {atoms.cell.array.tolist()} with pbc "
            f"{atoms.pbc.tolist()}; use nve or langevin"
        )
    if atoms.constraints:
        raise ValueError("npt moves all atoms with the cell, and some are fixed; use langevin, or free them")
    if dynamics.friction == 0 or dynamics.temperature == 0:
        raise ValueError("npt needs a --friction and a --temperature above zero; use nve for none")


def _barostat(atoms: ase.Atoms, dynamics: Dynamics) -> Any:
    try:
        from ase.md.langevinbaoab import LangevinBAOAB
    except ImportError:
        raise ValueError("npt needs ASE 3.27 or later; install it with: pip install -U ase") from None
    forgets = 1e3 * ase.units.fs / dynamics.friction
    with warnings.catch_warnings():  # of the mass of the barostat, which its time makes
        warnings.simplefilter("ignore")
        return LangevinBAOAB(
            atoms,
            dynamics.timestep * ase.units.fs,
            temperature_K=dynamics.temperature,
            externalstress=-dynamics.pressure * ase.units.GPa,
            hydrostatic=True,
            T_tau=forgets,
            P_tau=SLOWER * forgets,
            rng=np.random.default_rng(dynamics.seed),
        )
