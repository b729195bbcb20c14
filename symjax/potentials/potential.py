"""A trained model of atoms: a module, its parameters and its references, applied to structures of any size."""

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import jraph
import numpy as np
from jaxtyping import Array, Int, Key, PyTree

from symjax.data import LABELS, Structures, make_batch, make_samples, sample_sizes
from symjax.graphs import Budget, bucket, epoch_plan, mean_budget, split_nodes
from symjax.potentials.charges import warn_of_charges
from symjax.potentials.committee import committee_labels, mean_of_members, require_members
from symjax.potentials.derivatives import Energy
from symjax.potentials.heads import HEADS
from symjax.potentials.loss import Predict, energy_labels
from symjax.potentials.outputs import Outputs, atom_outputs
from symjax.potentials.references import References
from symjax.potentials.repulsion import Repulsion


def scaled_energy(model: Any, scale: float) -> Energy:
    """Return `energy(params, graph) -> [g]` in eV: the sum over the atoms of a module, times a scale."""
    return _read("energy", atom_outputs(model, References({}, scale=scale), ()))


def scaled_labels(
    model: Any,
    label: str,
    references: References,
    species: tuple[int, ...],
    *,
    stress: bool = False,
    key: Key[Array, ""] | None = None,
) -> Predict:
    """Return `predict(params, graph) -> labels by name`: what the head of a label reads off `atom_outputs`.

    An energy comes with its forces and, if asked, its stress. With a key the model drops what it drops in training.
    """
    read = _read(label, atom_outputs(model, references, species, key))
    if label == "energy":
        return energy_labels(read, stress=stress)
    return lambda params, graph: {label: read(params, graph)}


def _read(label: str, outputs: Outputs) -> Callable[[PyTree, Any], Any]:
    return lambda params, graph: HEADS[label].read(graph, outputs(params, graph))


@dataclasses.dataclass(frozen=True, eq=False)
class Potential:
    """Everything that predicts.

    Deviations of a committee are NAME_deviation for each label: sqrt(sum over components of the sample variance).

    Attributes:
        model: a linen module of the table of potentials; `model.cutoff` in Å.
        params: what `model.apply` takes.
        species: atomic numbers of the model's species table.
        references: what the labels were freed from, and the scale of the outputs.
        label: what its head makes; an energy also has forces and stress.
        members: of a committee, along the leading axis of the parameters; labels are then means over the members, with
            deviations beside them. None: one set of parameters.
        calibration: what deviations are multiplied by, by the name of the label.
    """

    model: Any
    params: PyTree
    species: tuple[int, ...]
    references: References
    label: str = "energy"
    members: int | None = None
    calibration: Mapping[str, float] = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        require_members(self.members)

    @property
    def energy(self) -> Energy:
        """The energy function `energy(params, graph)`, without the references."""
        return self._mean(_read("energy", self._outputs))

    def labels(self, *, stress: bool = False) -> Predict:
        """Return the function `(params, graph) -> labels by name`, energies without the references."""
        predict = scaled_labels(self.model, self.label, self.references, self.species, stress=stress)
        return predict if self.members is None else committee_labels(predict, self.calibration)

    def atom_energies(self, params: PyTree, graph: Any) -> dict[str, Array]:
        """Return {"energies": [n]}, what each atom adds to the energy, without the references."""
        return {"energies": self._mean(lambda *given: self._outputs(*given).array[:, 0])(params, graph)}

    def _mean(self, function: Callable) -> Callable:
        return function if self.members is None else mean_of_members(function)

    @property
    def _outputs(self) -> Outputs:
        return atom_outputs(self.model, self.references, self.species)

    @property
    def dtype(self) -> np.dtype:
        """The precision of the parameters, and so of everything predicted."""
        return np.result_type(*(leaf.dtype for leaf in jax.tree.leaves(self.params)))

    def in_double(self) -> "Potential":
        """Return the same potential with parameters in float64, which only holds under `jax.enable_x64`."""
        return dataclasses.replace(self, params=jax.tree.map(lambda leaf: np.asarray(leaf, float), self.params))

    @functools.cached_property
    def programs(self) -> Mapping[str, Predict]:
        """Compiled functions of (params, graph): labels, without or with "stress", and energies of "atoms"."""
        functions = {"labels": self.labels(), "stress": self.labels(stress=True), "atoms": self.atom_energies}
        return {name: jax.jit(function) for name, function in functions.items()}

    def batches(
        self, structures: Structures, size: int = 32
    ) -> Iterator[tuple[Int[np.ndarray, " _"], jraph.GraphsTuple]]:
        """Yield the indices of so many structures, on average, and their padded graph, in the precision of parameters.

        Raises:
            ValueError: a structure holds an element the model does not know.
        """
        bare = dataclasses.replace(structures, labels={})
        samples = make_samples(bare, cutoff=self.model.cutoff, species=self.species)
        sizes = sample_sizes(samples)
        budget = Budget(*map(bucket, mean_budget(*sizes, size)))
        for [chosen] in epoch_plan(*sizes, budget, shuffle=False):
            batch = make_batch(samples, [chosen], budget, dtype=self.dtype)
            yield chosen, jax.tree.map(lambda leaf: leaf[0], batch.graph)

    def predict(self, structures: Structures, *, stress: bool = False, batch_size: int = 32) -> Structures:
        """Return the same structures with predicted labels: total energies in eV, forces in eV/Å, stress in eV/Å³.

        Batches take their shape from a geometric series, so few shapes are ever compiled, and the precision of the
        parameters.

        Raises:
            ValueError: a structure holds an element the model does not know.
        """
        warn_of_charges(self.model, structures.atoms)
        bare = dataclasses.replace(structures, labels={})
        program = self.programs["stress" if stress else "labels"]
        values: dict[str, list[np.ndarray]] = {}
        for chosen, graph in self.batches(bare, batch_size):
            for name, value in jax.device_get(program(self.params, graph)).items():
                per_graph = LABELS[name].of == "graph"
                parts = value[: len(chosen)] if per_graph else split_nodes(value, graph.n_node[: len(chosen)])
                slots = values.setdefault(name, [np.zeros(0)] * len(bare))
                for i, part in zip(chosen, parts, strict=True):
                    slots[i] = np.asarray(part, float)
        labels: dict[str, Any] = {
            name: np.array(slots) if LABELS[name].of == "graph" else tuple(slots) for name, slots in values.items()
        }
        if "energy" in labels:
            labels["energy"] = self.references.restore(bare.numbers, labels["energy"])
        return dataclasses.replace(bare, labels=labels)


def without_repulsion(structures: Structures, repulsion: str, *, cutoff: float) -> Structures:
    """Return the structures with labels from which a repulsion is taken off, which is what a network learns of them."""
    if repulsion == "none":
        return structures
    species, unit = structures.species, {"unit": np.ones(())}  # a precision, as parameters have
    nuclei = Potential(Repulsion(species, cutoff), unit, species, References(dict.fromkeys(species, 0.0)))
    theirs = nuclei.predict(structures, stress="stress" in structures.labels).labels

    def left(name: str, values: Any) -> Any:
        if name not in theirs:
            return values
        pairs = zip(values, theirs[name], strict=True)
        return values - theirs[name] if LABELS[name].of == "graph" else tuple(own - other for own, other in pairs)

    return dataclasses.replace(
        structures, labels={name: left(name, values) for name, values in structures.labels.items()}
    )
