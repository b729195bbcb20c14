"""Labelled structures in eV and Å: what is known of them, choosing, splitting, and facts about a data set."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import ase
import numpy as np
from jaxtyping import Bool, Float, Int

from symjax.data.structures.labels import LABELS


@dataclasses.dataclass(frozen=True, eq=False)
class Structures:
    """Structures without calculators and their labels, by the names of `LABELS`, in float64.

    Attributes:
        atoms: g structures, in Å; `info` keeps config_type, charge (e) and spin (the multiplicity).
        labels: of graphs one array [g, ...], of atoms one array [n, ...] a structure, in eV, Å and e: energies in eV,
            forces in eV/Å, stress in eV/Å³ (positive in tension), dipoles in e·Å. What is not known is NaN.
        isolated: energies in eV of isolated atoms by atomic number, where the source has them.
        weights: how much each structure counts in a loss beside the others; None where all count alike.
    """

    atoms: tuple[ase.Atoms, ...]
    labels: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    isolated: dict[int, float] = dataclasses.field(default_factory=dict)
    weights: Float[np.ndarray, " g"] | None = None

    @property
    def energy(self) -> Float[np.ndarray, " g"] | None:
        """The label "energy", or None."""
        return self.labels.get("energy")

    @property
    def forces(self) -> tuple[np.ndarray, ...] | None:
        """The label "forces", or None."""
        return self.labels.get("forces")

    @property
    def stress(self) -> Float[np.ndarray, "g 3 3"] | None:
        """The label "stress", or None."""
        return self.labels.get("stress")

    def __len__(self) -> int:
        return len(self.atoms)

    def __getitem__(
        self, index: slice | Sequence[int] | Int[np.ndarray, " _"] | Bool[np.ndarray, " g"]
    ) -> "Structures":
        """Return the chosen structures, in the order asked for."""
        chosen = np.arange(len(self))[index]
        labels = {
            name: values[chosen] if LABELS[name].of == "graph" else tuple(values[i] for i in chosen)
            for name, values in self.labels.items()
        }
        weights = None if self.weights is None else self.weights[chosen]
        return dataclasses.replace(self, atoms=tuple(self.atoms[i] for i in chosen), labels=labels, weights=weights)

    def rows(self, name: str) -> Float[np.ndarray, "r ..."]:
        """Return a label as one array, a row a structure or a row an atom of all in turn; NaN where there is none."""
        label = LABELS[name]
        if name not in self.labels:
            count = len(self) if label.of == "graph" else sum(map(len, self.atoms))
            return np.full((count, *label.shape), np.nan)
        values = self.labels[name]
        return values if label.of == "graph" else np.concatenate([np.zeros((0, *label.shape)), *values])

    def known(self, name: str) -> Bool[np.ndarray, " r"]:
        """Return which `rows` of a label are known."""
        rows = self.rows(name)
        return np.asarray(~np.isnan(rows).any(axis=tuple(range(1, rows.ndim))))

    def known_rows(self, name: str) -> Float[np.ndarray, "r ..."]:
        """Return the `rows` of a label that are known."""
        return self.rows(name)[self.known(name)]

    @property
    def numbers(self) -> list[np.ndarray]:
        """The atomic numbers of each structure."""
        return [atoms.numbers for atoms in self.atoms]

    @property
    def kinds(self) -> list[str]:
        """The config_type of each structure, empty where it has none."""
        return [str(atoms.info.get("config_type", "")) for atoms in self.atoms]

    @property
    def species(self) -> tuple[int, ...]:
        """All atomic numbers that occur, ascending."""
        return tuple(sorted({int(z) for numbers in self.numbers for z in numbers}))

    def split(
        self, train: int, valid: int, test: int | None = None, *, seed: int = 0
    ) -> tuple["Structures", "Structures", "Structures"]:
        """Return disjoint random parts of the given sizes; the test part is all that is left where it has none.

        Raises:
            ValueError: a size is negative or the parts need more structures than there are.
        """
        test = len(self) - train - valid if test is None else test
        if min(train, valid, test) < 0 or train + valid + test > len(self):
            raise ValueError(
                f"cannot split {len(self)} structures into {train} for training, {valid} for validation and {test} for "
                "testing; ask for fewer"
            )
        order = np.random.default_rng(seed).permutation(len(self))
        first, second, third, _ = np.split(order, np.cumsum([train, valid, test]))
        return self[first], self[second], self[third]


class Statistics(NamedTuple):
    """What a model and a reader want to know of a data set; None where no label is known."""

    structures: int
    atoms: int
    species: tuple[int, ...]
    mean_energy_per_atom: float | None
    force_rms: float | None
    mean_neighbours: float


def statistics(structures: Structures, n_edge: Sequence[int] | np.ndarray) -> Statistics:
    """Summarise a data set whose graphs have `n_edge` edges each: energies in eV, forces in eV/Å."""
    sizes = np.array([len(atoms) for atoms in structures.atoms])
    energies, forces = structures[structures.known("energy")], structures.known_rows("forces")
    means = energies.rows("energy") / [len(atoms) for atoms in energies.atoms]
    return Statistics(
        structures=len(structures),
        atoms=int(sizes.sum()),
        species=structures.species,
        mean_energy_per_atom=float(np.mean(means)) if len(means) else None,
        force_rms=float(np.sqrt(np.mean(forces**2))) if len(forces) else None,
        mean_neighbours=float(np.sum(n_edge) / sizes.sum()),
    )
