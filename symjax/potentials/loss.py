"""The training objective of a model of atoms: sums of squared errors of every label that it predicts."""

from collections.abc import Callable, Mapping

import jax.numpy as jnp
from jaxtyping import Array, PyTree

from symjax.data import LABELS, Batch
from symjax.potentials.derivatives import Energy, energy_and_forces, volumes
from symjax.potentials.spreads import per_atom

Predict = Callable[[PyTree, PyTree], Mapping[str, Array]]
Sums = dict[str, tuple[Array, Array]]


def label_loss(predict: Predict) -> Callable[..., Sums]:
    """Return `loss(params, batch, key)`, which gives two pairs (sum, count) for each label of both sides.

    - NAME: weight times squared errors of components, and the sum of the weights; errors as `per_atom` gives them, of
      energies ((E - E') / n)^2 and of stresses ((sigma - sigma') V / n)^2, both in eV²;
    - NAME_mae: absolute errors of components, in the unit of the label, and how many there are.

    What is not known adds nothing, and padding neither. The key is not used; see `drawn_loss`.

    Args:
        predict: parameters and a graph -> labels by name, as `LABELS` has them.
    """

    def loss(params: PyTree, batch: Batch, key: Array) -> Sums:
        del key
        graph, predicted, sums = batch.graph, predict(params, batch.graph), {}
        sizes = jnp.maximum(graph.n_node, 1).astype(graph.nodes.positions.dtype)
        for name in [name for name in batch.labels if name in predicted]:
            truth = batch.labels[name]
            weights = batch.weights[name].reshape(-1, *(1,) * (truth.ndim - 1))
            error, size = jnp.where(weights > 0, predicted[name] - truth, 0), truth[0].size
            weighed = per_atom(LABELS[name], error, sizes, volumes(graph.globals.cell))
            count = jnp.sum((weights > 0).astype(error.dtype))
            sums[name] = jnp.sum(weights * weighed**2), size * jnp.sum(weights)
            sums[f"{name}_mae"] = jnp.sum(jnp.abs(error)), size * count
        return sums

    return loss


def drawn_loss(predict: Callable[[Array], Predict]) -> Callable[..., Sums]:
    """Return the `label_loss` of what is predicted with the key of each shard, as by models that drop in training."""
    return lambda params, batch, key: label_loss(predict(key))(params, batch, key)


def potential_loss(energy: Energy, *, stress: bool = False) -> Callable[..., Sums]:
    """Return the `label_loss` of an energy, its forces and, if asked, its stress."""
    return label_loss(energy_labels(energy, stress=stress))


def energy_labels(energy: Energy, *, stress: bool = False) -> Predict:
    """Return `energy_and_forces` as labels by name."""
    predict = energy_and_forces(energy, stress=stress)
    return lambda params, graph: {
        name: value for name, value in predict(params, graph)._asdict().items() if value is not None
    }
