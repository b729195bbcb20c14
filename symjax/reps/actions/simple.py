"""Actions on single arrays: space on the last axis, permutations and shifts on an axis of choice."""

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
from jax.lax import Precision
from jaxtyping import Array, Float, Int, PyTree, Shaped

from symjax.groups import Motion


def linear_part(g: Motion | Float[Any, "d d"]) -> Float[Any, "d d"]:
    """Return the orthogonal matrix of a motion, or of itself."""
    return g.rotation if isinstance(g, Motion) else g


@dataclasses.dataclass(frozen=True)
class Trivial:
    """Invariant data of any structure: g x = x."""

    def act(self, g: Any, x: Any) -> Any:
        """Return x."""
        return x

    def __str__(self) -> str:
        return "invariant"


@dataclasses.dataclass(frozen=True)
class Vectors:
    """Directions, velocities, forces on the last axis: g v = R v. Translations leave them alone."""

    def act(self, g: Motion | Float[Array, "d d"], x: Float[Array, "... d"]) -> Float[Array, "... d"]:
        """Return every vector turned by the linear part of g."""
        return jnp.matmul(x, linear_part(g).T.astype(x.dtype), precision=Precision.HIGHEST)

    def __str__(self) -> str:
        return "vectors"


@dataclasses.dataclass(frozen=True)
class Matrices:
    """Stresses, polarisabilities, inertia tensors on the last two axes: g M = R M R^T."""

    def act(self, g: Motion | Float[Array, "d d"], x: Float[Array, "... d d"]) -> Float[Array, "... d d"]:
        """Return every matrix with both its indices turned by the linear part of g."""
        turned = jnp.swapaxes(Vectors().act(g, x), -1, -2)
        return jnp.swapaxes(Vectors().act(g, turned), -1, -2)

    def __str__(self) -> str:
        return "matrices"


@dataclasses.dataclass(frozen=True)
class Pseudovectors:
    """Torques, angular momenta, magnetic fields on the last axis: g v = det(R) R v."""

    def act(self, g: Motion | Float[Array, "d d"], x: Float[Array, "... d"]) -> Float[Array, "... d"]:
        """Return every pseudovector turned by the linear part of g, its sign kept under reflections."""
        handedness = jnp.sign(jnp.linalg.det(linear_part(g)))
        return handedness.astype(x.dtype) * Vectors().act(g, x)

    def __str__(self) -> str:
        return "pseudovectors"


@dataclasses.dataclass(frozen=True)
class Points:
    """Positions on the last axis: g x = R x + t, or R x where g is a matrix."""

    def act(self, g: Motion | Float[Array, "d d"], x: Float[Array, "... d"]) -> Float[Array, "... d"]:
        """Return every point moved by g."""
        turned = Vectors().act(g, x)
        return turned + jnp.broadcast_to(g.translation.astype(x.dtype), x.shape) if isinstance(g, Motion) else turned

    def __str__(self) -> str:
        return "points"


@dataclasses.dataclass(frozen=True)
class Axis:
    """A permuted axis, of every array of a pytree: place i of g x holds what was at place g[i] of x."""

    axis: int = 0

    def act(self, g: Int[Array, " n"], x: PyTree[Shaped[Array, "..."]]) -> PyTree[Shaped[Array, "..."]]:
        """Return x with its axis permuted by g."""
        return jax.tree.map(lambda leaf: self._permute(g, leaf), x)

    def _permute(self, g: Int[Array, " n"], x: Shaped[Array, "..."]) -> Shaped[Array, "..."]:
        if x.shape[self.axis] != g.shape[0]:
            raise ValueError(f"{self!r} permutes {g.shape[0]} places, but the array has shape {x.shape}")
        return jnp.take(x, g, axis=self.axis)

    def __str__(self) -> str:
        return f"axis {self.axis}" if self.axis else "rows"


@dataclasses.dataclass(frozen=True)
class Axes:
    """Several axes permuted alike, as those of a matrix of pairs: (g x)[i, j] = x[g[i], g[j]]."""

    axes: tuple[int, ...]

    def act(self, g: Int[Array, " n"], x: PyTree[Shaped[Array, "..."]]) -> PyTree[Shaped[Array, "..."]]:
        """Return x with each of its axes permuted by g."""
        return functools.reduce(lambda moved, axis: Axis(axis).act(g, moved), self.axes, x)

    def __str__(self) -> str:
        return f"axes {', '.join(map(str, self.axes))}"


@dataclasses.dataclass(frozen=True)
class TimeAxis:
    """A cyclically shifted axis: what was at instant i of x is at instant i + g, modulo the length."""

    axis: int = 0

    def act(self, g: Int[Array, ""], x: Shaped[Array, "..."]) -> Shaped[Array, "..."]:
        """Return x shifted by g instants along its axis."""
        return jnp.roll(x, g, axis=self.axis)

    def __str__(self) -> str:
        return f"instants on axis {self.axis}" if self.axis else "instants"
