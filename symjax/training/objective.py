"""What is minimised: a function of the means of a loss over all samples, with what it carries from step to step."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Num, PyTree

Weight: TypeAlias = float | Callable[[Array], ArrayLike]
Arrays: TypeAlias = Mapping[str, Array]


class Objective(NamedTuple):
    """A function of the means sum / count of some names of a loss, where both run over every shard of every device.

    Attributes:
        names: what it reads of the loss, and optimises; other names are only reported.
        value: means of these names, carry and step -> what is minimised and the next carry. A mean of which nothing was
            counted is zero, and has no derivative.
        init: the first carry, any tree of arrays; a step that is not finite leaves the carry as it was.

    Examples:
        >>> variance = Objective({"risk"}, lambda means, carry, step: (means["risk"].var(), carry))  # of risks [e]
    """

    names: Collection[str]
    value: Callable[[Arrays, PyTree, Array], tuple[Num[Array, ""], PyTree]]
    init: PyTree = ()


def weighted(weights: Mapping[str, Weight]) -> Objective:
    """Return sum_name weight_name mean_name.

    Args:
        weights: a number or a schedule (a function of the step) for each name.

    Raises:
        ValueError: nothing has a weight, or one is not finite.
    """
    numbers = [weight for weight in weights.values() if not callable(weight)]
    if bad := [weight for weight in numbers if not math.isfinite(weight)]:
        raise ValueError(f"the weight of a loss is a finite number or a schedule, got {bad[0]}")
    if len(numbers) == len(weights) and not any(numbers):
        raise ValueError(f"nothing would be learnt with the weights {dict(weights)}; give a name a weight other than 0")

    def value(means: Arrays, carry: PyTree, step: Array) -> tuple[Array, PyTree]:
        terms = (weight_at(weight, step, means[name]) * means[name] for name, weight in weights.items())
        return functools.reduce(jnp.add, terms), carry

    return Objective(tuple(weights), value)


def as_objective(given: Objective | Mapping[str, Weight]) -> Objective:
    """Return an objective as it is, and weights as their weighted sum."""
    return given if isinstance(given, Objective) else weighted(given)


def weight_at(weight: Weight, step: Array, like: Array) -> Array:
    """Return a number or a schedule at a step, in the precision of what it multiplies."""
    with jax.numpy_dtype_promotion("standard"):
        return jnp.asarray(weight(step) if callable(weight) else weight, like.dtype)


def evaluate_objective(
    objective: Objective, sums: Arrays, counts: Arrays, carry: PyTree, step: Array
) -> tuple[Num[Array, ""], PyTree]:
    """Return an objective at sum / count, which is zero where nothing was counted, and its next carry.

    Raises:
        ValueError: the sums lack a name.
        TypeError: the objective is no number, or its carry changes its shape.
    """
    if missing := sorted(set(objective.names) - sums.keys()):
        raise ValueError(f"the objective names {missing}, but the loss returned only {sorted(sums)}")
    value, after = objective.value({name: _mean(sums[name], counts[name]) for name in objective.names}, carry, step)
    if jnp.shape(value):
        raise TypeError(f"an objective is one number, not an array of shape {jnp.shape(value)}; sum its entries")
    if _shapes(after) != _shapes(carry):
        raise TypeError(f"an objective returns its carry in the shapes {_shapes(carry)}, not {_shapes(after)}")
    return value, jax.tree.map(lambda new, old: jnp.asarray(new, old.dtype), after, carry)


def _mean(total: Array, count: Array) -> Array:
    return jnp.where(count > 0, total / jnp.where(count > 0, count, 1), 0)


def _shapes(carry: PyTree) -> PyTree:
    return jax.tree.map(jnp.shape, carry)
