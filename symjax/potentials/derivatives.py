"""Forces and stress of any energy model, as a transformation of functions.

Training on forces differentiates a gradient. The backward pass here is forward over reverse mode: let a loss have the
cotangents a of the energies and c of what is observed of the gradient G = dE/d(geometry), a linear map of G. Then

    dL = sum_g a_g dE_g + H d + (d observe / d geometry)^T c,   d = (d observe / d G)^T c,

where H d, with the Hessian H of the total energy, and the first term are one Jacobian-vector product of one gradient,
along the displacement d (Pearlmutter 1994, doi:10.1162/neco.1994.6.1.147).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jraph
from jaxtyping import Array, Float, PyTree

from symjax.graphs.batching import graph_index

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

    The function is differentiable in reverse mode, to any order, with respect to every floating point input. It has no
    forward mode: for a Hessian, differentiate `energy` itself.

    Args:
        energy: gives the energies in eV of a graph with `AtomNodes`, `AtomEdges` and `AtomGlobals`. It must not close
            over traced arrays; they belong in its parameters.
        stress: whether to compute stresses as well.
    """

    def observe(graph: jraph.GraphsTuple, geometry: Geometry, gradient: Geometry) -> tuple[Array, Array | None]:
        return -gradient.positions, _stress(graph, geometry, gradient) if stress else None

    def forward(params: PyTree, graph: jraph.GraphsTuple) -> tuple[Prediction, Any]:
        geometry = _geometry(graph)
        energies, pull_back = jax.vjp(lambda moved: energy(params, _place(graph, moved)), geometry)
        (gradient,) = pull_back(jnp.ones_like(energies))
        prediction = Prediction(energies, *observe(graph, geometry, gradient))
        return prediction, (params, graph, gradient, energies)

    def backward(residuals: Any, cotangents: Prediction) -> tuple[PyTree, jraph.GraphsTuple]:
        params, graph, gradient, energies = residuals
        floats, constants = _partition((params, graph))

        def sweep(geometry: Geometry, weights: Float[Array, " g"]) -> PyTree:
            moved = (floats[0], _place(floats[1], geometry))
            return jax.vjp(lambda inputs: energy(*_combine(inputs, constants)), moved)[1](weights)[0]

        geometry = _geometry(graph)
        _, pull_back = jax.vjp(lambda *terms: observe(graph, *terms), geometry, gradient)
        direct, displacement = pull_back((cotangents.forces, cotangents.stress))
        moments = (displacement, cotangents.energy)
        _, (of_params, of_graph) = jax.jvp(sweep, (geometry, jnp.ones_like(energies)), moments)
        return of_params, _place(of_graph, jax.tree.map(jnp.add, _geometry(of_graph), direct))

    predict = jax.custom_vjp(lambda params, graph: forward(params, graph)[0])
    predict.defvjp(forward, backward)
    return lambda params, graph: predict(*jax.tree.map(jnp.asarray, (params, graph)))


def _stress(graph: jraph.GraphsTuple, geometry: Geometry, gradient: Geometry) -> Float[Array, "g 3 3"]:
    """Return the symmetric part of sum dE/dx (x) x / V over the atoms, shifts and lattice vectors of each graph."""
    count, owner = len(graph.n_node), graph_index(graph)

    def moments(slopes: Array, points: Array) -> Array:
        return slopes[..., :, None] * points[..., None, :]

    virial = jax.ops.segment_sum(moments(gradient.positions, geometry.positions), owner, count)
    virial += jax.ops.segment_sum(moments(gradient.shifts, geometry.shifts), owner[graph.receivers], count)
    virial += moments(gradient.cell, geometry.cell).sum(axis=1)
    a, b, c = jnp.moveaxis(geometry.cell, 1, 0)
    volume = jnp.abs(jnp.sum(a * jnp.cross(b, c), axis=-1))[:, None, None]
    symmetric = (virial + jnp.swapaxes(virial, -1, -2)) / 2
    return jnp.where(volume > 0, symmetric / jnp.where(volume > 0, volume, 1), 0)


def _geometry(graph: jraph.GraphsTuple) -> Geometry:
    return Geometry(graph.nodes.positions, graph.edges.shifts, graph.globals.cell)


def _place(graph: jraph.GraphsTuple, geometry: Geometry) -> jraph.GraphsTuple:
    return graph._replace(
        nodes=graph.nodes._replace(positions=geometry.positions),
        edges=graph.edges._replace(shifts=geometry.shifts),
        globals=graph.globals._replace(cell=geometry.cell),
    )


def _partition(tree: PyTree) -> tuple[PyTree, PyTree]:
    """Split a tree into its floating point leaves and all others, with None for what is in the other part."""

    def part(floating: bool) -> PyTree:
        return jax.tree.map(lambda x: x if jnp.issubdtype(x.dtype, jnp.inexact) == floating else None, tree)

    return part(True), part(False)


def _combine(floats: PyTree, constants: PyTree) -> PyTree:
    return jax.tree.map(lambda x, y: y if x is None else x, floats, constants, is_leaf=lambda x: x is None)
