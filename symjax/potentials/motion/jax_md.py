"""A potential in JAX-MD: its neighbour lists and simulations, our energies."""

import importlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import ase
import jax
import jax.numpy as jnp
import jraph
import numpy as np
from jaxtyping import Array, Float, Int

from symjax.graphs import AtomEdges, AtomGlobals, AtomNodes, ChargeAndSpin, atoms_graph
from symjax.potentials.potential import Potential

FAR = 1e3  # Å: where pairs are put that are none


def to_jax_md(
    potential: Potential,
    numbers: Sequence[int] | np.ndarray,
    displacement: Callable[..., Array],
    box: Any,
    *,
    dr_threshold: float = 0.5,
    charge: float = 0.0,
    spin: float = 1.0,
    **options: Any,
) -> tuple[Any, Callable[..., Float[Array, ""]]]:
    """Return `neighbor_fn` and `energy_fn(R, neighbor=..., **kwargs)` for the simulations of JAX-MD.

        displacement, shift = space.periodic_general(box, fractional_coordinates=False)
        neighbor_fn, energy_fn = to_jax_md(potential, atoms.numbers, displacement, box)
        neighbor = neighbor_fn.allocate(R)
        init, step = simulate.nve(energy_fn, shift, dt)

    Energies are totals in eV with the references, of positions in Å, or in fractions of the box where the displacement
    takes fractions. They are float32 unless `jax_enable_x64` is set: a total of 1e5 eV is one to 8 meV then, while
    forces keep their digits. Lists are OrderedSparse unless `format` says Sparse. All keywords of `energy_fn` (such as
    `box`) go to the displacement. Pairs beyond the cutoff add exactly nothing.

    Args:
        potential: of energies.
        numbers: the atomic numbers of the n atoms.
        displacement: of `jax_md.space`, the difference of two positions in Å; one that takes its shortest image.
        box: as JAX-MD takes it, with lattice vectors as columns.
        dr_threshold: how far lists reach beyond the cutoff, in Å.
        charge: of all atoms together, in e, for a potential that reads it.
        spin: their multiplicity 2S + 1.
        options: for `jax_md.partition.neighbor_list`, such as `fractional_coordinates` and `disable_cell_list`.

    Raises:
        ValueError: jax-md is not installed, an element is not known, the format is dense, or the box is so small that
            an atom has two images within the cutoff.
    """
    try:
        partition = importlib.import_module("jax_md.partition")
    except ImportError:
        raise ValueError("to_jax_md needs the package jax-md; pip install 'symjax[md]'") from None
    kind = options.pop("format", partition.NeighborListFormat.OrderedSparse)
    if not partition.is_sparse(kind):
        raise ValueError(f"expected lists of the format OrderedSparse or Sparse, got {kind.name}")
    cutoff = potential.model.cutoff
    _require_room(displacement, box, cutoff, fractional=options.get("fractional_coordinates", False))
    neighbor_fn = partition.neighbor_list(displacement, box, cutoff, dr_threshold, format=kind, **options)
    return neighbor_fn, _energy_of(potential, np.asarray(numbers, int), displacement, ChargeAndSpin(charge, spin))


def _energy_of(
    potential: Potential, numbers: np.ndarray, displacement: Callable[..., Array], state: ChargeAndSpin
) -> Callable[..., Array]:
    """Return the energy of positions and a sparse list whose padding is n."""
    graphs = {z: atoms_graph(ase.Atoms([z]), cutoff=1.0, species=potential.species) for z in set(numbers.tolist())}
    species = jnp.array([graphs[z].nodes.species[0] for z in numbers.tolist()] + [0])
    count, [reference] = len(numbers), potential.references.of([numbers])

    def energy_fn(R: Float[Array, "n 3"], neighbor: Any, **kwargs: Any) -> Float[Array, ""]:
        senders, receivers = _both_ways(neighbor)
        known = (senders < count) & (receivers < count)
        between = jax.vmap(partial(displacement, **kwargs))(R[senders], R[receivers])
        edges = jnp.where(known[:, None], between, jnp.array([[FAR, 0, 0]], between.dtype)).astype(potential.dtype)
        charge, spin = (jnp.array([value, 0], edges.dtype) for value in state)
        graph = jraph.GraphsTuple(
            nodes=AtomNodes(jnp.zeros((count + 1, 3), edges.dtype), species),
            edges=AtomEdges(edges),
            senders=jnp.where(known, senders, count),
            receivers=jnp.where(known, receivers, count),
            globals=AtomGlobals(jnp.zeros((2, 3, 3), edges.dtype), charge, spin),
            n_node=jnp.array([count, 1]),
            n_edge=jnp.stack([known.sum(), len(known) - known.sum()]),
        )
        return potential.energy(potential.params, graph)[0] + reference

    return energy_fn


def _both_ways(neighbor: Any) -> tuple[Int[Array, " e"], Int[Array, " e"]]:
    """Return senders and receivers of all directed pairs; ordered lists have each pair once."""
    first, second = neighbor.idx
    if neighbor.format.name == "Sparse":
        return first, second
    return jnp.concatenate([first, second]), jnp.concatenate([second, first])


def _require_room(displacement: Callable[..., Array], box: Any, cutoff: float, *, fractional: bool) -> None:
    """Refuse boxes in which an atom would see two images of another: displacements know the nearest one only."""
    lattice = np.asarray(box, float)
    lattice = lattice * np.eye(3) if lattice.ndim < 2 else lattice
    steps = np.eye(3) if fractional else lattice.T
    origin = np.zeros(3)
    repeats = [np.linalg.norm(displacement(origin, step)) < 1e-3 * np.linalg.norm(lattice) for step in steps]
    heights = 1 / np.linalg.norm(np.linalg.inv(lattice), axis=1)
    if any(repeats) and (narrow := heights[repeats].min()) < 2 * cutoff:
        raise ValueError(
            f"the box is {narrow:.3g} Å high along a lattice vector, and JAX-MD, which knows the nearest image of an "
            f"atom only, needs {2 * cutoff:g} Å, twice the cutoff; repeat the cell"
        )
