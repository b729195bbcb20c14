"""Structures to padded batches: a graph and, beside it, its labels."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import ase
import jax
import jraph
import numpy as np
from jax.typing import DTypeLike
from jaxtyping import Array, Float, Int

from symjax.data.structures.labels import LABELS
from symjax.data.structures.structures import Structures
from symjax.graphs import Budget, atoms_graph, batch_graphs, epoch_plan


class Batch(NamedTuple):
    """A graph and beside it its labels.

    Attributes:
        graph: of one structure or many.
        labels: what a model should predict, by name, [g, ...] or [n, ...]; zero where it is not known, as on padding.
        weights: how much each row of a label counts, [g] or [n]; zero where it is not known.
    """

    graph: jraph.GraphsTuple
    labels: Mapping[str, Float[Array | np.ndarray, "..."]]
    weights: Mapping[str, Float[Array | np.ndarray, " _"]]


def make_samples(structures: Structures, *, cutoff: float, species: tuple[int, ...]) -> list[Batch]:
    """Return each structure as a batch of one graph without padding, in float64 on the host, wrapped and centred.

    Args:
        structures: labels in eV, eV/Å and eV/Å³, which may have references removed; NaN where not known.
        cutoff: largest edge length in Å.
        species: the model's table of atomic numbers.

    Raises:
        ValueError: a structure, named by its index, holds an element that is not in the table, or `neighbour_list`
            refuses its geometry.
    """
    samples = []
    for i, atoms in enumerate(structures.atoms):
        try:
            graph = atoms_graph(recentred(atoms), cutoff=cutoff, species=species)
        except ValueError as error:
            raise ValueError(f"structure {i} ({atoms.symbols}): {error}") from None
        own = structures[i : i + 1]
        rows = {name: own.rows(name) for name in own.labels}
        weight = 1.0 if own.weights is None else own.weights[0]
        weights = {name: np.where(own.known(name), weight, 0.0) for name in rows}
        samples.append(
            Batch(graph, {name: np.where(np.isnan(values), 0.0, values) for name, values in rows.items()}, weights)
        )
    return samples


def recentred(atoms: ase.Atoms) -> ase.Atoms:
    """Return the structure wrapped into its cell and centred: far from the origin, float32 would blur its edges."""
    moved = atoms.copy()
    if moved.pbc.any() and moved.cell.rank == 3:
        moved.wrap()
    if len(moved) and np.isfinite(moved.positions).all():  # others are refused, by name, where neighbours are listed
        moved.positions -= moved.positions.mean(axis=0)
    return moved


def sample_sizes(samples: Sequence[Batch]) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of nodes and of edges of all samples, which is what a budget and a plan are made from."""
    n_node, n_edge = ([int(getattr(s.graph, field)[0]) for s in samples] for field in ("n_node", "n_edge"))
    return np.array(n_node), np.array(n_edge)


def make_batch(
    samples: Sequence[Batch], shards: Sequence[Sequence[int] | np.ndarray], budget: Budget, *, dtype: DTypeLike
) -> Batch:
    """Return the batch of one step of an `epoch_plan`: every leaf has a leading axis of shards.

    Args:
        samples: all samples of the data set.
        shards: the indices of the samples of each shard; a shard may be empty.
        budget: the static shape of a shard.
        dtype: the floating point type of the result.
    """
    parts = [_make_shard([samples[i] for i in shard], samples[0], budget, dtype) for shard in shards]
    return jax.tree.map(lambda *leaves: np.stack(leaves), *parts)


def _make_shard(samples: list[Batch], like: Batch, budget: Budget, dtype: DTypeLike) -> Batch:
    def pad(name: str, rows: Sequence[np.ndarray]) -> np.ndarray:
        padded = np.zeros((budget.graphs if LABELS[name].of == "graph" else budget.nodes, *rows[0].shape[1:]), dtype)
        real = np.concatenate(rows)
        padded[: len(real)] = real
        return padded

    def join(field: str) -> dict[str, np.ndarray]:
        empty = {name: rows[:0] for name, rows in getattr(like, field).items()}
        return {name: pad(name, [none, *(getattr(s, field)[name] for s in samples)]) for name, none in empty.items()}

    graph = batch_graphs([sample.graph for sample in samples], budget, dtype=dtype, like=like.graph)
    return Batch(graph, join("labels"), join("weights"))


@dataclasses.dataclass(frozen=True, eq=False)
class Graphs:
    """Samples as plans and padded batches of one static shape, the `Batches` of a training.

    Attributes:
        samples: as `make_samples` makes them.
        budget: the static shape of a shard.
        seed: decides the order, another one in each epoch; None keeps the order of the samples.
        dtype: the floating point type of batches.
    """

    samples: Sequence[Batch]
    budget: Budget
    seed: int | None = None
    dtype: DTypeLike = np.float32

    def plan(self, epoch: int, *, shards: int = 1) -> list[list[Int[np.ndarray, " _"]]]:
        """Return the steps of an epoch, each of so many micro-batches."""
        seed = 0 if self.seed is None else self.seed
        order = {"seed": seed, "epoch": epoch, "shuffle": self.seed is not None}
        return epoch_plan(*self._sizes, self.budget, shards=shards, **order)

    def load(self, shards: Sequence[Sequence[int] | np.ndarray]) -> Batch:
        """Return the batch of some shards of a step."""
        return make_batch(self.samples, shards, self.budget, dtype=self.dtype)

    @property
    def waste(self) -> float:
        """The share of the edges of an epoch that are padding."""
        return 1 - float(np.sum(self._sizes[1])) / (len(self.plan(0)) * self.budget.edges)

    @functools.cached_property
    def _sizes(self) -> tuple[np.ndarray, np.ndarray]:
        return sample_sizes(self.samples)
