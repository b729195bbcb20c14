"""Allegro, a strictly local potential of edges (Musaelian et al. 2023, arXiv:2204.05249)."""

import itertools
import math
from collections.abc import Callable, Sequence

import e3nn_jax as e3nn
import flax.linen as nn
import jax.numpy as jnp
import jraph
from jaxtyping import Array, Float

from symjax.laws import Hops, Law
from symjax.layers.irreps import (
    AllegroEdges,
    AllegroLayer,
    InteractionEdges,
    IrrepsLinear,
    radial_weights,
    scaled_silu,
    tensor_product_paths,
    weigh_harmonics,
)
from symjax.math import segment_sum
from symjax.models.atoms.nequip import nequip_edges
from symjax.models.atoms.parts import SCALARS, atom_laws, embed_charges, require_options

SCALAR = e3nn.Irrep(0, 1)


def allegro_atoms(
    embed: Callable, layers: Sequence[Callable], read: Callable, readout: Callable, graph: jraph.GraphsTuple
) -> e3nn.IrrepsArray:
    """Return readout(sum_j read(edge_ij)) for each atom i, where edges start as embed(graph) and go through the layers.

    Args:
        embed: a graph of atoms to its `AllegroEdges`.
        layers: such as `allegro_layer`, from graphs of `AllegroEdges` to the same.
        read: `AllegroEdges` to irreps [e, irreps].
        readout: irreps [n, irreps] to outputs [n, irreps].
        graph: nodes are `AtomNodes`, receivers in rising order.
    """
    state = graph._replace(edges=embed(graph))
    for layer in layers:
        state = layer(state)
    told, n = read(state.edges), graph.nodes.species.shape[0]
    return readout(e3nn.IrrepsArray(told.irreps, segment_sum(told.array, graph.receivers, n, indices_are_sorted=True)))


class Allegro(nn.Module):
    """Embed each edge, multiply its tensors with what its atom sees, and add what is read off the edges of an atom.

    Strictly local: outputs of an atom depend on its neighbours within one cutoff, however many layers there are, and on
    the whole only through the charge, where that is read. No perceptron has biases, so that all vanishes at the cutoff,
    with two derivatives. Tensors keep the irreps that some later product takes to the outputs.

    Attributes:
        species: Number of elements the model knows.
        average_neighbours: Mean number of edges that an atom receives in the training data.
        cutoff: Å.
        outputs: Irreps that are computed for each atom, e.g. "1x0e" or "1x0e + 1x1o".
        scalars: Invariants of an edge that each layer makes, an even number.
        channels: Multiplicity of every irrep of an edge's tensors.
        lmax: Largest degree of tensors and harmonics.
        parity: Also keep tensors of unnatural parity (pseudoscalars, pseudovectors, ...).
        layers: Number of products.
        radial_basis: Number of Bessel functions.
        hidden: Hidden layers of the perceptrons.
        readout: Hidden scalars of the readout.
        charges: Read the total charge and the spin multiplicity of a structure.
    """

    species: int
    average_neighbours: float
    cutoff: float = 5.0
    outputs: str = "1x0e"
    scalars: int = 64
    channels: int = 32
    lmax: int = 2
    parity: bool = True
    layers: int = 2
    radial_basis: int = 8
    hidden: tuple[int, ...] = (64,)
    readout: int = 32
    charges: bool = False

    def __post_init__(self):
        super().__post_init__()
        require_options(self, scalars=2, channels=1, lmax=0, layers=1, radial_basis=1, readout=1)
        if self.scalars % 2:
            raise ValueError(f"expected an even number of scalars, half for each end of an edge, got {self.scalars}")
        if lacking := {ir for _, ir in e3nn.Irreps(self.outputs)} - self._reached()[-1]:
            names = ", ".join(map(str, sorted(lacking)))
            raise ValueError(
                f"expected outputs that the products reach, got {self.outputs}, where nothing leads to {names}; "
                "take more layers, a higher lmax, or parity"
            )

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """Motions turn the outputs; the numbering means nothing, and no atom sees beyond its neighbours."""
        return *atom_laws(graph, self.outputs), Hops(1)

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple) -> e3nn.IrrepsArray:
        """Return the outputs of every atom."""
        layers = [self._layer(layer, irreps) for layer, irreps in enumerate(self._kept())]
        return allegro_atoms(self._embed, layers, self._read, IrrepsLinear(self.outputs, name="readout"), graph)

    def _layer(self, layer: int, irreps: set[e3nn.Irrep]) -> AllegroLayer:
        last = layer == self.layers - 1
        wanted = " + ".join(map(str, sorted(irreps)))
        return AllegroLayer(wanted, self.average_neighbours, self.scalars, self.hidden, last, name=f"layer_{layer}")

    def _embed(self, graph: jraph.GraphsTuple) -> AllegroEdges:
        """Return what the species at both ends and the distance say of each edge."""
        harmonics, radial = self._harmonics_and_radial(graph)
        x = self._perceptron("two_body", [*self.hidden, self.scalars], self._pairs(graph, radial))
        width = self.channels * len(harmonics.irreps)
        told = self._perceptron("start", [self.scalars + 2 * width], x)
        scalars, weights, own = jnp.split(told, [self.scalars, self.scalars + width], axis=1)
        return AllegroEdges(scalars, weights, weigh_harmonics(own, harmonics), harmonics)

    def _harmonics_and_radial(self, graph: jraph.GraphsTuple) -> InteractionEdges:
        irreps = e3nn.Irreps.spherical_harmonics(self.lmax)
        return nequip_edges(graph, irreps, cutoff=self.cutoff, count=self.radial_basis)

    def _pairs(self, graph: jraph.GraphsTuple, radial: Float[Array, "e b"]) -> Float[Array, "e s"]:
        """Return a linear map of the radial basis times what is learnt of each end."""
        shape, normal = (self.species, self.scalars // 2), nn.initializers.normal(1.0)
        centre, neighbour = (self.param(name, normal, shape, radial.dtype) for name in ("centre", "neighbour"))
        centres = embed_charges(centre[graph.nodes.species], graph, self.charges)
        ends = [centres[graph.receivers], neighbour[graph.nodes.species[graph.senders]]]
        return jnp.concatenate(ends, axis=1) * self._perceptron("radial", [self.scalars], radial)

    def _perceptron(self, name: str, widths: Sequence[int], x: Float[Array, "e _"]) -> Float[Array, "e _"]:
        shapes, normal = itertools.pairwise((x.shape[1], *widths)), nn.initializers.normal(1.0)
        return radial_weights([self.param(f"{name}_{i}", normal, s, x.dtype) for i, s in enumerate(shapes)], x)

    def _read(self, edges: AllegroEdges) -> e3nn.IrrepsArray:
        """Return hidden scalars of each edge and its tensors that turn, over what sums of them would grow to."""
        hidden = scaled_silu(self._perceptron("hidden", [self.readout], edges.scalars))
        tensors = edges.tensors.filter(drop=SCALARS)
        both = e3nn.concatenate([e3nn.IrrepsArray(f"{self.readout}x0e", hidden), tensors])
        return e3nn.IrrepsArray(both.irreps, both.array / math.sqrt(2 * self.average_neighbours))

    def _reached(self) -> list[set[e3nn.Irrep]]:
        """Return the irreps of the tensors at the start and after each layer."""
        natural = e3nn.Irreps.spherical_harmonics(self.lmax)
        wanted = {ir for _, ir in e3nn.Irreps(self.outputs)} | {SCALAR}
        allowed = {ir for _, ir in natural} | {e3nn.Irrep(ir.l, -ir.p) for _, ir in natural if self.parity}
        stages = [{ir for _, ir in natural}]
        for layer in range(self.layers):
            kept = wanted if layer == self.layers - 1 else allowed
            stages.append({path.target.ir for path in _paths(stages[-1], natural, kept)})
        return stages

    def _kept(self) -> list[set[e3nn.Irrep]]:
        """Return the irreps of the tensors after each layer: scalars, and what a later product takes to the outputs."""
        natural, stages = e3nn.Irreps.spherical_harmonics(self.lmax), self._reached()[1:]
        for layer in reversed(range(self.layers - 1)):
            useful = {ir for ir in stages[layer] if _paths({ir}, natural, stages[layer + 1])}
            stages[layer] = useful | {SCALAR}
        return stages


def _paths(left: set[e3nn.Irrep], right: e3nn.Irreps, kept: set[e3nn.Irrep]) -> tuple:
    irreps = [e3nn.Irreps([(1, ir) for ir in sorted(some)]) for some in (left, kept)]
    return tensor_product_paths(irreps[0], right, irreps[1])
