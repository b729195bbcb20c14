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
from symjax.laws.probe import deviation, normals
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

    def residual(self, fn: Callable[[Any], Any], x: Inexact[Array, "... i"], key: Key[Array, ""]) -> Float[Array, ""]:
        """Return the worst failure to commute with a generator, or to be affine, relative to the largest entry of W.

        Rows of x may mix in f: W is a random combination of the derivatives of each row by each row.

        Raises:
            ValueError: If the last axis of x does not have the size of the representation.
        """
        if x.shape[-1:] != (self.rep_in.size,):
            raise ValueError(f"expected {self.rep_in.size} numbers of {self.rep_in} along the last axis, got {x.shape}")
        return _residual(self, fn, x, key)

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
def _residual(
    law: Intertwining, fn: Callable[[Any], Any], x: Inexact[Array, "... i"], key: Key[Array, ""]
) -> Float[Array, ""]:
    lead, flat = x.shape[:-1], (1,) * (x.ndim - 1)
    out = jax.eval_shape(fn, x)
    draws = [jax.ShapeDtypeStruct(shape, float) for shape in ((*lead, 1), (*out.shape[:-1], 1), x.shape[-1:])]
    from_rows, to_rows, step = normals(draws, key)

    def along(start: Array, v: Inexact[Array, " i"]) -> Inexact[Array, " o"]:
        y = fn(start + from_rows.astype(x.dtype) * v.reshape(*flat, -1))
        return jnp.sum(to_rows.astype(y.dtype) * y, axis=range(y.ndim - 1))

    basis, turn = jnp.eye(x.shape[-1], dtype=x.dtype), 1 + 1j if jnp.iscomplexobj(x) else 1
    step = turn * step.astype(x.dtype)  # with an imaginary part, that complex conjugation is no linear map
    rows = jax.lax.map(lambda e: jax.jvp(partial(along, x), (0 * e,), (e,))[1], basis)  # of W transposed
    constant, here, there = jax.lax.map(
        lambda at: along(*at), (jnp.stack([0 * x, x, x]), jnp.stack([0 * step, 0 * step, step]))
    )
    kind = np.result_type(step.dtype, rows.dtype)
    with jax.default_matmul_precision("highest"):
        failures = [
            deviation((there - here).astype(kind), step.astype(kind) @ rows.astype(kind), rows),
            _moves(law.group, law.rep_in >> law.rep_out, rows.T.ravel(), rows),
            _moves(law.group, law.rep_out, constant, rows),
        ]
    return jnp.max(jnp.concatenate(failures))


def _moves(
    group: MatrixGroup, rep: LinearRep, vector: Inexact[Array, " n"], generic: Inexact[Array, "..."]
) -> Float[Array, " g"]:
    """Return how far the generators move a vector that should be invariant, relative to its size or that of another."""
    deviations, generic = [jnp.zeros(0, float)], jnp.concatenate([vector, generic.ravel()])
    if group.directions:
        rates = jax.vmap(lambda a: rep.dact(a, vector))(_stacked(group.directions))
        deviations.append(deviation(rates, jnp.zeros_like(rates), generic))
    if group.generators:
        images = jax.vmap(lambda h: rep.act(h, vector))(_stacked(group.generators))
        deviations.append(deviation(images, jnp.broadcast_to(vector.astype(images.dtype), images.shape), generic))
    return jnp.concatenate(deviations)


def _stacked(elements: tuple[Any, ...]) -> Any:
    return jax.tree.map(lambda *leaves: jnp.asarray(np.stack(leaves)), *elements)
