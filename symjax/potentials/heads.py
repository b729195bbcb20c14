"""What a graph gets from the outputs of its atoms: functions without parameters."""

import math
from collections.abc import Callable
from typing import NamedTuple

import e3nn_jax as e3nn
import jax.numpy as jnp
import jraph
from jaxtyping import Array, Float

from symjax.graphs import graph_index
from symjax.math import segment_mean, segment_sum


def energy(graph: jraph.GraphsTuple, atoms: e3nn.IrrepsArray) -> Float[Array, " g"]:
    """Return the sum over the atoms of each graph of one scalar, "1x0e".

    Raises:
        ValueError: If the outputs of the atoms are other irreps.
    """
    _require(atoms, atoms.irreps == "1x0e", "1x0e, an energy")
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
    owner, count = graph_index(graph), graph.n_node.shape[0]

    def centred(values: Float[Array, "n k"]) -> Float[Array, "n k"]:
        return values - segment_mean(values, owner, count, indices_are_sorted=True)[owner]

    moments = centred(atoms.array[:, :1]) * centred(jnp.asarray(graph.nodes.positions))
    if len(atoms.irreps) == 2:
        moments += atoms.array[:, 1:]
    return segment_sum(moments, owner, count, indices_are_sorted=True)


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


HEADS = {"energy": Head(energy, "1x0e"), "dipole": Head(dipole, "1x0e+1x1o", "1x0e")}
