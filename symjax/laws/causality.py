"""Causality: some outputs may not see some inputs."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key
from numpy.typing import ArrayLike

from symjax.laws.probe import is_floating, nudge


@dataclasses.dataclass(frozen=True, init=False, repr=False)
class Causality:
    """Row i of the output may depend on row j of the input only where `allowed[i, j]`.

    Rows are taken along the first axis of every leaf. The law is measured by nudging one row after the other, never by
    reading masks, and a forbidden row of the output must not move by one bit: hard attention and argmax are covered.

    >>> Causality(np.tri(9))  # instant i sees the instants up to i
    Causality: 9 outputs see 45 of 81 pairs
    """

    allowed: tuple[tuple[bool, ...], ...]
    tolerance = 0.0
    constant = False

    def __init__(self, allowed: ArrayLike):
        relation = np.asarray(allowed, dtype=bool)
        if relation.ndim != 2:
            raise ValueError(f"expected a matrix allowed[output, input], got an array of shape {relation.shape}")
        object.__setattr__(self, "allowed", tuple(map(tuple, relation.tolist())))

    def residual(self, fn: Callable[[Any], Any], x: Any, key: Key[Array, ""]) -> Float[Array, ""]:
        """Return the largest forbidden move, relative to the size of the output; 0 only where no bit changed.

        Raises:
            ValueError: If the first axes of input and output are not those of the relation.
        """
        allowed = np.asarray(self.allowed)
        y, elsewhere = fn(x), nudge(x, key, scale=3.0)
        _expect_rows("output", y, allowed.shape[0])
        _expect_rows("input", x, allowed.shape[1])
        moves = [_moves(fn(_replace_row(x, elsewhere, j)), y) for j in range(allowed.shape[1])]
        return jnp.max(jnp.where(allowed, 0, jnp.stack(moves, axis=1)))

    def then(self, other: "Causality") -> "Causality":
        """Return the law of the composite, the boolean product of the relations: first this one, then the other.

        Raises:
            TypeError: If the number of rows in the middle differs.
        """
        if len(self.allowed) != len(other.allowed[0]):
            raise TypeError(f"expected the second relation to have {len(self.allowed)} inputs, got {other}")
        return Causality(np.asarray(other.allowed) @ np.asarray(self.allowed))

    def __repr__(self) -> str:
        relation = np.asarray(self.allowed)
        return f"Causality: {len(relation)} outputs see {relation.sum()} of {relation.size} pairs"


def _expect_rows(what: str, tree: Any, rows: int) -> None:
    for leaf in jax.tree.leaves(tree):
        if leaf.shape[:1] != (rows,):
            raise ValueError(f"expected {rows} rows in every leaf of the {what}, got an array of shape {leaf.shape}")


@jax.jit
def _replace_row(x: Any, elsewhere: Any, j: Any) -> Any:
    return jax.tree.map(lambda a, b: a.at[j].set(b[j]), x, elsewhere)


@jax.jit
def _moves(got: Any, wanted: Any) -> Float[Array, " rows"]:
    """Return for each row its largest move over the leaves, never rounded to zero where a bit changed."""
    return jnp.max(jnp.stack(jax.tree.leaves(jax.tree.map(_leaf_moves, got, wanted))), axis=0)


def _leaf_moves(got: Array, wanted: Array) -> Float[Array, " rows"]:
    changed = (got != wanted).reshape(got.shape[0], -1).any(axis=1)
    a, b = (leaf if is_floating(leaf) else leaf.astype(float) for leaf in (got, wanted))
    size = jnp.max(jnp.abs(b), initial=0)
    moved = jnp.abs(a - b).reshape(a.shape[0], -1).max(axis=1, initial=0) / jnp.where(size > 0, size, 1)
    return jnp.where(changed, jnp.maximum(moved, jnp.finfo(moved.dtype).eps ** 2), 0).astype(float)
