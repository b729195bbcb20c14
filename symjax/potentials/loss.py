"""The training objective of a model of atoms: sums of squared errors of every label that it predicts."""

from collections.abc import Callable, Mapping

import jax.numpy as jnp
from jaxtyping import Array, PyTree

from symjax.data import LABELS, Batch
from symjax.graphs import graph_mask, node_mask
from symjax.potentials.derivatives import Energy, energy_and_forces

Predict = Callable[[PyTree, PyTree], Mapping[str, Array]]
Sums = dict[str, tuple[Array, Array]]


def label_loss(predict: Predict) -> Callable[..., Sums]:
    """Return `loss(params, batch, key)`, which gives two pairs (sum, count) for each label of both sides.

    - NAME: squared errors of components, of an extensive label per atom: ((E - E') / n)^2 in eV²;
    - NAME_mae: absolute errors of components, in the unit of the label.

    Padding adds nothing. The key is not used.

    Args:
        predict: parameters and a graph -> labels by name, as `LABELS` has them.
    """

    def loss(params: PyTree, batch: Batch, key: Array) -> Sums:
        del key
        graph, predicted, sums = batch.graph, predict(params, batch.graph), {}
        real = {"graph": graph_mask(graph), "atom": node_mask(graph)}
        for name in [name for name in batch.labels if name in predicted]:
            label, truth = LABELS[name], batch.labels[name]
            mask = real[label.of]
            error = jnp.where(mask.reshape(-1, *(1,) * (truth.ndim - 1)), predicted[name] - truth, 0)
            count = truth[0].size * jnp.sum(mask.astype(error.dtype))
            weighed = error / jnp.maximum(graph.n_node, 1).astype(error.dtype) if label.extensive else error
            sums |= {name: (jnp.sum(weighed**2), count), f"{name}_mae": (jnp.sum(jnp.abs(error)), count)}
        return sums

    return loss


def potential_loss(energy: Energy, *, stress: bool = False) -> Callable[..., Sums]:
    """Return the `label_loss` of an energy, its forces and, if asked, its stress."""
    return label_loss(energy_labels(energy, stress=stress))


def energy_labels(energy: Energy, *, stress: bool = False) -> Predict:
    """Return `energy_and_forces` as labels by name."""
    predict = energy_and_forces(energy, stress=stress)
    return lambda params, graph: {
        name: value for name, value in predict(params, graph)._asdict().items() if value is not None
    }
