"""The charged five-body benchmark: sampler, simulator and graphs (Satorras et al. 2021, arXiv:2102.09844, sec. 5.1).

Bodies of charge +-1 and unit mass start at normal positions with speed 1/2 and feel the forces q_i q_j / r^2, without
units. The task: given positions and velocities at one time, predict the positions 1000 steps of 1e-3 later.
"""

from typing import NamedTuple

import jax.numpy as jnp
import jraph
import numpy as np
from jaxtyping import Array, Float

from symjax.graphs import PointNodes

BODIES = 5
TIME_STEP = 1e-3
MAX_FORCE = 100.0  # clips each Cartesian component, which breaks rotation symmetry in rare close encounters
INPUT_STEP, TARGET_STEP = 3100, 4100
UNUSED_NORMALS = 2 * 49 * 3 * BODIES  # the benchmark draws noise of amplitude zero for 49 frames after each trajectory
TRAIN_DRAWS, HELD_OUT_DRAWS = 10_000, 2_000  # trajectories drawn for each part; papers use the first 3000 for training
BLOCK = 500  # trajectories advanced together: their arrays stay in cache


class Systems(NamedTuple):
    """Systems of n bodies at the input time, and where the bodies are at the target time."""

    charges: Float[Array | np.ndarray, "b n"]
    positions: Float[Array | np.ndarray, "b n 3"]
    velocities: Float[Array | np.ndarray, "b n 3"]
    targets: Float[Array | np.ndarray, "b n 3"]


def nbody_splits(train: int = 3000, valid: int = 2000, test: int = 2000, *, seed: int = 43) -> dict[str, Systems]:
    """Return the first systems of the benchmark's three parts: {"train", "valid", "test"}, float64.

    One stream of random numbers serves the parts in order, so fewer systems are a prefix of more. Seed 43 gives the
    published "nbody_small", except for the few trajectories whose close encounters amplify the rounding of a machine.

    Raises:
        ValueError: More systems are asked for than the benchmark draws.
    """
    counts = {"train": (train, TRAIN_DRAWS), "valid": (valid, HELD_OUT_DRAWS), "test": (test, HELD_OUT_DRAWS)}
    for name, (count, draws) in counts.items():
        if not 0 < count <= draws:
            raise ValueError(f"expected between 1 and {draws} {name} systems, got {count}")
    rng = np.random.RandomState(seed)
    splits = {}
    for name, (count, draws) in counts.items():
        charges, positions, velocities = (field[:count] for field in _sample(rng, draws))
        blocks = [slice(start, start + BLOCK) for start in range(0, count, BLOCK)]
        parts = [_simulate(charges[block], positions[block], velocities[block]) for block in blocks]
        splits[name] = Systems(*(np.concatenate(field) for field in zip(*parts, strict=True)))
    return splits


def nbody_graph(systems: Systems) -> jraph.GraphsTuple:
    """Return systems as one batch of fully connected graphs: nodes carry |v|, edges [q_i q_j, |x_i - x_j|^2]."""
    charges, positions, velocities, _ = map(jnp.asarray, systems)
    count, bodies = charges.shape
    receivers, senders = np.nonzero(~np.eye(bodies, dtype=bool))
    products = charges[:, receivers] * charges[:, senders]
    distances = jnp.sum((positions[:, receivers] - positions[:, senders]) ** 2, axis=-1)
    offsets = bodies * np.arange(count)[:, None]
    nodes = PointNodes(
        features=jnp.linalg.norm(velocities, axis=-1).reshape(-1, 1),
        positions=positions.reshape(-1, positions.shape[-1]),
        velocities=velocities.reshape(-1, positions.shape[-1]),
    )
    return jraph.GraphsTuple(
        nodes=nodes,
        edges=jnp.stack([products, distances], axis=-1).reshape(-1, 2),
        receivers=jnp.asarray((receivers + offsets).ravel(), jnp.int32),
        senders=jnp.asarray((senders + offsets).ravel(), jnp.int32),
        globals=None,
        n_node=jnp.full(count, bodies, jnp.int32),
        n_edge=jnp.full(count, len(receivers), jnp.int32),
    )


def linear_baseline(train: Systems, test: Systems) -> float:
    """Return the mean squared error on `test` of x + t v, with the constant time t that is best on `train`."""
    time = np.sum(train.velocities * (train.targets - train.positions)) / np.sum(train.velocities**2)
    return float(np.mean((test.positions + time * test.velocities - test.targets) ** 2))


def _sample(rng: np.random.RandomState, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw charges [b, n], positions and velocities [b, 3, n] in the benchmark's order of random numbers."""
    charges = np.empty((count, BODIES))
    positions, velocities = np.empty((2, count, 3, BODIES))
    for k in range(count):
        charges[k] = np.where(rng.random_sample(BODIES) < 0.5, -1, 1)
        positions[k], velocities[k] = rng.randn(2, 3, BODIES)
        rng.randn(UNUSED_NORMALS)
    return charges, positions, velocities / (2 * np.linalg.norm(velocities, axis=1, keepdims=True))


def _simulate(charges: np.ndarray, positions: np.ndarray, velocities: np.ndarray) -> Systems:
    """Integrate by the semi-implicit Euler method; systems are the last axis inside, so all arrays are contiguous."""
    first, second = np.triu_indices(BODIES, 1)
    q, x, v = charges.T, positions.transpose(1, 2, 0).copy(), velocities.transpose(1, 2, 0).copy()
    strength = q[first] * q[second]
    pull = np.eye(BODIES)[:, first] - np.eye(BODIES)[:, second]
    for step in range(1, TARGET_STEP + 1):
        apart = x[:, first] - x[:, second]
        squared = np.sum(apart**2, axis=0)
        forces = pull @ (apart * (strength / (squared * np.sqrt(squared))))
        v += TIME_STEP * np.clip(forces, -MAX_FORCE, MAX_FORCE)
        x += TIME_STEP * v
        if step == INPUT_STEP:
            start, speed = x.copy(), v.copy()
    return Systems(charges, *(field.transpose(2, 1, 0) for field in (start, speed, x)))
