"""The training objective of a potential: sums of squared errors of energies per atom, forces and stresses."""

from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array, PyTree

from symjax.data.batches import Batch
from symjax.graphs.batching import graph_mask, node_mask
from symjax.potentials.derivatives import Energy, energy_and_forces


def potential_loss(energy: Energy, *, stress: bool = False) -> Callable[..., dict[str, tuple[Array, Array]]]:
    """Return `loss(params, batch, key)`, which gives a (sum, count) for each label that the batch has.

    - "energy": squared errors per atom, ((E - E') / n)^2 in eV²; "energy_mae": absolute errors in eV.
    - "forces": squared errors of components in (eV/Å)²; "forces_mae": absolute errors in eV/Å.
    - "stress": squared errors of components in (eV/Å³)², with `stress`.

    Padding adds nothing. The key is not used.
    """
    predict = energy_and_forces(energy, stress=stress)

    def loss(params: PyTree, batch: Batch, key: Array) -> dict[str, tuple[Array, Array]]:
        del key
        graph, labels = batch
        prediction, graphs, nodes = predict(params, graph), graph_mask(graph), node_mask(graph)
        sums = {}
        if labels.energy is not None:
            error = jnp.where(graphs, prediction.energy - labels.energy, 0)
            atoms = jnp.maximum(graph.n_node, 1).astype(error.dtype)
            sums["energy"] = jnp.sum((error / atoms) ** 2), jnp.sum(graphs.astype(error.dtype))
            sums["energy_mae"] = jnp.sum(jnp.abs(error)), sums["energy"][1]
        if labels.forces is not None:
            error = jnp.where(nodes[:, None], prediction.forces - labels.forces, 0)
            sums["forces"] = jnp.sum(error**2), 3 * jnp.sum(nodes.astype(error.dtype))
            sums["forces_mae"] = jnp.sum(jnp.abs(error)), sums["forces"][1]
        if prediction.stress is not None and labels.stress is not None:
            error = jnp.where(graphs[:, None, None], prediction.stress - labels.stress, 0)
            sums["stress"] = jnp.sum(error**2), 9 * jnp.sum(graphs.astype(error.dtype))
        return sums

    return loss
