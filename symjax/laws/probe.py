"""The instruments of a check: inputs near and far from a given one, random parameters, the noise of a precision."""

import math
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, Key

from symjax.math import namespace

NOISE = {"float64": 1e-10, "float32": 1e-4, "float16": 1e-2, "bfloat16": 5e-2}
DRAWN = 10  # the least draw, as a power of two: draws of a few sizes are compiled once and cut to shape


def is_floating(leaf: Any) -> bool:
    """Return whether an array, or the shape of one, holds real or complex numbers."""
    return jnp.issubdtype(leaf.dtype, jnp.inexact)


def noise_level(x: Any) -> float:
    """Return the relative error that rounding alone may cause in a deep network, at the coarsest precision in x.

    Raises:
        TypeError: If x has no floating-point leaf.
    """
    levels = [NOISE[str(jnp.finfo(leaf.dtype).dtype)] for leaf in jax.tree.leaves(x) if is_floating(leaf)]
    if not levels:
        raise TypeError("expected an input with a floating-point leaf to nudge, got none; check what comes after it")
    return max(levels)


def nudge(x: Any, key: Key[Array, ""], *, scale: float = 0.1, stretch: float = 1.0) -> Any:
    """Return x with normal noise on its floating-point leaves, `scale` times `typical` of each, then all stretched.

    Integers (ends of edges, species, masks) keep their values, and so do infinities.
    """
    leaves, structure = jax.tree.flatten(x)
    with np.errstate(all="ignore"):
        return structure.unflatten(map(partial(_nudge_leaf, scale, stretch), leaves, normals(leaves, key)))


def _nudge_leaf(scale: float, stretch: float, leaf: Any, noise: Any) -> Array:
    if not is_floating(leaf):
        return leaf
    values = at_hand(leaf)
    xp = namespace(values)
    phase = 1 + 1j if xp.iscomplexobj(values) else 1
    moved = stretch * (values + phase * (scale * typical(values) * noise).astype(values.dtype))
    return jnp.asarray(xp.where(xp.isfinite(values), moved, values).astype(values.dtype))


def typical(values: Any) -> Any:
    """Return the geometric mean of the magnitudes in an array, which a few huge entries in padding do not spoil.

    Zeros and what is not finite count as one.
    """
    xp, size = namespace(values), abs(values).astype(float)
    return xp.exp(xp.sum(xp.log(xp.where((size > 0) & xp.isfinite(size), size, 1))) / max(1, size.size))


def jiggle(way: list[Any], like: Any, key: Key[Array, ""]) -> Any:
    """Return the end of a way with random errors of a few roundings on the leaves that differ from those of `like`.

    They are relative to the largest number on the way, along the last axis, which an action may have mixed.
    """
    leaves, structure = jax.tree.flatten(way[-1])
    stations = zip(*map(jax.tree.leaves, way), strict=True)
    return structure.unflatten(map(_jiggle_leaf, leaves, stations, jax.tree.leaves(like), normals(leaves, key)))


def _jiggle_leaf(leaf: Any, stations: Any, like: Any, noise: Any) -> Any:
    if not is_floating(leaf) or np.array_equal(leaf, like, equal_nan=True):
        return leaf
    values, sizes = np.asarray(leaf), np.max([np.abs(np.asarray(at)) for at in stations], axis=0)
    size = np.max(np.where(np.isfinite(sizes), sizes, 0), axis=-1 if values.ndim else None, keepdims=True)
    error = 4 * float(jnp.finfo(values.dtype).eps) * size.astype(float) * noise
    return jnp.asarray(values + error.astype(values.dtype))


def normals(leaves: list[Any], key: Key[Array, ""]) -> list[Any]:
    """Return standard normals in the shape of each leaf, from one draw because every draw costs a compilation."""
    ends = np.cumsum([0] + [math.prod(leaf.shape) for leaf in leaves])
    flat = at_hand(_draw(key, 2 ** max(DRAWN, int(ends[-1]).bit_length())))
    return [flat[a:b].reshape(leaf.shape) for leaf, a, b in zip(leaves, ends[:-1], ends[1:], strict=True)]


@jax.jit(static_argnames="count")
def _draw(key: Key[Array, ""], count: int) -> Float[Array, " count"]:
    return jax.random.normal(key, (count,))


def at_hand(x: Any) -> Any:
    """Return an array in numpy, where nothing is compiled for each new shape, unless it is being traced."""
    return x if isinstance(x, Tracer) else np.asarray(x)


def random_params(layer: Any, x: Any, *, key: Key[Array, ""]) -> Any:
    """Return variables for a linen module: every parameter normal, of variance one over its number of inputs.

    Parameters take the precision of x where that is the finer one. Other collections keep their initial values.
    """
    shapes = jax.eval_shape(layer.init, key, x)
    others = {} if set(shapes) <= {"params"} else jax.jit(layer.init)(key, x)
    leaves, structure = jax.tree.flatten(shapes.get("params", {}))
    precisions = [leaf.dtype for leaf in jax.tree.leaves(x) if is_floating(leaf)]

    def scaled(leaf: jax.ShapeDtypeStruct, normal: Any) -> Array:
        finest = max([leaf.dtype, *precisions], key=lambda dtype: jnp.finfo(dtype).bits)
        return jnp.asarray((normal / math.sqrt(max(1, math.prod(leaf.shape[:-1])))).astype(finest))

    return {**others, "params": structure.unflatten(map(scaled, leaves, normals(leaves, key)))}
