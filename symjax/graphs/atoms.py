"""Atomic structures as graphs: sender j, receiver i, and a Cartesian shift for each periodic image."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp
import jraph
import numpy as np
from ase.data import chemical_symbols
from jaxtyping import Array, Float, Int

from symjax.graphs.batching import graph_index
from symjax.graphs.neighbours import neighbour_list
from symjax.reps import OnGraph, Points, Tree, Trivial, Vectors

if TYPE_CHECKING:
    import ase

TOUCHING = 1e-3  # Å: closer atoms are at one point


class AtomNodes(NamedTuple):
    """Positions in Å and the index of each atom's element in the model's species table."""

    positions: Float[Array | np.ndarray, "n 3"]
    species: Int[Array | np.ndarray, " n"]


class AtomEdges(NamedTuple):
    """Cartesian shifts in Å that carry the sender to its periodic image."""

    shifts: Float[Array | np.ndarray, "e 3"]

    def padding(self, count: int) -> "AtomEdges":
        """Return edges for padding: a kilo-ångström long, beyond any cutoff, so that no norm meets a zero vector."""
        return AtomEdges(np.tile(np.array([1e3, 0.0, 0.0], self.shifts.dtype), (count, 1)))


class AtomGlobals(NamedTuple):
    """Lattice vectors in Å as rows, zeros where nothing is periodic; total charge in e; spin multiplicity 2S + 1."""

    cell: Float[Array | np.ndarray, "g 3 3"]
    charge: Float[Array | np.ndarray, " g"]
    spin: Float[Array | np.ndarray, " g"]


class ChargeAndSpin(NamedTuple):
    """The total charge of a structure in e, and its spin multiplicity 2S + 1."""

    charge: float = 0.0
    spin: float = 1.0


ATOMS = OnGraph(
    nodes=Tree(AtomNodes._make((Points(), Trivial()))),
    edges=Tree(AtomEdges._make((Vectors(),))),
    globals=Tree(AtomGlobals._make((Vectors(), Trivial(), Trivial()))),
    name="atoms",
)


def edge_vectors(graph: jraph.GraphsTuple) -> Float[Array | np.ndarray, "e 3"]:
    """Return r_ij = x_j - x_i + shift_ij in Å, from the receiver i to the sender j."""
    positions = graph.nodes.positions
    return positions[graph.senders] - positions[graph.receivers] + graph.edges.shifts


def charge_and_spin(atoms: "ase.Atoms") -> ChargeAndSpin:
    """Return what `atoms.info` says under "charge" and "spin", else those of a neutral singlet.

    Raises:
        ValueError: they are no finite numbers, or the multiplicity is below 1.
    """
    given = {name: atoms.info[name] for name in ChargeAndSpin._fields if name in atoms.info}
    try:
        found = ChargeAndSpin(**{name: float(value) for name, value in given.items()})
    except (TypeError, ValueError):
        raise ValueError(f"expected numbers as charge and spin of a structure, got {given}; mend atoms.info") from None
    if not (math.isfinite(found.charge) and 1 <= found.spin < math.inf):
        raise ValueError(
            f"expected a finite charge (e) and a spin multiplicity 2S + 1 of at least 1, got {given}; mend atoms.info"
        )
    return found


def atoms_graph(atoms: "ase.Atoms", *, cutoff: float, species: tuple[int, ...]) -> jraph.GraphsTuple:
    """Return the graph of a structure: float64 on the host, edges between all pairs within the cutoff.

    Args:
        atoms: positions, atomic numbers, cell and periodic directions, and what `charge_and_spin` reads.
        cutoff: largest edge length in Å.
        species: atomic numbers that the model knows; a node stores the position of its element in this table.

    Raises:
        ValueError: there are no atoms, an element is not in the table, or `neighbour_list` or `charge_and_spin`
            refuses; or `require_apart` does.
    """
    if len(atoms) == 0:
        raise ValueError("expected a structure with at least one atom, got none")
    numbers, positions, cell, pbc = atoms.numbers, atoms.positions, np.asarray(atoms.cell.array), atoms.pbc
    known = numbers[:, None] == np.asarray(species)
    if not known.any(axis=1).all():
        unknown = sorted({*numbers[~known.any(axis=1)].tolist()})
        raise ValueError(
            f"{_symbols(unknown)} is not in the species table {_symbols(species)}; the model only knows the elements "
            "it was trained on"
        )
    senders, receivers, shifts = neighbour_list(positions, cell, pbc, cutoff)
    _require_apart(atoms, senders, receivers, positions[senders] + shifts - positions[receivers])
    charge, spin = charge_and_spin(atoms)
    return jraph.GraphsTuple(
        nodes=AtomNodes(np.array(positions), known.argmax(axis=1).astype(np.int32)),
        edges=AtomEdges(shifts),
        senders=senders,
        receivers=receivers,
        globals=AtomGlobals((cell if pbc.any() else np.zeros((3, 3)))[None], *map(np.array, ([charge], [spin]))),
        n_node=np.array([len(positions)], np.int32),
        n_edge=np.array([len(senders)], np.int32),
    )


def require_apart(atoms: "ase.Atoms") -> None:
    """Refuse atoms at one point, images included, between which there is no direction.

    Raises:
        ValueError: there are two, or `neighbour_list` refuses the geometry.
    """
    senders, receivers, shifts = neighbour_list(atoms.positions, np.asarray(atoms.cell.array), atoms.pbc, TOUCHING)
    _require_apart(atoms, senders, receivers, atoms.positions[senders] + shifts - atoms.positions[receivers])


def _require_apart(atoms: "ase.Atoms", senders: np.ndarray, receivers: np.ndarray, vectors: np.ndarray) -> None:
    touching = np.flatnonzero(np.sum(vectors**2, axis=1) < TOUCHING**2)
    if len(touching):
        i, j = receivers[touching[0]], senders[touching[0]]
        raise ValueError(f"atoms {i} and {j} of {atoms.symbols} are at one point; move or remove one of them")


def _symbols(numbers: Sequence[int]) -> str:
    return ", ".join(chemical_symbols[number] for number in numbers)


def strain_graph(graph: jraph.GraphsTuple, strain: Float[Array, "g 3 3"]) -> jraph.GraphsTuple:
    """Deform each graph homogeneously: x -> x + (s + s^T)/2 x on positions, shifts and lattice vectors alike."""
    symmetric = (strain + jnp.swapaxes(strain, -1, -2)) / 2

    def deform(x: Array, matrices: Array) -> Array:  # a sum of products, never a matrix product at reduced precision
        return x + jnp.sum(matrices * x[..., None, :], axis=-1)

    graph, owner = jax.tree.map(jnp.asarray, graph), graph_index(graph)
    return graph._replace(
        nodes=graph.nodes._replace(positions=deform(graph.nodes.positions, symmetric[owner])),
        edges=graph.edges._replace(shifts=deform(graph.edges.shifts, symmetric[owner[graph.receivers]])),
        globals=graph.globals._replace(cell=deform(graph.globals.cell, symmetric[:, None])),
    )
