"""What a graph gets from the outputs of its atoms: functions without parameters."""

import math
from collections.abc import Callable
from typing import NamedTuple

import e3nn_jax as e3nn
import jax.numpy as jnp
import jraph
import numpy as np
from jaxtyping import Array, Float

from symjax.graphs import graph_index
from symjax.math import safe_norm, segment_mean, segment_sum


def energy(graph: jraph.GraphsTuple, atoms: e3nn.IrrepsArray) -> Float[Array, " g"]:
    """Return the sum over the atoms of each graph of one scalar, "1x0e".

    Raises:
        ValueError: If the outputs of the atoms are other irreps.
    """
    _require(atoms, atoms.irreps == "1x0e", "1x0e, an energy or another extensive scalar")
    values, owner, count = atoms.array[:, 0], graph_index(graph), graph.n_node.shape[0]
    width = math.isqrt(len(values)) + 1  # sums of sums; in one row float32 loses 0.1 meV an atom of 4096
    parts = owner * width + jnp.arange(len(values), dtype=owner.dtype) // width
    return segment_sum(values, parts, count * width, indices_are_sorted=True).reshape(count, width).sum(axis=1)


def average(graph: jraph.GraphsTuple, atoms: e3nn.IrrepsArray) -> Float[Array, "g c"]:
    """Return the mean over the atoms of each graph of even scalars, "cx0e", as for intensive properties.

    Raises:
        ValueError: If the outputs of the atoms are other irreps.
    """
    _require(atoms, atoms.irreps.is_scalar(), "even scalars such as 4x0e")
    return segment_mean(atoms.array, graph_index(graph), graph.n_node.shape[0], indices_are_sorted=True)


def dipole(graph: jraph.GraphsTuple, atoms: e3nn.IrrepsArray) -> Float[Array, "g 3"]:
    """Return sum_i (q_i - q) x_i + mu_i of each graph, in the unit of charge times Å.

    The charges q_i and dipoles mu_i of the atoms are "1x0e + 1x1o", or "1x0e" for charges alone. Their mean q is taken
    off, so that every graph is neutral and its dipole does not depend on the origin; positions are measured from their
    mean, so that nothing is lost far away from it. Where structures repeat periodically a dipole has no meaning.

    Raises:
        ValueError: If the outputs of the atoms are other irreps.

    Source: Schütt et al. 2021, arXiv:2102.03150.
    """
    _require(atoms, str(atoms.irreps) in ("1x0e", "1x0e+1x1o"), "1x0e+1x1o or 1x0e, charges with or without dipoles")
    moments = _centred(graph, atoms.array[:, :1]) * _centred(graph, jnp.asarray(graph.nodes.positions))
    if len(atoms.irreps) == 2:
        moments += atoms.array[:, 1:]
    return _summed(graph, moments)


def dipole_magnitude(graph: jraph.GraphsTuple, atoms: e3nn.IrrepsArray) -> Float[Array, " g"]:
    """Return the length of the `dipole` of each graph, whose gradient is zero where the dipole is.

    Raises:
        ValueError: If the outputs of the atoms are other irreps.
    """
    return safe_norm(dipole(graph, atoms))


def polarisability(graph: jraph.GraphsTuple, atoms: e3nn.IrrepsArray) -> Float[Array, "g 3 3"]:
    """Return sum_i a_i 1 + T_i of each graph, a symmetric matrix, in units of volume.

    The atoms have "1x0e + 1x2e", a_i and the five numbers of T_i in an orthonormal basis of symmetric matrices without
    a trace. A third of the trace of the whole is the isotropic polarisability, which `energy` makes of "1x0e" alone.

    Raises:
        ValueError: If the outputs of the atoms are other irreps.
    """
    _require(atoms, str(atoms.irreps) == "1x0e+1x2e", "1x0e+1x2e, a trace and a symmetric matrix without one")
    dtype, basis = atoms.array.dtype, e3nn.clebsch_gordan(1, 1, 2)
    traceless = (basis / np.sqrt(np.sum(basis**2, axis=(0, 1)))).astype(dtype)
    total = _summed(graph, atoms.array)
    turned = jnp.einsum("ijk,gk->gij", traceless, total[:, 1:], precision="highest")
    return total[:, :1, None] * np.eye(3, dtype=dtype)[None] + turned


def extent(graph: jraph.GraphsTuple, atoms: e3nn.IrrepsArray) -> Float[Array, " g"]:
    """Return sum_i a_i |x_i - x|^2 + b_i of each graph in Å², its electronic spatial extent <r^2>.

    The atoms have "2x0e", electrons a_i around each of them and their own extent b_i; x is the mean of the positions.

    Raises:
        ValueError: If the outputs of the atoms are other irreps.
    """
    _require(atoms, atoms.irreps == "2x0e", "2x0e, electrons and their extent")
    squares = jnp.sum(_centred(graph, jnp.asarray(graph.nodes.positions)) ** 2, axis=1)
    return _summed(graph, atoms.array[:, 0] * squares + atoms.array[:, 1])


def _centred(graph: jraph.GraphsTuple, values: Float[Array, "n k"]) -> Float[Array, "n k"]:
    """Return the values of the atoms relative to their mean over each graph."""
    owner = graph_index(graph)
    return values - segment_mean(values, owner, graph.n_node.shape[0], indices_are_sorted=True)[owner]


def _summed(graph: jraph.GraphsTuple, values: Float[Array, "n ..."]) -> Float[Array, "g ..."]:
    return segment_sum(values, graph_index(graph), graph.n_node.shape[0], indices_are_sorted=True)


def _require(atoms: e3nn.IrrepsArray, given: bool, wanted: str) -> None:
    if not given:
        raise ValueError(f"expected outputs {wanted}, of every atom, got {atoms.irreps}; choose the model's outputs")


class Head(NamedTuple):
    """How a label is read off the atoms.

    Attributes:
        read: one of the functions above.
        irreps: the outputs it takes.
        scalars: those it takes of a model whose atoms have scalars only; None where that is `irreps` too.
    """

    read: Callable[[jraph.GraphsTuple, e3nn.IrrepsArray], Array]
    irreps: str
    scalars: str | None = None

    def outputs(self, vectors: bool) -> str:
        """Return what to ask of a model, whose atoms have vectors or not."""
        return self.irreps if vectors or self.scalars is None else self.scalars


HEADS = {
    "energy": Head(energy, "1x0e"),
    "dipole": Head(dipole, "1x0e+1x1o", "1x0e"),
    "dipole_magnitude": Head(dipole_magnitude, "1x0e+1x1o", "1x0e"),
    "polarisability": Head(energy, "1x0e"),
    "polarisability_tensor": Head(polarisability, "1x0e+1x2e"),
    "extent": Head(extent, "2x0e"),
}
