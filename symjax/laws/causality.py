"""Causality: some outputs may not see some inputs."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Key
from numpy.typing import ArrayLike

from symjax.laws.law import Failure, Point, residual
from symjax.laws.probe import at_hand, is_floating, nudge
from symjax.math import namespace, transitive_closure

STEP = 3.0  # times the size of the input


class Move(NamedTuple):
    """Some rows of the input, replaced by those of another input."""

    rows: Bool[np.ndarray, " n"]
    elsewhere: Any


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

    @classmethod
    def past(cls, instants: int) -> "Causality":
        """Return that each instant sees itself and those before it."""
        return cls(np.tri(instants))

    @classmethod
    def ancestors(cls, edges: ArrayLike) -> "Causality":
        """Return that each variable sees its ancestors, not itself, in the graph with `edges[i, j]` where i -> j.

        Raises:
            ValueError: If the edges are no square matrix, or form a cycle, which is named.
        """
        graph = np.asarray(edges, dtype=bool)
        if graph.ndim != 2 or graph.shape[0] != graph.shape[1]:
            raise ValueError(f"expected a square matrix of edges[from, to], got an array of shape {graph.shape}")
        reached = transitive_closure(graph)
        if reached.diagonal().any():
            raise ValueError(f"expected a graph without cycles, got {_cycle(graph, reached)}")
        return cls(reached.T)

    residual = residual

    def elements(self, at: Point, key: Key[Array, ""], *, thorough: bool = False) -> list[Move]:
        """Return a move of every row, and of all rows at once that some output may not see; if thorough, of each.

        Raises:
            ValueError: If the first axes of input and output are not those of the relation.
        """
        self.require_rows(at.x, at.y)
        allowed = np.asarray(self.allowed)
        elsewhere = nudge(at.x, key, scale=STEP * at.reach)
        together = np.unique(~allowed, axis=0)
        if not thorough:
            together = together[int(jax.random.randint(key, (), 0, len(together)))][None]
        moved = [*np.eye(allowed.shape[1], dtype=bool), *together[together.any(axis=1)]]
        return [Move(rows, elsewhere) for rows in moved]

    def require_rows(self, x: Any, y: Any) -> None:
        """Refuse inputs and outputs whose first axes are not those of the relation.

        Raises:
            ValueError: If some leaf has another number of rows.
        """
        _expect_rows("output", y, len(self.allowed))
        _expect_rows("input", x, len(self.allowed[0]))

    def failure(self, fn: Callable[[Any], Any], at: Point, element: Move) -> Failure:
        """Return the largest forbidden move, relative to the size of the output; 0 only where no bit changed."""
        sees = (np.asarray(self.allowed) & element.rows).any(axis=1)
        with np.errstate(all="ignore"):
            y = fn(_replace_rows(at.x, element))
            moves = [_leaf_moves(*leaves) for leaves in zip(*map(jax.tree.leaves, (y, at.y)), strict=True)]
        xp = namespace(*moves)
        return Failure(xp.max(xp.where(sees, 0, xp.stack(moves)), initial=0))

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


def _cycle(graph: np.ndarray, reached: np.ndarray) -> str:
    """Return a shortest way from the first variable on a cycle back to it."""
    start = int(np.argmax(reached.diagonal()))
    ways = [[start]]
    while True:
        ways = [[*way, int(j)] for way in ways for j in np.flatnonzero(graph[way[-1]]) if reached[j, start]]
        if back := next((way for way in ways if way[-1] == start), None):
            return " -> ".join(map(str, back))
        ways = list({way[-1]: way for way in ways}.values())


def _expect_rows(what: str, tree: Any, rows: int) -> None:
    for leaf in jax.tree.leaves(tree):
        if leaf.shape[:1] != (rows,):
            raise ValueError(f"expected {rows} rows in every leaf of the {what}, got an array of shape {leaf.shape}")


def _replace_rows(x: Any, move: Move) -> Any:
    def replace(a: Any, b: Any) -> Any:
        a, b = at_hand(a), at_hand(b)
        return jnp.asarray(namespace(a, b).where(move.rows.reshape(-1, *[1] * (a.ndim - 1)), b, a))

    return jax.tree.map(replace, x, move.elsewhere)


def _leaf_moves(got: Any, wanted: Any) -> Any:
    """Return for each row its largest move, never rounded to zero where a bit changed."""
    got, wanted = at_hand(got), at_hand(wanted)
    xp, rows = namespace(got, wanted), (got.shape[0], math.prod(got.shape[1:]))
    changed = ((got != wanted) & ~(_is_nan(got) & _is_nan(wanted))).reshape(rows).any(axis=1)
    a, b = (leaf if is_floating(leaf) else leaf.astype(float) for leaf in (got, wanted))
    size = xp.max(xp.stack([xp.where(xp.isfinite(leaf), xp.abs(leaf), 0) for leaf in (a, b)]), initial=0)
    moved = xp.abs(a - b).reshape(rows).max(axis=1, initial=0) / xp.where(size > 0, size, 1)
    least = float(jnp.finfo(moved.dtype).eps) ** 2
    return xp.where(changed, xp.where(moved > least, moved, least), 0).astype(float)


def _is_nan(values: Any) -> Any:
    return namespace(values).isnan(values) if is_floating(values) else np.zeros(values.shape, bool)
