"""Structures to padded batches: a graph and, beside it, its labels."""

from collections.abc import Sequence
from typing import NamedTuple

import ase
import jax
import jraph
import numpy as np
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from symjax.data.structures import Structures
from symjax.graphs.atoms import atoms_graph
from symjax.graphs.batching import Budget, batch_graphs


class Labels(NamedTuple):
    """What a model should predict for a graph, zero on padding; None where it is not known."""

    energy: Float[Array | np.ndarray, "*s g"] | None = None
    forces: Float[Array | np.ndarray, "*s n 3"] | None = None
    stress: Float[Array | np.ndarray, "*s g 3 3"] | None = None


class Batch(NamedTuple):
    """A graph and its labels."""

    graph: jraph.GraphsTuple
    labels: Labels


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
            graph = atoms_graph(_recentred(atoms), cutoff=cutoff, species=species)
        except ValueError as error:
            raise ValueError(f"structure {i} ({atoms.symbols}): {error}") from None
        labels = Labels(
            energy=None if structures.energy is None else structures.energy[i : i + 1],
            forces=None if structures.forces is None else structures.forces[i],
            stress=None if structures.stress is None else structures.stress[i : i + 1],
        )
        samples.append(Batch(graph, labels))
    return samples


def _recentred(atoms: ase.Atoms) -> ase.Atoms:
    """Return the structure wrapped into its cell and centred: far from the origin, float32 would blur its edges."""
    moved = atoms.copy()
    if moved.pbc.any() and moved.cell.rank == 3:
        moved.wrap()
    moved.positions -= moved.positions.sum(axis=0) / max(len(moved), 1)
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
    def pad(field: str, size: int) -> np.ndarray | None:
        template = getattr(like.labels, field)
        if template is None:
            return None
        rows = [template[:0], *(getattr(sample.labels, field) for sample in samples)]
        padded = np.zeros((size, *template.shape[1:]), dtype)
        padded[: sum(map(len, rows))] = np.concatenate(rows)
        return padded

    graph = batch_graphs([sample.graph for sample in samples], budget, dtype=dtype, like=like.graph)
    sizes = {"energy": budget.graphs, "forces": budget.nodes, "stress": budget.graphs}
    return Batch(graph, Labels(**{field: pad(field, size) for field, size in sizes.items()}))
