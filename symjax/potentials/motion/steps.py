"""Steps of molecular dynamics on the device: a block ends where its list of neighbours might miss a pair.

Positions and velocities are float64 whatever the precision of the potential; trace and call under `jax.enable_x64`.
A step is split where its forces are computed. What comes before (half a kick, the drift, the thermostat) is done ahead,
so that a block stops *before* the forces of atoms that its list does not serve, and no work is ever thrown away.
"""

import functools
from typing import Any, NamedTuple

import ase.units
import jax
import jax.numpy as jnp
import jraph
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PyTree, Scalar

from symjax.potentials.loss import Predict
from symjax.potentials.potential import Potential

ACCELERATION = ase.units.fs**2  # eV/Å/amu in Å/fs²
LEAP = 0.5  # eV an atom, that no sound step changes the conserved energy by
Real = Float[Array | np.ndarray, "n 3"]
Number = Float[Scalar | np.ndarray, ""]


class Ahead(NamedTuple):
    """Atoms whose forces are still to come: positions of `step`, and velocities that lack `kick` fs of them."""

    step: Int[Scalar | np.ndarray, ""]
    positions: Real
    velocities: Real
    heat: Number
    kick: Number


class State(NamedTuple):
    """Atoms at the end of a step.

    Attributes:
        step: -1 before the first forces.
        positions: in Å, as they went, never wrapped.
        velocities: in Å/fs.
        forces: in eV/Å.
        energy: potential energy in eV, without the references.
        heat: what the thermostat has added so far, in eV; the total energy less this is conserved.
        energy_deviation: in eV, as that of the forces; zero where the potential has none.
        forces_deviation: of each atom, in eV/Å.
    """

    step: Int[Scalar | np.ndarray, ""]
    positions: Real
    velocities: Real
    forces: Real
    energy: Number
    heat: Number
    energy_deviation: Number
    forces_deviation: Float[Array | np.ndarray, " n"]


class Carry(NamedTuple):
    """The last good state, what comes next, and whether the step that was tried last was `sound`."""

    state: State
    ahead: Ahead
    sound: Bool[Scalar | np.ndarray, ""]


class Motion(NamedTuple):
    """What moves the atoms.

    Attributes:
        timestep: in fs.
        masses: in amu; infinite for atoms that stay where they are.
        damping: what the thermostat leaves of a velocity, exp(-friction * timestep); one: none.
        thermal: k_B T in eV of the thermostat.
        key: of the random numbers, folded with the step.
        hottest: the largest kinetic energy in eV that is believed.
        doubtful: the deviation in eV/Å beyond which a block stops.
    """

    timestep: Number
    masses: Float[Array | np.ndarray, " n"]
    damping: Number
    thermal: Number
    key: Array
    hottest: Number
    doubtful: Number


class Served(NamedTuple):
    """A list of neighbours on the device: where the atoms were listed, as they went and wrapped, and half the skin."""

    graph: jraph.GraphsTuple
    origin: Real
    centred: Real
    reach: Number


def begin(positions: Real, velocities: Real) -> Carry:
    """Return atoms at rest in time, whose first forces are still to come."""
    zero, empty = np.zeros(()), np.zeros_like(positions)
    state = State(np.array(-1), positions, velocities, empty, zero, zero, zero, np.zeros(len(positions)))
    return Carry(state, Ahead(np.array(0), positions, velocities, zero, zero), np.array(True))


@functools.partial(jax.jit, static_argnums=0)
def run_block(
    potential: Potential,
    params: PyTree,
    served: Served,
    motion: Motion,
    carry: Carry,
    until: Int[Array | np.ndarray, ""],
) -> Carry:
    """Return where atoms are at the step `until`, or earlier; compiled once for a potential and a shape.

    A step is sound where all is finite, atoms are not too hot, and the conserved energy has not leapt.

    Steps are velocity Verlet or, where there is damping, BAOAB (Leimkuhler and Matthews 2013). They stop where an atom
    has moved beyond the reach of the list, a step is not sound or the forces are doubtful.
    """
    labels = potential.labels()

    def goes_on(carry: Carry) -> Any:
        moved = jnp.sum((carry.ahead.positions - served.origin) ** 2, axis=1)
        near = (moved <= served.reach**2).all()  # false too where a position is NaN
        trusted = ~(carry.state.forces_deviation > motion.doubtful).any()
        return carry.sound & trusted & near & (carry.state.step < until)

    def step(carry: Carry) -> Carry:
        state = _close(labels, params, served, motion, carry.ahead)
        sound = jnp.isfinite(state.energy) & jnp.isfinite(state.forces).all()
        sound &= kinetic_energy(motion.masses, state.velocities) <= motion.hottest
        leap = jnp.abs(_conserved(motion, state) - _conserved(motion, carry.state))
        sound &= (leap <= LEAP * len(state.positions)) | (carry.state.step < 0)
        after = Carry(state, _open(motion, state), sound)
        return jax.tree.map(lambda new, old: jnp.where(sound, new, old), after, carry)._replace(sound=sound)

    return jax.lax.while_loop(goes_on, step, carry)


def kinetic_energy(masses: Float[Array | np.ndarray, " n"], velocities: Real) -> Number:
    """Return sum m v² / 2 in eV; atoms of infinite mass are at rest."""
    moving = jnp.where(jnp.isfinite(masses), masses, 0)
    return jnp.sum(moving[:, None] * velocities**2) / (2 * ACCELERATION)


def _conserved(motion: Motion, state: State) -> Any:
    """Return the total energy less what the thermostat has added, in eV."""
    return state.energy + kinetic_energy(motion.masses, state.velocities) - state.heat


def _close(labels: Predict, params: PyTree, served: Served, motion: Motion, ahead: Ahead) -> State:
    """Compute the forces, and what they still add to the velocities of the step."""
    nodes, count = served.graph.nodes, len(ahead.positions)
    places = served.centred + (ahead.positions - served.origin)
    positions = jnp.zeros_like(nodes.positions).at[:count].set(places.astype(nodes.positions.dtype))
    found = labels(params, served.graph._replace(nodes=nodes._replace(positions=positions)))
    forces = found["forces"][:count].astype(float)
    none = {"energy_deviation": jnp.zeros(1), "forces_deviation": jnp.zeros(count)}
    told = {**none, **found}
    deviations = told["energy_deviation"][0].astype(float), told["forces_deviation"][:count].astype(float)
    velocities = _kicked(motion, ahead.velocities, forces, ahead.kick)
    energy = found["energy"][0].astype(float)
    return State(ahead.step, ahead.positions, velocities, forces, energy, ahead.heat, *deviations)


def _open(motion: Motion, state: State) -> Ahead:
    """Do all of the next step that comes before its forces: B A O A of BAOAB."""
    half = motion.timestep / 2
    kicked = _kicked(motion, state.velocities, state.forces, half)

    def thermalised(velocities: Real) -> Real:
        noise = jax.random.normal(jax.random.fold_in(motion.key, state.step), velocities.shape, float)
        spread = jnp.sqrt(motion.thermal * ACCELERATION * (1 - motion.damping**2) / motion.masses)
        return motion.damping * velocities + spread[:, None] * noise

    velocities = jax.lax.cond(motion.damping < 1, thermalised, lambda same: same, kicked)
    heat = kinetic_energy(motion.masses, velocities) - kinetic_energy(motion.masses, kicked)
    positions = state.positions + half * kicked + half * velocities
    return Ahead(state.step + 1, positions, velocities, state.heat + heat, half)


def _kicked(motion: Motion, velocities: Real, forces: Real, time: Number) -> Real:
    return velocities + time * ACCELERATION * forces / motion.masses[:, None]
