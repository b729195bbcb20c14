"""Sums over chunks of a function of a stack of inputs, and their derivatives, of which no activations are kept."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero
from jaxtyping import Array, Int, PyTree

MOST_JACOBIAN = 2**22  # numbers


def sums(
    part: Callable[..., PyTree], firsts: Int[Array, " chunks"], axes: Sequence[int | None]
) -> Callable[..., PyTree]:
    """Return the function that maps `part` over its inputs and adds it up over chunks: sum_i part(first_i, *leaves).

    Derivatives evaluate each chunk once more, so that memory does not grow with the number of chunks. Of a single real
    number an input, the gradient is added up beside the value instead, since it is linear in the cotangent: one
    evaluation less, for as much memory as the gradients of all inputs take.

    Args:
        part: of where a chunk begins, and of leaves without the axis of inputs.
        firsts: where chunks begin.
        axes: 0 for leaves with an axis of inputs, None for those that all inputs share.
    """
    whole = _scanned(jax.checkpoint(jax.vmap(part, (None, *axes))), firsts)

    def total(*leaves: Array) -> PyTree:
        return _with_gradients(part, whole, firsts, axes)(*leaves) if _is_small(whole, axes, leaves) else whole(*leaves)

    return total


def _scanned(part: Callable[..., PyTree], firsts: Array) -> Callable[..., PyTree]:
    def total(*leaves: Array) -> PyTree:
        start = jax.tree.map(lambda y: jnp.zeros(y.shape, y.dtype), jax.eval_shape(part, firsts[0], *leaves))
        return jax.lax.scan(lambda y, first: (jax.tree.map(jnp.add, y, part(first, *leaves)), None), start, firsts)[0]

    return total


def _is_small(whole: Callable[..., PyTree], axes: Sequence[int | None], leaves: Sequence[Array]) -> bool:
    """Return whether there is one real number an input, and the gradients of all inputs are few numbers."""
    y = jax.tree.leaves(jax.eval_shape(whole, *leaves))
    inputs = next(len(leaf) for leaf, axis in zip(leaves, axes, strict=True) if axis == 0)
    real = not any(jnp.iscomplexobj(leaf) for leaf in (*leaves, *y))
    size = sum(leaf.size * (1 if axis == 0 else inputs) for leaf, axis in zip(leaves, axes, strict=True))
    return real and len(y) == 1 and math.prod(y[0].shape) == inputs and size <= MOST_JACOBIAN


def _with_gradients(
    part: Callable[..., PyTree], whole: Callable[..., PyTree], firsts: Array, axes: Sequence[int | None]
) -> Callable[..., PyTree]:
    total = jax.custom_jvp(whole)

    def rule(leaves: Sequence[Array], tangents: Sequence[Any]) -> tuple[PyTree, PyTree]:
        moving = [i for i, tangent in enumerate(tangents) if not isinstance(tangent, SymbolicZero)]

        def value(first: Array, *leaves: Array) -> tuple[Array, PyTree]:
            y = part(first, *leaves)
            return jnp.squeeze(jax.tree.leaves(y)[0]), y

        gradient = jax.grad(value, argnums=[1 + i for i in moving], has_aux=True)
        gradients, y = _scanned(jax.checkpoint(jax.vmap(gradient, (None, *axes))), firsts)(*leaves)
        moved = sum(
            jax.vmap(jnp.vdot, (0, axes[i]))(slope, tangents[i]) for i, slope in zip(moving, gradients, strict=True)
        )
        return y, jax.tree.map(lambda leaf: jnp.reshape(moved, leaf.shape), y)

    total.defjvp(rule, symbolic_zeros=True)
    return total
