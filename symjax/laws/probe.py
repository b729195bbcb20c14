"""The instruments of a check: small nudges of an input, random parameters, and the distance between two outputs."""

import math
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

NOISE = {"float64": 1e-10, "float32": 1e-4, "float16": 1e-2, "bfloat16": 5e-2}


def is_floating(leaf: Any) -> bool:
    """Return whether an array, or the shape of one, holds real or complex numbers and is not empty."""
    return jnp.issubdtype(leaf.dtype, jnp.inexact) and math.prod(leaf.shape) > 0


def noise_level(x: Any) -> float:
    """Return the relative error that rounding alone may cause in a deep network, at the coarsest precision in x.

    Raises:
        TypeError: If x has no floating-point leaf.
    """
    levels = [NOISE[str(jnp.finfo(leaf.dtype).dtype)] for leaf in jax.tree.leaves(x) if is_floating(leaf)]
    if not levels:
        raise TypeError("expected an input with a floating-point leaf to nudge, got none; check what comes after it")
    return max(levels)


@jax.jit(static_argnames="scale")
def nudge(x: Any, key: Key[Array, ""], *, scale: float = 0.1) -> Any:
    """Return x with normal noise on its floating-point leaves, `scale` times the typical magnitude of each leaf.

    That is its geometric mean, zeros counting as one, which a few huge entries in padding do not spoil. Integers (ends
    of edges, species, masks) keep their values.
    """
    leaves, structure = jax.tree.flatten(x)
    return structure.unflatten(map(partial(_nudge_leaf, scale), leaves, normals(leaves, key)))


def _nudge_leaf(scale: float, leaf: Array, noise: Array) -> Array:
    if not is_floating(leaf):
        return leaf
    typical = jnp.exp(jnp.mean(jnp.log(jnp.where(leaf == 0, 1, jnp.abs(leaf)))))
    phase = 1 + 1j if jnp.iscomplexobj(leaf) else 1
    return leaf + phase * (scale * (typical * noise.astype(typical.dtype))).astype(leaf.dtype)


def normals(leaves: list[Any], key: Key[Array, ""]) -> list[Array]:
    """Return standard normals in the shape of each leaf, from one draw because every draw costs a compilation."""
    ends = np.cumsum([0] + [math.prod(leaf.shape) for leaf in leaves])
    flat = jax.random.normal(key, (int(ends[-1]),))
    return [flat[a:b].reshape(leaf.shape) for leaf, a, b in zip(leaves, ends[:-1], ends[1:], strict=True)]


@jax.jit
def deviation(got: Any, wanted: Any, generic: Any) -> Float[Array, " leaves"]:
    """Return for each leaf max|got - wanted| over the largest magnitude among got, wanted and generic.

    `generic` keeps the ratio honest where a symmetric input makes an output vanish but for rounding.
    """
    leaves = zip(*(jax.tree.leaves(tree) for tree in (got, wanted, generic)), strict=True)
    return jnp.array([_leaf_deviation(*leaf) for leaf in leaves], dtype=float)


def _leaf_deviation(got: Array, wanted: Array, generic: Array) -> Float[Array, ""]:
    if got.shape != wanted.shape:
        raise ValueError(f"expected outputs of one shape, got {got.shape} and {wanted.shape}; does the action keep it?")
    got, wanted, generic = (leaf if is_floating(leaf) else leaf.astype(float) for leaf in (got, wanted, generic))
    size = jnp.max(jnp.stack([jnp.max(jnp.abs(leaf), initial=0) for leaf in (got, wanted, generic)]))
    return (jnp.max(jnp.abs(got - wanted), initial=0) / jnp.where(size > 0, size, 1)).astype(float)


def random_params(layer: Any, x: Any, *, key: Key[Array, ""]) -> Any:
    """Return variables for a linen module: every parameter normal, of variance one over its number of inputs.

    Parameters take the precision of x where that is the finer one. Other collections keep their initial values.
    """
    shapes = jax.eval_shape(layer.init, key, x)
    others = {} if set(shapes) <= {"params"} else jax.jit(layer.init)(key, x)
    leaves, structure = jax.tree.flatten(shapes.get("params", {}))
    precisions = [leaf.dtype for leaf in jax.tree.leaves(x) if is_floating(leaf)]

    def scaled(leaf: jax.ShapeDtypeStruct, normal: Array) -> Array:
        finest = max([leaf.dtype, *precisions], key=lambda dtype: jnp.finfo(dtype).bits)
        return (normal / math.sqrt(max(1, math.prod(leaf.shape[:-1])))).astype(finest)

    return {**others, "params": structure.unflatten(map(scaled, leaves, normals(leaves, key)))}
