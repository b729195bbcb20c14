"""Layers of sequences one instant at a time: what they remember goes in and comes out, in shapes that never grow.

Layers keep what they remember in the collection "stream" of linen, which exists only while it is mutable: a module that
is composed of them, anyone's, streams too. Everything starts as zero, as before the first instant of a whole sequence.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

STREAM = "stream"


class Stream(NamedTuple):
    """A causal module, one instant at a time.

    Attributes:
        init: params, x_t -> state, before the first instant; of x_t [i] only the shape counts.
        step: params, state, x_t -> (state, y_t).
    """

    init: Callable[[PyTree, Float[Any, " i"]], PyTree]
    step: Callable[[PyTree, PyTree, Float[Array, " i"]], tuple[PyTree, Any]]


def stream(module: nn.Module) -> Stream:
    """Return a module of causal layers as pure functions of one instant and of what is remembered of those before.

    After t steps y_t is row t of `module.apply(params, x)`, to rounding, and a step costs the same after any history.
    """

    def step(params: PyTree, state: PyTree, x: Float[Array, " i"]) -> tuple[PyTree, Any]:
        y, changed = module.apply({**params, STREAM: state}, x[None], mutable=[STREAM])
        return changed.get(STREAM, {}), jax.tree.map(lambda leaf: leaf[0], y)

    def init(params: PyTree, x: Float[Any, " i"]) -> PyTree:
        shapes, _ = jax.eval_shape(step, params, {}, x)
        return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)

    return Stream(init, step)


def is_streaming(module: nn.Module) -> bool:
    """Return whether a layer is called for the next instants of a stream."""
    return module.is_mutable_collection(STREAM) and not module.is_initializing()


def remember(module: nn.Module, name: str, x: Float[Array, "t ..."], size: int) -> Float[Array, "{size} ..."]:
    """Return the `size` instants before x of a stream, and remember the last ones for its next call."""
    memory = module.variable(STREAM, name, jnp.zeros, (size, *x.shape[1:]), x.dtype)
    past = memory.value
    memory.value = jnp.concatenate([past, x])[len(x) :]
    return past


def require_whole(module: nn.Module) -> None:
    """Refuse to be called for one instant after the other.

    Raises:
        ValueError: If a stream is running.
    """
    if is_streaming(module):
        raise ValueError(f"expected a layer that can go on from the instants before, got {module}; see its attributes")
