"""Neighbours listed with a skin, in a graph of few shapes that serves until an atom has moved half the skin."""

import math
from typing import NamedTuple

import ase
import jax
import jraph
import numpy as np
from jaxtyping import Float

from symjax.data import recentred
from symjax.graphs import Budget, atoms_graph, batch_graphs, bucket, charge_and_spin
from symjax.potentials.charges import warn_of_charges
from symjax.potentials.potential import Potential


class Listed(NamedTuple):
    """A structure as it was when its neighbours were listed.

    Attributes:
        atoms: a copy.
        positions: wrapped and centred, in Å.
        graph: all pairs within the cutoff and the skin, padded, on the device.
        budget: the shape of the graph.
        skin: in Å.
    """

    atoms: ase.Atoms
    positions: Float[np.ndarray, "n 3"]
    graph: jraph.GraphsTuple
    budget: Budget
    skin: float

    def serves(self, atoms: ase.Atoms) -> bool:
        """Return whether no pair of other atoms within the cutoff can be missing, whatever way they moved."""
        before = self.atoms
        same = np.array_equal(before.numbers, atoms.numbers) and np.array_equal(before.pbc, atoms.pbc)
        same = same and charge_and_spin(before) == charge_and_spin(atoms)
        if not (same and np.array_equal(before.cell.array, atoms.cell.array)):
            return False
        moved = np.linalg.norm(atoms.positions - before.positions, axis=1)
        return bool((moved <= self.skin / 2).all())  # false too where a position is NaN

    def at(self, atoms: ase.Atoms) -> jraph.GraphsTuple:
        """Return the graph with the atoms where they are now."""
        nodes = self.graph.nodes
        positions = np.zeros(nodes.positions.shape, nodes.positions.dtype)
        positions[: len(atoms)] = self.positions + (atoms.positions - self.atoms.positions)
        return self.graph._replace(nodes=nodes._replace(positions=positions))


def require_energies(potential: Potential) -> None:
    """Refuse to move atoms by anything but energies.

    Raises:
        ValueError: the potential has learnt another label.
    """
    if potential.label != "energy":
        raise ValueError(f"expected a potential of energies, got one of {potential.label}, which moves no atoms")


def require_skin(skin: float) -> None:
    """Refuse what is no skin.

    Raises:
        ValueError: it is negative or not finite.
    """
    if not 0 <= skin < math.inf:
        raise ValueError(f"expected a skin of zero or more Å, got {skin}")


def list_neighbours(potential: Potential, atoms: ase.Atoms, *, skin: float, least: int = 0) -> Listed:
    """List the neighbours of a structure, in a graph of the smallest shape of the series.

    Args:
        potential: says the cutoff, the elements and the precision.
        atoms: the structure.
        skin: in Å, added to the cutoff.
        least: the graph has at least so many edges, padding included.

    Raises:
        ValueError: `atoms_graph` refuses the structure.
    """
    centred = recentred(atoms)
    graph = atoms_graph(centred, cutoff=potential.model.cutoff + skin, species=potential.species)
    budget = Budget(bucket(len(atoms) + 1), max(bucket(len(graph.senders)), least), 2)
    padded = jax.device_put(batch_graphs([graph], budget, dtype=potential.dtype))
    warn_of_charges(potential.model, [atoms])
    return Listed(atoms.copy(), centred.positions, padded, budget, skin)
