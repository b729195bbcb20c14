"""Molecular dynamics of a potential: blocks of steps on the device, neighbours listed anew on the host between them."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import ase
import ase.units
import jax
import numpy as np
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms
from jaxtyping import Array, Float

from symjax.potentials.motion.listing import Listed, list_neighbours, require_energies, require_skin
from symjax.potentials.motion.steps import Ahead, Carry, Motion, Served, State, begin, run_block
from symjax.potentials.potential import Potential

PARTS = ("state", "ahead")
HOTTEST = 1e5  # K, beyond which no temperature is believed


@dataclasses.dataclass(frozen=True)
class Dynamics:
    """How atoms move: at constant energy by velocity Verlet, in a bath by BAOAB, or in a bath under pressure.

    Attributes:
        ensemble: "nve" or "langevin" of `Simulation`, or "npt" of `PressureSimulation`.
        timestep: in fs.
        temperature: in K.
        friction: in 1/ps, of the bath.
        pressure: in GPa, of "npt".
        seed: of the random numbers.

    Raises:
        ValueError: there is no such ensemble, or a number is out of its range.
    """

    ensemble: Literal["nve", "langevin", "npt"] = "langevin"
    timestep: float = 1.0
    temperature: float = 300.0
    friction: float = 5.0
    pressure: float = 0.0
    seed: int = 0

    def __post_init__(self):
        if self.ensemble not in ("nve", "langevin", "npt"):
            raise ValueError(f"expected the ensemble nve, langevin or npt, got {self.ensemble!r}")
        if not 0 < self.timestep < math.inf:
            raise ValueError(f"expected a time step above 0 fs, got {self.timestep}; 1 fs suits most matter")
        for name, unit in (("temperature", "K"), ("friction", "1/ps")):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"expected a {name} of 0 {unit} or more, got {getattr(self, name)}")
        if not math.isfinite(self.pressure):
            raise ValueError(f"expected a finite pressure in GPa, got {self.pressure}")

    @property
    def damping(self) -> float:
        """What is left of a velocity after a step."""
        return math.exp(-self.friction * self.timestep / 1e3) if self.ensemble == "langevin" else 1.0


class Record(NamedTuple):
    """What is written down of a step: its energy in eV with the references, its temperature in K and its volume in Å³.

    `conserved` is the total energy less the heat from the bath; nan where a barostat does work.
    """

    step: int
    energy: float
    temperature: float
    conserved: float
    volume: float


class Simulation:
    """Atoms that move as a potential says.

    A list of neighbours with a skin serves until an atom has moved half the skin; a list that is full moves to the next
    shape, so that no neighbour is ever dropped.

    Args:
        potential: of energies.
        atoms: with momenta (`draw_momenta`); atoms that ASE's `FixAtoms` names stay where they are.
        dynamics: how they move.
        skin: in Å; zero lists the neighbours at every step.
        stop_at: the deviation of a force in eV/Å beyond which `advance` stops.
        saved: what `saved` was, to go on from with the same bits.
        tell: is told in a sentence when a list is full.

    Attributes:
        listings: how many times the neighbours have been listed.

    Raises:
        ValueError: the potential has no energies, a constraint is not known, or the structure is refused by
            `atoms_graph`.
    """

    def __init__(
        self,
        potential: Potential,
        atoms: ase.Atoms,
        dynamics: Dynamics,
        *,
        skin: float = 0.5,
        stop_at: float | None = None,
        saved: Mapping[str, np.ndarray] | None = None,
        tell: Callable[[str], object] = lambda sentence: None,
    ):
        require_energies(potential)
        require_skin(skin)
        self.potential, self.atoms, self.skin, self.tell, self.listings = potential, atoms, skin, tell, 0
        self.stop_at = math.inf if stop_at is None else stop_at
        self.freedom = degrees_of_freedom(atoms, dynamics.ensemble)
        self._params = jax.device_put(potential.params)
        with jax.enable_x64(True):
            self._motion = _motion(atoms, dynamics, self.stop_at)
            masses = self._motion.masses[:, None]
            velocities = np.where(np.isfinite(masses), atoms.get_momenta() / masses, 0) * ase.units.fs
            self._carry = begin(atoms.positions.copy(), velocities) if saved is None else _unpacked(saved)
            origin = atoms.positions if saved is None else saved["origin"]
            self._list(origin, 0 if saved is None else int(saved["edges"]))

    @property
    def step(self) -> int:
        """Of the last good state; -1 before the first forces."""
        return int(self._carry.state.step)

    @property
    def deviation(self) -> float:
        """The largest deviation of a force of the last good state, in eV/Å; zero where the potential has none."""
        return float(np.asarray(self._carry.state.forces_deviation).max())

    @property
    def state(self) -> State:
        """The last good state, on the host."""
        return jax.device_get(self._carry.state)

    @property
    def saved(self) -> dict[str, np.ndarray]:
        """All that a simulation goes on from with the same bits: the state, and what its neighbours were listed for."""
        carry = jax.device_get(self._carry)
        parts = {f"{part}.{name}": value for part in PARTS for name, value in getattr(carry, part)._asdict().items()}
        return {**parts, "origin": self._origin, "edges": np.array(self._listed.budget.edges)}

    @property
    def frame(self) -> ase.Atoms:
        """The last good state as a structure with momenta, energy, forces and deviations; positions are not wrapped."""
        state, atoms = self.state, self.atoms.copy()
        atoms.positions = state.positions
        atoms.set_velocities(state.velocities / ase.units.fs)
        energy = float(self.potential.references.restore([atoms.numbers], np.array([state.energy]))[0])
        atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=state.forces)
        if self.potential.members is not None:
            note_deviations(atoms, float(state.energy_deviation), state.forces_deviation)
        return atoms

    @property
    def record(self) -> Record:
        """What is written down of the last good state."""
        state, atoms = self.state, self.frame
        energy, kinetic = atoms.get_potential_energy(), atoms.get_kinetic_energy()
        temperature = float(2 * kinetic / (max(self.freedom, 1) * ase.units.kB))
        return Record(int(state.step), energy, temperature, energy + kinetic - float(state.heat), atoms.cell.volume)

    @property
    def exploded(self) -> bool:
        """Whether the step after `state` is not sound: not finite, hotter than any matter, or leapt in energy."""
        sound, ahead = jax.device_get((self._carry.sound, self._carry.ahead))
        return not (sound and np.isfinite(ahead.positions).all())

    def advance(self, until: int) -> State:
        """Run up to a step, or to where the atoms explode or the forces are doubtful; returns the state there."""
        with jax.enable_x64(True):
            while True:
                self._carry = run_block(
                    self.potential, self._params, self._served, self._motion, self._carry, np.array(until)
                )
                if self.exploded or self._carry.state.step >= until or self.doubtful:
                    return self.state
                self._list(np.asarray(self._carry.ahead.positions), self._listed.budget.edges)

    @property
    def doubtful(self) -> bool:
        """Whether a force deviates more than is allowed."""
        return self.deviation > self.stop_at

    def _list(self, origin: Float[np.ndarray, "n 3"], least: int) -> None:
        moved = self.atoms.copy()
        moved.positions = origin
        listed: Listed = list_neighbours(self.potential, moved, skin=self.skin, least=least)
        if 0 < least < listed.budget.edges:
            self.tell(f"the list of neighbours is full at {least} pairs; it goes on with {listed.budget.edges}")
        self._listed, self._origin = listed, np.array(origin)
        self._served = jax.device_put(Served(listed.graph, self._origin, listed.positions, np.array(self.skin / 2)))
        self.listings += 1


def draw_momenta(atoms: ase.Atoms, temperature: float, seed: int) -> None:
    """Give atoms that have no momenta those of Maxwell and Boltzmann, without a net momentum where none is fixed."""
    if atoms.get_momenta().any():
        return
    masses = atoms.get_masses()[:, None]
    spread = np.sqrt(masses * ase.units.kB * temperature)
    momenta = spread * np.random.default_rng(seed).standard_normal((len(atoms), 3))
    if len(atoms) > 1 and not atoms.constraints:
        momenta -= masses * momenta.sum(axis=0) / masses.sum()
    atoms.set_momenta(momenta)


def note_deviations(atoms: ase.Atoms, energy: float, forces: Float[Array | np.ndarray, " n"]) -> None:
    """Write deviations in eV and eV/Å into a frame, under the names that they have as labels."""
    atoms.info["energy_deviation"] = energy
    atoms.set_array("forces_deviation", np.asarray(forces))


def degrees_of_freedom(atoms: ase.Atoms, ensemble: str) -> int:
    """Return how many degrees of freedom have a temperature: without those of the whole, where nothing moves it."""
    free = 3 * int(np.isfinite(moving_masses(atoms)).sum())
    return free - 3 if ensemble != "langevin" and free == 3 * len(atoms) > 3 else free


def moving_masses(atoms: ase.Atoms) -> Float[np.ndarray, " n"]:
    """Return the masses in amu, infinite where an atom is fixed.

    Raises:
        ValueError: a constraint is not one of fixed atoms.
    """
    masses = atoms.get_masses().astype(float)
    for constraint in atoms.constraints:
        if not isinstance(constraint, FixAtoms):
            raise ValueError(
                f"the structure has a constraint {type(constraint).__name__}, and dynamics knows fixed atoms only; "
                "remove it from the file"
            )
        masses[constraint.index] = np.inf
    return masses


def hottest(atoms: ase.Atoms, dynamics: Dynamics) -> float:
    """Return the largest kinetic energy in eV that is believed."""
    return 1.5 * len(atoms) * ase.units.kB * max(HOTTEST, 10 * dynamics.temperature)


def _motion(atoms: ase.Atoms, dynamics: Dynamics, doubtful: float) -> Motion:
    return jax.device_put(
        Motion(
            np.array(dynamics.timestep),
            moving_masses(atoms),
            np.array(dynamics.damping),
            np.array(ase.units.kB * dynamics.temperature),
            jax.random.key(dynamics.seed),
            np.array(hottest(atoms, dynamics)),
            np.array(doubtful),
        )
    )


def _unpacked(saved: Mapping[str, np.ndarray]) -> Carry:
    def part(name: str, kind: Any) -> Any:
        return kind(**{field: saved[f"{name}.{field}"] for field in kind._fields})

    return Carry(part("state", State), part("ahead", Ahead), np.array(True))
