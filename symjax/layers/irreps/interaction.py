"""The interaction block of NequIP (Batzner et al. 2022, arXiv:2101.03164, fig. 1c): convolve, mix, connect, gate."""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import e3nn_jax as e3nn
import flax.linen as nn
import jraph
from jaxtyping import Array, Float, Int

from symjax.groups import O, S
from symjax.laws import Equivariance, Law
from symjax.layers.irreps.gate import gate, gated_irreps, scalars_and_others, scaled_silu
from symjax.layers.irreps.linear import IrrepsLinear
from symjax.layers.irreps.tensor_product import tensor_product_conv, tensor_product_paths
from symjax.reps import Irreps, OnGraph, Relabelling, Tree, Trivial


class InteractionNodes(NamedTuple):
    """Features as an `IrrepsArray` and the species index of each node."""

    features: e3nn.IrrepsArray
    species: Int[Array, " n"]


class InteractionEdges(NamedTuple):
    """Spherical harmonics of the edge directions and a radial basis that vanishes at the cutoff."""

    harmonics: e3nn.IrrepsArray
    radial: Float[Array, "e b"]


def interaction(
    up: Callable,
    weigh: Callable,
    down: Callable,
    connect: Callable,
    activate: Callable,
    keep: e3nn.Irreps,
    graph: jraph.GraphsTuple,
) -> jraph.GraphsTuple:
    """Exchange one round of messages between irreps features.

        m_i = sum_j R(r_ij) (up(h_j) (x) Y(r_ij)),    h_i <- activate(down(m_i) + connect(z_i, h_i))

    Args:
        up: linear map of the features before they are sent.
        weigh: radial bases [e, b] and a width to path weights [e, width]; zero where the basis is, at the cutoff.
        down: linear map of the summed messages.
        connect: linear map of the node's own features with weights of its species.
        activate: the gate.
        keep: irreps of the messages worth computing.
        graph: nodes are `InteractionNodes`, edges `InteractionEdges`, receivers in rising order.
    """
    (h, species), (harmonics, radial) = graph.nodes, graph.edges
    sent = up(h)
    paths = tensor_product_paths(sent.irreps, harmonics.irreps, keep)
    weights = weigh(radial, sum(path.target.mul for path in paths))
    ends = {"senders": graph.senders, "receivers": graph.receivers}
    messages = tensor_product_conv(sent, harmonics, weights, paths=paths, **ends)
    return graph._replace(nodes=InteractionNodes(activate(down(messages) + connect(species, h)), species))


def radial_weights(kernels: Sequence[Float[Array, "_ _"]], x: Float[Array, "e b"]) -> Float[Array, "e w"]:
    """Return ... silu(silu(x W_0) W_1) ... W_L, each W over the root of its inputs; zero where x is, at the cutoff."""
    for layer, kernel in enumerate(kernels):
        x = (scaled_silu(x) if layer else x) @ (kernel / math.sqrt(x.shape[-1]))
    return x


class RadialWeights(nn.Module):
    """`radial_weights` with its own kernels, standard normal at first.

    Attributes:
        widths: Sizes of the layers; the last one is linear.
    """

    widths: tuple[int, ...]

    @nn.compact
    def __call__(self, x: Float[Array, "e b"]) -> Float[Array, "e w"]:
        """Return the weights, of unit variance where the input has it."""
        shapes = itertools.pairwise((x.shape[-1], *self.widths))
        normal = nn.initializers.normal(1.0)
        return radial_weights([self.param(f"kernel_{i}", normal, s, x.dtype) for i, s in enumerate(shapes)], x)


def interaction_laws(graph: jraph.GraphsTuple, outputs: e3nn.Irreps) -> tuple[Law, ...]:
    """Rotations and reflections turn features and harmonics; the numbering of the nodes means nothing."""
    edges = Tree(InteractionEdges._make((Irreps(str(graph.edges.harmonics.irreps)), Trivial())))

    def rep(features: e3nn.Irreps) -> OnGraph:
        nodes = Tree(InteractionNodes._make((Irreps(str(features)), Trivial())))
        return OnGraph(nodes=nodes, edges=edges, name=str(features))

    turned = Equivariance(O(3), rep(graph.nodes.features.irreps), rep(outputs))
    return turned, Equivariance(S(graph.nodes.species.shape[0]), Relabelling(), Relabelling())


class Interaction(nn.Module):
    """`interaction` with its own weights.

    Attributes:
        irreps: Wanted output, e.g. "32x0e + 32x1o"; irreps that no path reaches are left out.
        species: Number of species, each with its own self-connection; None for one that they share.
        average_neighbours: Mean number of edges that a node receives; messages are divided by its square root.
        radial_widths: Hidden layers of the radial network.
    """

    irreps: str
    species: int | None
    average_neighbours: float
    radial_widths: tuple[int, ...] = (64, 64)

    def output_irreps(self, graph: jraph.GraphsTuple) -> e3nn.Irreps:
        """Return the wanted irreps that the input reaches, scalars first.

        Raises:
            ValueError: If no even scalar is reached that could gate the others.
        """
        features, harmonics = graph.nodes.features.irreps, graph.edges.harmonics.irreps
        scalars, others = scalars_and_others(e3nn.Irreps(self.irreps))
        wanted = scalars + others
        messages = tensor_product_paths(features, harmonics, gated_irreps(wanted))
        reached = {path.target.ir for path in messages} | {own for _, own in features}
        if others and e3nn.Irrep(0, 1) not in reached:
            raise ValueError(f"no path from {features} with {harmonics} gives the even scalars that gate {others}")
        return wanted.filter(lambda part: part.ir in reached)

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """Rotations and reflections turn features and harmonics; the numbering of the nodes means nothing."""
        return interaction_laws(graph, self.output_irreps(graph))

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple) -> jraph.GraphsTuple:
        """Return the graph with new features."""
        features, irreps = graph.nodes.features.irreps, gated_irreps(self.output_irreps(graph))
        connect = IrrepsLinear(str(irreps), self.species, name="connect")
        scale = 1 / math.sqrt(self.average_neighbours)

        def weigh(basis: Float[Array, "e b"], width: int) -> Float[Array, "e w"]:
            return scale * RadialWeights((*self.radial_widths, width), name="radial")(basis)

        return interaction(
            IrrepsLinear(str(features), name="up"),
            weigh,
            IrrepsLinear(str(irreps), name="down"),
            lambda species, h: connect(h, None if self.species is None else species),
            gate,
            irreps,
            graph,
        )
