"""Structures to padded batches: a graph and, beside it, its labels."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

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
    """A graph and beside it its labels: what a model should predict, by name, [g, ...] or [n, ...]; zero on padding."""

    graph: jraph.GraphsTuple
    labels: dict[str, Float[Array | np.ndarray, "..."]]


def make_samples(structures: Structures, *, cutoff: float, species: tuple[int, ...]) -> list[Batch]:
    """Return each structure as a batch of one graph without padding, in float64 on the host, wrapped and centred.

    Args:
        structures: labels in eV, eV/Å and eV/Å³, which may have references removed.
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
        labels = {
            name: values[i : i + 1] if LABELS[name].of == "graph" else values[i]
            for name, values in structures.labels.items()
        }
        samples.append(Batch(graph, labels))
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
    def pad(name: str, like: Any) -> np.ndarray:
        rows = np.concatenate([like[:0], *(sample.labels[name] for sample in samples)])
        padded = np.zeros((budget.graphs if LABELS[name].of == "graph" else budget.nodes, *like.shape[1:]), dtype)
        padded[: len(rows)] = rows
        return padded

    graph = batch_graphs([sample.graph for sample in samples], budget, dtype=dtype, like=like.graph)
    return Batch(graph, {name: pad(name, values) for name, values in like.labels.items()})


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
