"""Intertwining: a linear map that commutes with every generator is equivariant under the whole group."""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Inexact, Key

from symjax.groups import MatrixGroup
from symjax.laws.law import Failure, Point, residual
from symjax.laws.parts import SMALLEST, largest, parts
from symjax.laws.probe import at_hand, normals, typical
from symjax.reps import LinearRep, bound


@dataclasses.dataclass(frozen=True, init=False)
class Intertwining:
    """f(x) = W x + b along the last axis with drho_out(a) W = W drho_in(a) and rho_out(h) W = W rho_in(h), b invariant.

    Here a runs over the tangents and h over the discrete generators of the group, so that no element is missed;
    `Equivariance` samples what tangents generate. W is the derivative of f, and that f is affine is measured too.

    Raises:
        ValueError: If neither representation has a group.
    """

    group: MatrixGroup
    rep_in: LinearRep
    rep_out: LinearRep
    tolerance = None
    constant = False

    def __init__(self, rep_in: LinearRep, rep_out: LinearRep):
        (rep_in, rep_out), group = bound(rep_in, rep_out)
        object.__setattr__(self, "group", group)
        object.__setattr__(self, "rep_in", rep_in)
        object.__setattr__(self, "rep_out", rep_out)

    residual = residual

    def elements(self, at: Point, key: Key[Array, ""], *, thorough: bool = False) -> list[Any]:
        """Return one draw, or eight in a thorough search: a step as long as `at.reach` says, and a mixture of rows.

        Raises:
            ValueError: If the last axis of x does not have the size of the representation.
        """
        x, y = at.x, at.y
        if x.shape[-1:] != (self.rep_in.size,):
            raise ValueError(f"expected {self.rep_in.size} numbers of {self.rep_in} along the last axis, got {x.shape}")
        shapes = (*x.shape[:-1], 1), (*y.shape[:-1], 1), x.shape[-1:]
        draws = [jax.ShapeDtypeStruct(shape, float) for shape in shapes]
        far = at.reach * typical(at_hand(x))
        turn = 1 + 1j if jnp.iscomplexobj(x) else 1  # that complex conjugation is no linear map
        return [
            (from_rows.astype(x.dtype), to_rows.astype(y.dtype), (turn * far * step).astype(x.dtype))
            for from_rows, to_rows, step in (normals(draws, k) for k in jax.random.split(key, 8 if thorough else 1))
        ]

    def failure(self, fn: Callable[[Any], Any], at: Point, element: Any) -> Failure:
        """Return the worst failure to commute with a generator, or to be affine, relative to the largest entry of W.

        Rows of x may mix in f: W is a random combination of the derivatives of each row by each row.
        """
        return Failure(_residual(self, fn, at.x, element))

    def then(self, other: "Intertwining") -> "Intertwining":
        """Return the law of the composite: first a map with this law, then one with the other.

        Raises:
            TypeError: If the representations in the middle differ.
        """
        if self.rep_out != other.rep_in:
            raise TypeError(f"expected the second map to take {self.rep_out}, but it takes {other.rep_in}")
        return Intertwining(self.rep_in, other.rep_out)

    def __str__(self) -> str:
        return f"generators of {self.group}: linear, {self.rep_in.text} -> {self.rep_out.text}"


@partial(jax.jit, static_argnums=(0, 1))
def _residual(law: Intertwining, fn: Callable[[Any], Any], x: Inexact[Array, "... i"], element: Any) -> Any:
    (from_rows, to_rows, step), flat = element, (1,) * (x.ndim - 1)

    def along(start: Array, v: Inexact[Array, " i"]) -> Inexact[Array, " o"]:
        y = fn(start + from_rows * v.reshape(*flat, -1))
        return jnp.sum(to_rows * y, axis=range(y.ndim - 1))

    basis = jnp.eye(x.shape[-1], dtype=x.dtype)
    rows = jax.lax.map(lambda e: jax.jvp(partial(along, x), (0 * e,), (e,))[1], basis)  # of W transposed
    constant, here, there = jax.lax.map(
        lambda at: along(*at), (jnp.stack([0 * x, x, x]), jnp.stack([0 * step, 0 * step, step]))
    )
    kind = np.result_type(step.dtype, rows.dtype)
    with jax.default_matmul_precision("highest"):
        affine = step.astype(kind) @ rows.astype(kind)
        failures = [
            _deviation(there - here, affine, jnp.stack([here, there])),
            *_moves(law.group, law.rep_in >> law.rep_out, rows.T.ravel(), rows),
            *_moves(law.group, law.rep_out, constant, rows),
        ]
    return jnp.max(jnp.stack(failures))


def _deviation(got: Array, wanted: Array, generic: Array) -> Float[Array, ""]:
    """Return max|got - wanted| over the largest magnitude among the three."""
    size = jnp.max(jnp.concatenate([jnp.abs(a).ravel().astype(float) for a in (got, wanted, generic)]), initial=0)
    return jnp.max(jnp.abs(got - wanted), initial=0).astype(float) / jnp.where(size > 0, size, 1)


def _moves(
    group: MatrixGroup, rep: LinearRep, vector: Inexact[Array, " n"], generic: Inexact[Array, "..."]
) -> list[Float[Array, ""]]:
    """Return how far the generators move a vector that should be invariant, relative to the size of each part of it."""
    least = SMALLEST * jnp.maximum(jnp.max(jnp.abs(vector), initial=0), jnp.max(jnp.abs(generic), initial=0))
    size = jnp.maximum(largest(jnp.abs(vector), parts(rep, vector)[0]), least).astype(float)
    moves = []
    if group.directions:
        moves.append(jax.vmap(lambda a: rep.dact(a, vector))(_stacked(group.directions)))
    if group.generators:
        moves.append(jax.vmap(lambda h: rep.act(h, vector))(_stacked(group.generators)) - vector[None])
    return [jnp.max(jnp.abs(move) / jnp.where(size > 0, size, 1)[None], initial=0).astype(float) for move in moves]


def _stacked(elements: tuple[Any, ...]) -> Any:
    return jax.tree.map(lambda *leaves: jnp.asarray(np.stack(leaves)), *elements)
