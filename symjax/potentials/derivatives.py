"""Forces and stress of any energy model, as a transformation of functions.

Both are linear maps of one gradient: with G = dE/d(positions, shifts, cell), F = -G on the atoms, and the virial
dE/d(strain) is the symmetric part of sum G (x) x over all three. No strain enters the energy: stress is all but free.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import jraph
from jaxtyping import Array, Float, PyTree

from symjax.graphs import graph_index

Energy = Callable[[PyTree, jraph.GraphsTuple], Float[Array, " g"]]


class Prediction(NamedTuple):
    """Energies in eV, forces in eV/Å and, where asked for, stresses in eV/Å³ (positive in tension)."""

    energy: Float[Array, " g"]
    forces: Float[Array, "n 3"]
    stress: Float[Array, "g 3 3"] | None = None


class Geometry(NamedTuple):
    """All that a deformation of space moves, in Å; or the gradient of an energy with respect to it, in eV/Å."""

    positions: Float[Array, "n 3"]
    shifts: Float[Array, "e 3"]
    cell: Float[Array, "g 3 3"]


def energy_and_forces(energy: Energy, *, stress: bool = False) -> Callable[[PyTree, jraph.GraphsTuple], Prediction]:
    """Return a function of (params, graph) that gives energies, forces and, if asked, stresses.

    F = -dE/dx, and sigma = (1/V) dE/d(strain), where a symmetric strain acts on positions, periodic shifts and lattice
    vectors alike. The stress of a graph whose cell has no volume is zero.

    The function is differentiable to any order, in both modes, with respect to every floating point input.

    Args:
        energy: gives the energies in eV of a graph with `AtomNodes`, `AtomEdges` and `AtomGlobals`.
        stress: whether to compute stresses as well.
    """

    def predict(params: PyTree, graph: jraph.GraphsTuple) -> Prediction:
        graph = jax.tree.map(jnp.asarray, graph)
        geometry = Geometry(graph.nodes.positions, graph.edges.shifts, graph.globals.cell)
        energies, pull_back = jax.vjp(lambda moved: energy(params, _place(graph, moved)), geometry)
        (gradient,) = pull_back(jnp.ones_like(energies))
        return Prediction(energies, -gradient.positions, _stress(graph, geometry, gradient) if stress else None)

    return predict


def _stress(graph: jraph.GraphsTuple, geometry: Geometry, gradient: Geometry) -> Float[Array, "g 3 3"]:
    """Return the symmetric part of sum dE/dx (x) x / V over the atoms, shifts and lattice vectors of each graph."""
    count, owner = len(graph.n_node), graph_index(graph)

    def moments(slopes: Array, points: Array) -> Array:
        return slopes[..., :, None] * points[..., None, :]

    virial = jax.ops.segment_sum(moments(gradient.positions, geometry.positions), owner, count)
    virial += jax.ops.segment_sum(moments(gradient.shifts, geometry.shifts), owner[graph.receivers], count)
    virial += moments(gradient.cell, geometry.cell).sum(axis=1)
    volume = volumes(geometry.cell)[:, None, None]
    symmetric = (virial + jnp.swapaxes(virial, -1, -2)) / 2
    return jnp.where(volume > 0, symmetric / jnp.where(volume > 0, volume, 1), 0)


def volumes(cell: Float[Array, "g 3 3"]) -> Float[Array, " g"]:
    """Return |a . (b x c)| of lattice vectors a, b, c as rows, in Å³."""
    a, b, c = jnp.moveaxis(cell, 1, 0)
    return jnp.abs(jnp.sum(a * jnp.cross(b, c), axis=-1))


def _place(graph: jraph.GraphsTuple, geometry: Geometry) -> jraph.GraphsTuple:
    return graph._replace(
        nodes=graph.nodes._replace(positions=geometry.positions),
        edges=graph.edges._replace(shifts=geometry.shifts),
        globals=graph.globals._replace(cell=geometry.cell),
    )
