"""The double spring pendulum, two masses on springs in space (Finzi et al. 2021, arXiv:2104.09459, section 7.2).

Units are those in which both masses, both rest lengths, gravity and the first spring are 1. The second spring is twice
as stiff: that is the system behind the published errors. A state is z = (q1, q2, p1, p2), four vectors of space,

    H = (|p1|^2 + |p2|^2) / 2 + (|q1| - 1)^2 / 2 + (|q2 - q1| - 1)^2 + z.(q1 + q2),

so the symmetry is O(2) about the z axis and the representation 4 V. The motion is chaotic.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

STIFFNESS = (1.0, 2.0)
GRAVITY = np.array([0.0, 0.0, -1.0])
STEP = 0.2  # between the states of a trajectory
DURATION = 30.0

_W = (0.784513610477560, 0.235573213359357, -1.17767998417887)  # Yoshida 1990, order 6, solution A
KICKS = np.array([*_W, 1 - 2 * sum(_W), *_W[::-1]])
DRIFTS = np.convolve(KICKS, [0.5, 0.5])


class Trajectories(NamedTuple):
    """States of several systems at common times."""

    times: Float[np.ndarray, " t"]
    states: Float[np.ndarray, "b t 12"]


def initial_states(rng: np.random.Generator, count: int) -> Float[np.ndarray, "b 12"]:
    """Return masses near (0, 0, -1.5) and (0, 0, -3), N(0, 0.04)^3 about them, with momenta N(0, 0.16)^3."""
    centre = np.array([0, 0, -1.5, 0, 0, -3.0] + 6 * [0])
    return centre + np.array(6 * [0.2] + 6 * [0.4]) * rng.standard_normal((count, 12))


def energy(states: Float[np.ndarray, "*b 12"]) -> Float[np.ndarray, "*b"]:
    """Return the Hamiltonian H(z)."""
    q1, q2, p1, p2 = np.split(states, 4, axis=-1)
    stretch = [np.linalg.norm(spring, axis=-1) - 1 for spring in (q1, q2 - q1)]
    elastic = sum(k * s**2 / 2 for k, s in zip(STIFFNESS, stretch, strict=True))
    return np.sum(p1**2 + p2**2, axis=-1) / 2 + elastic - (q1 + q2) @ GRAVITY


def forces(positions: Float[np.ndarray, "*b 6"]) -> Float[np.ndarray, "*b 6"]:
    """Return -dH/dq on both masses."""
    q1, q2 = np.split(positions, 2, axis=-1)
    upper, lower = (
        -k * (1 - 1 / np.linalg.norm(spring, axis=-1, keepdims=True)) * spring
        for k, spring in zip(STIFFNESS, (q1, q2 - q1), strict=True)
    )
    return np.concatenate([upper - lower + GRAVITY, lower + GRAVITY], axis=-1)


def roll_out(
    states: Float[np.ndarray, "b 12"], times: Float[np.ndarray, " t"], *, step: float = 0.01
) -> Float[np.ndarray, "b t 12"]:
    """Return the true states at `times`, given those at times[0].

    A symplectic composition of order six, so the energy does not drift (Yoshida 1990,
    doi:10.1016/0375-9601(90)90092-3).

    Args:
        states: the first states.
        times: increasing.
        step: the longest step; each interval is divided evenly.

    Raises:
        ValueError: If the times decrease.
    """
    if np.any(np.diff(times) < 0):
        raise ValueError(f"expected times that do not decrease, got {times}")
    q, p = states[:, :6].copy(), states[:, 6:].copy()
    path = [states]
    for interval in np.diff(times):
        count = int(np.ceil(interval / step - 1e-9))
        for _ in range(count):
            _advance(q, p, interval / count)
        path.append(np.concatenate([q, p], axis=1))
    return np.stack(path, axis=1)


def trajectories(rng: np.random.Generator, systems: int) -> Trajectories:
    """Return random systems for 30 time units, every 0.2: t = 150."""
    times = STEP * np.arange(round(DURATION / STEP))
    return Trajectories(times, roll_out(initial_states(rng, systems), times))


def random_chunks(rng: np.random.Generator, paths: Trajectories, *, length: int = 5) -> Trajectories:
    """Return one piece of every trajectory, chosen among those that start at multiples of `length`.

    Raises:
        ValueError: If the trajectories are shorter than a piece.
    """
    systems, available = paths.states.shape[:2]
    if not 0 < length <= available:
        raise ValueError(f"expected pieces of 1 to {available} states, got length={length}")
    first = length * rng.integers(available // length, size=systems)
    rows = first[:, None] + np.arange(length)
    return Trajectories(paths.times[:length], paths.states[np.arange(systems)[:, None], rows])


def relative_error(
    predicted: Float[np.ndarray, "*b 12"], truth: Float[np.ndarray, "*b 12"], *, floor: float = 1e-5
) -> Float[np.ndarray, "*b"]:
    """Return |z - z'| / (|z| + |z'|), at least `floor`, and 1 where the prediction is not finite.

    The published measure of a roll-out is the geometric mean of these over all states and times.
    """
    sizes = np.linalg.norm(predicted, axis=-1) + np.linalg.norm(truth, axis=-1)
    error = np.linalg.norm(predicted - truth, axis=-1) / sizes
    return np.maximum(np.where(np.isfinite(error), error, 1), floor)


def _advance(q: np.ndarray, p: np.ndarray, step: float) -> None:
    """Move positions and momenta in place by one step: drifts and kicks in turn."""
    q += DRIFTS[0] * step * p
    for kick, drift in zip(KICKS, DRIFTS[1:], strict=True):
        p += kick * step * forces(q)
        q += drift * step * p
