"""Any formula of identification on discrete columns: probabilities are shares of the units."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int

from symjax.causal.identify import Estimand, Joint


def empirical(columns: Mapping[str, Int[np.ndarray, " n"]], weights: Float[np.ndarray, " n"] | None = None) -> Joint:
    """Return the shares of the units with each combination of values.

    Args:
        columns: values 0, 1, ... by name; see `codes`.
        weights: of the units.
    """
    names = tuple(columns)
    sizes = [int(columns[name].max()) + 1 for name in names]
    cell = np.ravel_multi_index([columns[name] for name in names], sizes)
    counts = np.bincount(cell, weights, minlength=int(np.prod(sizes)))
    return Joint(names, (counts / counts.sum()).reshape(sizes))


def codes(values: np.ndarray, *, bins: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of each value among the distinct ones, and these; quantile bins and their means where asked.

    Raises:
        ValueError: there are more than 20 distinct values and no bins.
    """
    if bins is not None:
        edges = np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1])
        number = np.unique(np.searchsorted(edges, values, side="right"), return_inverse=True)[1]
        return number, np.bincount(number, values) / np.bincount(number)
    levels, number = np.unique(values, return_inverse=True)
    if len(levels) > 20:
        raise ValueError(f"expected a column of at most 20 values, got {len(levels)}; bin it, or use a regression")
    return number, levels


def plugin_effect(
    estimand: Estimand, joint: Joint, treatment: str, outcome: str, levels: Float[np.ndarray, " y"]
) -> Float[np.ndarray, " a"]:
    """Return E[Y | do(T = t)] for each value t by a formula for P(Y | do(T)).

    What the formula depends on besides, and in which it is constant by the graph, is averaged over by its shares; a
    treatment that is never seen with some condition leaves it undefined there, and is left out of that average.

    Args:
        estimand: from `identify`.
        joint: of all variables, such as `empirical` gives.
        treatment: T.
        outcome: Y.
        levels: the values of the outcome.
    """
    chances = estimand.evaluate(joint)
    others = tuple(axis for axis in chances.axes if axis not in (treatment, outcome))
    values = np.broadcast_to(
        chances.along((treatment, outcome, *others)),
        [dict(zip(joint.axes, joint.values.shape, strict=True))[axis] for axis in (treatment, outcome, *others)],
    )
    total = values.sum(axis=1)
    share = joint.marginal(others).along(others) * (total > 0)
    means = np.divide(np.moveaxis(values, 1, -1) @ levels, total, out=np.zeros(total.shape), where=total > 0)
    axes = tuple(range(1, 1 + len(others)))
    return (means * share).sum(axis=axes) / share.sum(axis=axes)
