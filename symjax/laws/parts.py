"""The parts of an output, which a representation does not mix: each is compared with its own size.

An unturned vector is then not lost beside a scalar ten thousand times larger, nor a constant channel among others.
"""

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Int

from symjax.laws.probe import at_hand, is_floating
from symjax.math import namespace
from symjax.reps import (
    Axes,
    Axis,
    Channels,
    Columns,
    LinearRep,
    Matrices,
    OnGraph,
    Points,
    Pseudovectors,
    Rep,
    TimeAxis,
    Tree,
    Trivial,
    Vectors,
    summands,
)

SMALLEST = 1e-3  # of the size of an array; smaller parts are compared with this, for they may be sums that cancel
ROUNDINGS = 64  # below so many units of the last place nothing has moved


def parts(rep: Rep, x: Any) -> list[Int[np.ndarray, "..."]]:
    """Return for each leaf of x an array that broadcasts against it, with the number of the part of each entry."""
    return [np.asarray(labels) for labels in jax.tree.leaves(_parts(rep, x))]


@functools.singledispatch
def _parts(rep: Rep, x: Any) -> Any:
    """An action that is not known may mix the whole of every leaf."""
    return [np.zeros((1,) * leaf.ndim, int) for leaf in jax.tree.leaves(x)]


@_parts.register
def _(rep: Trivial, x: Any) -> Any:
    return [_apart(leaf.shape) for leaf in jax.tree.leaves(x)]


@_parts.register(Vectors)
@_parts.register(Pseudovectors)
@_parts.register(Points)
def _(rep: Vectors | Pseudovectors | Points, x: Any) -> Any:
    return _apart((*x.shape[:-1], 1))


@_parts.register
def _(rep: Matrices, x: Any) -> Any:
    return _apart((*x.shape[:-2], 1, 1))


@_parts.register(Axis)
@_parts.register(TimeAxis)
def _(rep: Axis | TimeAxis, x: Any) -> Any:
    def others(leaf: Any) -> Any:
        return _apart(tuple(1 if i == rep.axis % leaf.ndim else n for i, n in enumerate(leaf.shape)))

    return jax.tree.map(others, x)


@_parts.register
def _(rep: Channels, x: Any) -> Any:
    return np.arange(x.shape[-1])


@_parts.register
def _(rep: Axes, x: Any) -> Any:
    def others(leaf: Any) -> Any:
        alike = {axis % leaf.ndim for axis in rep.axes}
        return _apart(tuple(1 if i in alike else n for i, n in enumerate(leaf.shape)))

    return jax.tree.map(others, x)


@_parts.register
def _(rep: LinearRep, x: Any) -> Any:
    labels, count = np.zeros(rep.size, int), 0
    for summand in summands(rep):
        copies = len(summand.places)
        labels[summand.places] = count + np.arange(copies)[:, None]
        count += copies
    return _apart((*x.shape[:-1], 1)) * count + labels


@_parts.register
def _(rep: Columns, x: Any) -> Any:
    return np.swapaxes(_parts(rep.rep, np.swapaxes(x, -1, -2)), -1, -2)


@_parts.register
def _(rep: Tree, x: Any) -> Any:
    return jax.tree.map(lambda part, leaf: None if leaf is None else _parts(part, leaf), rep.reps, x)


@_parts.register
def _(rep: OnGraph, x: Any) -> Any:
    reps = {"nodes": rep.nodes, "edges": rep.edges, "globals": rep.globals}
    return [_parts(reps.get(name) or Trivial(), field) for name, field in zip(x._fields, x, strict=True)]


def _apart(shape: tuple[int, ...]) -> Int[np.ndarray, "..."]:
    return np.arange(math.prod(shape)).reshape(shape)


def deviation(rep: Rep, got: Any, wanted: Any, usual: Any, *, near: bool = True) -> Any:
    """Return for each entry of each leaf |got - wanted| over the largest of got, wanted and usual in its part.

    `usual` keeps the ratio honest where a symmetric input makes a part vanish but for rounding. Where neither is a
    finite number they agree if they are the same infinity or, far from the input that was given, anyhow.

    Raises:
        ValueError: If the shapes differ.
    """
    leaves = zip(*(jax.tree.leaves(tree) for tree in (got, wanted, usual)), parts(rep, wanted), strict=True)
    with np.errstate(all="ignore"):
        return [_leaf_deviation(a, b, c, labels, near) for a, b, c, labels in leaves]


def _leaf_deviation(got: Any, wanted: Any, usual: Any, labels: np.ndarray, near: bool) -> Any:
    if got.shape != wanted.shape:
        raise ValueError(f"expected outputs of one shape, got {got.shape} and {wanted.shape}; does the action keep it?")
    arrays = [at_hand(leaf) for leaf in (got, wanted, usual)]
    xp = namespace(*arrays)
    least = float(jnp.finfo(got.dtype).tiny) if is_floating(got) else 1.0
    got, wanted, usual = (a.astype(complex if xp.iscomplexobj(a) else float) for a in arrays)
    sizes = [xp.where(xp.isfinite(a), xp.abs(a), 0) for a in (got, wanted, usual)]
    size = largest(xp.maximum(xp.maximum(sizes[0], sizes[1]), sizes[2]), labels)
    size = xp.maximum(size, SMALLEST * xp.max(size, initial=0))
    apart = xp.abs(got - wanted) / xp.maximum(size, least)
    alike = (got == wanted) | ((not near) & ~xp.isfinite(got) & ~xp.isfinite(wanted))
    return xp.where(alike, 0, xp.where(xp.isfinite(apart), apart, xp.inf))


def largest(values: Any, labels: Int[np.ndarray, "..."]) -> Any:
    """Return for each entry the largest value in its part."""
    places = np.broadcast_to(labels, values.shape)
    count = int(labels.max(initial=-1)) + 1
    if isinstance(values, np.ndarray):
        tops = np.zeros(count)
        np.maximum.at(tops, places, values)
    else:
        tops = jnp.zeros(count).at[places].max(values)
    return tops[places]


def ignores_input(rep: Rep, outputs: list[Any]) -> bool:
    """Whether some floating-point channel, or where there are none every output, is the same at all inputs.

    A channel is a part with its like in all rows; a single axis of independent numbers counts as rows.
    """
    leaves = [[at_hand(leaf) for leaf in jax.tree.leaves(y)] for y in outputs]
    labels = [labels for labels, leaf in zip(parts(rep, outputs[0]), leaves[0], strict=True) if leaf.size]
    columns = [column for column in zip(*leaves, strict=True) if column[0].size]
    if any(is_floating(column[0]) for column in columns):
        return any(_stays(*pair) for pair in zip(columns, labels, strict=True) if is_floating(pair[0][0]))
    return bool(columns) and all(_stays(*pair) for pair in zip(columns, labels, strict=True))


def _stays(values: tuple[Any, ...], labels: Int[np.ndarray, "..."]) -> bool:
    """Whether some channel of a leaf is the same in all its values but for rounding."""
    first, rows = values[0], np.broadcast_to(labels, values[0].shape)
    noise = ROUNDINGS * float(jnp.finfo(first.dtype).eps) if is_floating(first) else 0.0
    with np.errstate(all="ignore"):
        moved = [np.abs(v - first) > noise * np.abs(first) if is_floating(v) else v != first for v in values[1:]]
    moves = np.any(moved, axis=0)
    channel = rows[(0,) * max(0, rows.ndim - 1)]
    if rows.ndim < 2 and len(np.unique(channel)) == channel.size:
        return not moves.any()
    by_place = moves.reshape(-1, channel.size).any(axis=0)
    return not all(by_place[channel.ravel() == label].any() for label in np.unique(channel))
