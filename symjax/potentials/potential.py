"""A trained potential: a model, its parameters and its references, applied to structures of any size."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from symjax.data.batches import make_batch, make_samples, sample_sizes
from symjax.data.structures import Structures
from symjax.graphs.batching import Budget, bucket, epoch_plan, mean_budget, split_nodes
from symjax.potentials.derivatives import Energy, Prediction, energy_and_forces
from symjax.potentials.references import References


def scaled_energy(model: Any, scale: float) -> Energy:
    """Return `energy(params, graph) -> [g]` in eV: a linen module's output times the scale of the references."""
    return lambda params, graph: scale * model.apply(params, graph)


@dataclasses.dataclass(frozen=True, eq=False)
class Potential:
    """Everything that predicts.

    Attributes:
        model: a linen module from graphs to energies [g]; `model.cutoff` in Å.
        params: what `model.apply` takes.
        species: atomic numbers of the model's species table.
        references: what the labels were freed from, and the scale of the outputs.
    """

    model: Any
    params: PyTree
    species: tuple[int, ...]
    references: References

    @property
    def energy(self) -> Energy:
        """The energy function `energy(params, graph)`, without the references."""
        return scaled_energy(self.model, self.references.scale)

    @functools.cached_property
    def _compiled(self) -> dict[bool, Callable]:
        return {stress: jax.jit(energy_and_forces(self.energy, stress=stress)) for stress in (False, True)}

    def predict(self, structures: Structures, *, stress: bool = False, batch_size: int = 32) -> Structures:
        """Return the same structures with predicted labels: total energies in eV, forces in eV/Å, stress in eV/Å³.

        Batches take their shape from a geometric series, so few shapes are ever compiled, and the precision of the
        parameters.

        Raises:
            ValueError: a structure holds an element the model does not know.
        """
        bare = dataclasses.replace(structures, energy=None, forces=None, stress=None)
        samples = make_samples(bare, cutoff=self.model.cutoff, species=self.species)
        sizes = sample_sizes(samples)
        budget = Budget(*map(bucket, mean_budget(*sizes, batch_size)))
        dtype = np.result_type(*(leaf.dtype for leaf in jax.tree.leaves(self.params)))
        energy, forces, stresses = np.zeros(len(samples)), [np.zeros(0)] * len(samples), np.zeros((len(samples), 3, 3))
        for [chosen] in epoch_plan(*sizes, budget, shuffle=False):
            batch = make_batch(samples, [chosen], budget, dtype=dtype)
            graph = jax.tree.map(lambda leaf: leaf[0], batch.graph)
            found: Prediction = jax.tree.map(np.asarray, self._compiled[stress](self.params, graph))
            energy[chosen] = found.energy[: len(chosen)]
            for i, part in zip(chosen, split_nodes(found.forces, graph.n_node[: len(chosen)]), strict=True):
                forces[i] = part.astype(float)
            if found.stress is not None:
                stresses[chosen] = found.stress[: len(chosen)]
        return dataclasses.replace(
            bare,
            energy=self.references.restore(bare.numbers, energy),
            forces=tuple(forces),
            stress=stresses if stress else None,
        )
