"""A committee: parameters with a leading axis of members, their mean, and how much they differ."""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree

from symjax.data import LABELS
from symjax.potentials.loss import Predict


def committee_labels(predict: Predict, calibration: Mapping[str, float] = {}) -> Predict:
    """Return `predict` of all members as `(params, graph) -> labels by name`: their means, and beside them deviations.

        NAME_deviation = a_NAME sqrt(sum_components sum_members (y - mean y)^2 / (members - 1))

    Args:
        predict: of one member.
        calibration: the factors a, by the name of the label; 1 where there is none.
    """

    def labels(params: PyTree, graph: PyTree) -> dict[str, Array]:
        found = over_members(predict)(params, graph)
        means = {name: values.mean(axis=0) for name, values in found.items()}
        deviations = {
            f"{name}_deviation": calibration.get(name, 1.0) * _deviation(values, len(LABELS[name].shape))
            for name, values in found.items()
        }
        return means | deviations

    return labels


def mean_of_members(function: Callable) -> Callable:
    """Return the mean over the members of a function of (params, graph)."""
    return lambda params, graph: jax.tree.map(lambda each: each.mean(axis=0), over_members(function)(params, graph))


def over_members(function: Callable) -> Callable:
    """Return a function of (params, graph) for each member in turn, stacked."""
    return lambda params, graph: jax.lax.map(lambda own: function(own, graph), params)


def require_members(members: int | None) -> None:
    """Refuse committees that have no deviations.

    Raises:
        ValueError: there is one member, or none.
    """
    if members is not None and members < 2:
        raise ValueError(f"a committee has 2 members or more, for one alone has no deviation; got {members}")


def _deviation(values: Array, axes: int) -> Array:
    """Return sqrt(sum of the sample variances over so many last axes) of values [m, ...]."""
    variance = values.var(axis=0, ddof=1)
    return jnp.sqrt(variance.sum(axis=tuple(range(variance.ndim - axes, variance.ndim))))
