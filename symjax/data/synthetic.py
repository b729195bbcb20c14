"""Regression tasks with an exact symmetry, as many samples as wanted (Finzi et al. 2021, arXiv:2104.09459, section 7).

A task names the representations of its inputs and targets, so one script can train any network on any of them.
"""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Float, Key

from symjax.groups import O13, MatrixGroup, O
from symjax.reps import LinearRep, Scalar, T, V

MINKOWSKI = np.array([1.0, -1.0, -1.0, -1.0])  # time first


class Samples(NamedTuple):
    """Inputs and what they are mapped to."""

    inputs: Float[Array | np.ndarray, "*b n"]
    targets: Float[Array | np.ndarray, "*b m"]


@dataclasses.dataclass(frozen=True)
class Task:
    """An equivariant function to be learnt from samples.

    Attributes:
        name: as in the paper.
        group: the symmetry of the function.
        rep_in: how the inputs transform; of `group`.
        rep_out: how the targets transform; of `group`.
        inputs: (generator, b) -> random inputs [b, n].
        target: inputs [b, n] -> targets [b, m].
    """

    name: str
    group: MatrixGroup
    rep_in: LinearRep
    rep_out: LinearRep
    inputs: Callable[[np.random.Generator, int], Float[np.ndarray, "b n"]]
    target: Callable[[Float[np.ndarray, "b n"]], Float[np.ndarray, "b m"]]

    def sample(self, rng: np.random.Generator, count: int) -> Samples:
        """Return that many independent samples, float64."""
        inputs = self.inputs(rng, count)
        return Samples(inputs, self.target(inputs))

    def move(self, samples: Samples, key: Key[Array, ""]) -> Samples:
        """Return the samples, each moved by its own random element of the group: other samples of the same function."""
        elements = [partial(self.group.sample, component=part) for part in range(self.group.components)]

        def move_one(key: Key[Array, ""], x: Float[Any, " n"], y: Float[Any, " m"]) -> Samples:
            which, how = jax.random.split(key)
            g = jax.lax.switch(jax.random.randint(which, (), 0, len(elements)), elements, how)
            return Samples(self.rep_in.act(g, x), self.rep_out.act(g, y))

        return jax.vmap(move_one)(jax.random.split(key, len(samples.inputs)), *samples)


def inertia(bodies: int = 5) -> Task:
    """Masses and positions to their tensor of inertia: softplus(N(0, 1)) and N(0, 1)^3 each, O(3)."""

    def inputs(rng: np.random.Generator, count: int) -> np.ndarray:
        x = rng.standard_normal((count, 4 * bodies))
        x[:, :bodies] = np.logaddexp(0, x[:, :bodies])
        return x

    def target(x: np.ndarray) -> np.ndarray:
        return inertia_tensor(x[:, :bodies], x[:, bodies:].reshape(len(x), bodies, 3)).reshape(len(x), 9)

    group = O(3)
    return Task("Inertia", group, (bodies * Scalar + bodies * V)(group), T(2)(group), inputs, target)


def inertia_tensor(
    masses: Float[np.ndarray, "b k"], positions: Float[np.ndarray, "b k 3"]
) -> Float[np.ndarray, "b 3 3"]:
    """Return sum_k m_k (|x_k|^2 1 - x_k x_k^T), the tensor of inertia about the origin."""
    second = np.einsum("bk,bki,bkj->bij", masses, positions, positions)
    return np.trace(second, axis1=1, axis2=2)[:, None, None] * np.eye(3) - second


def o5_synthetic() -> Task:
    """Two normal vectors x, y of R^5 to sin|x| - |y|^3 / 2 + x.y / (|x| |y|), O(5)."""

    def target(x: np.ndarray) -> np.ndarray:
        first, second = x[:, :5], x[:, 5:]
        size, other = np.linalg.norm(first, axis=1), np.linalg.norm(second, axis=1)
        value = np.sin(size) - other**3 / 2 + np.sum(first * second, axis=1) / (size * other)
        return value[:, None]

    group = O(5)
    return Task("O5Synthetic", group, (2 * V)(group), Scalar(group), _normal(10, 1.0), target)


def particle_interaction() -> Task:
    """Four momenta N(0, 1/16)^4 of e mu -> e mu scattering to the squared matrix element, O(1, 3)."""

    def target(x: np.ndarray) -> np.ndarray:
        return matrix_element(x.reshape(len(x), 4, 4))[:, None]

    group = O13()
    return Task("ParticleInteraction", group, (4 * V)(group), Scalar(group), _normal(16, 0.25), target)


def matrix_element(momenta: Float[np.ndarray, "b 4 4"]) -> Float[np.ndarray, " b"]:
    """Return 4 (p^a p'^b - (p.p' - p.p) g^ab) (q_a q'_b - (q.q' - q.q) g_ab) of momenta in the order p, q, p', q'.

    The electron goes from p to p', the muon from q to q', products are of signature (+, -, -, -). The two factors are
    not symmetrised in a and b, as in the data behind the published errors.
    """

    def dot(i: int, j: int) -> np.ndarray:
        return np.sum(momenta[:, i] * MINKOWSKI * momenta[:, j], axis=1)

    electron, muon = dot(0, 2) - dot(0, 0), dot(1, 3) - dot(1, 1)
    return 4 * (dot(0, 1) * dot(2, 3) - muon * dot(0, 2) - electron * dot(1, 3) + 4 * electron * muon)


def _normal(size: int, deviation: float) -> Callable[[np.random.Generator, int], np.ndarray]:
    return lambda rng, count: deviation * rng.standard_normal((count, size))
