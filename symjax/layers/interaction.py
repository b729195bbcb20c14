"""The interaction block of NequIP (Batzner et al. 2022, arXiv:2101.03164, fig. 1c): convolve, mix, connect, gate."""

import math
from collections.abc import Callable
from typing import NamedTuple, cast

import e3nn_jax as e3nn
import flax.linen as nn
import jax
import jax.numpy as jnp
import jraph
import numpy as np
from jaxtyping import Array, Float, Int

from symjax.groups import O, S
from symjax.laws import Equivariance, Law
from symjax.layers.linear import IrrepsLinear, irreps_blocks
from symjax.layers.tensor_product import tensor_product_conv, tensor_product_paths
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


def scaled_silu(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Return silu over its root mean square under a standard normal input."""
    return 1.6765324703310909 * jax.nn.silu(x)


def scaled_tanh(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Return tanh over its root mean square under a standard normal input."""
    return 1.5925374197228312 * jnp.tanh(x)


def gate(x: e3nn.IrrepsArray) -> e3nn.IrrepsArray:
    """Return silu of even scalars, tanh of odd ones, and other irreps times the silu of one even scalar each.

    The last scalars are the gates: "12x0e + 2x1o" becomes "10x0e + 2x1o". Activations are scaled to unit mean square.

    Raises:
        ValueError: If there are fewer even scalars at the end of the scalars than irreps to gate.
    """
    scalars, others = x.filter(lmax=0), x.filter(lambda part: part.ir.l > 0)
    free = scalars.irreps.dim - others.irreps.num_irreps
    kept, gates = (cast(e3nn.IrrepsArray, scalars.slice_by_mul[part]) for part in (np.s_[:free], np.s_[free:]))
    if free < 0 or any(ir != "0e" for _, ir in gates.irreps):
        raise ValueError(f"expected an even scalar for each irrep to gate, after all other scalars, got {x.irreps}")
    activations = [scaled_silu if ir.p == 1 else scaled_tanh for _, ir in kept.irreps]
    blocks = [activate(block) for activate, block in zip(activations, irreps_blocks(kept), strict=True)]
    opened, start = scaled_silu(gates.array)[..., None], 0
    for block in irreps_blocks(others):
        stop = start + block.shape[1]
        blocks.append(block * opened[:, start:stop])
        start = stop
    return e3nn.from_chunks(kept.irreps + others.irreps, [*blocks], x.shape[:-1], x.dtype)


def gated_irreps(wanted: e3nn.Irreps) -> e3nn.Irreps:
    """Return the irreps that `gate` turns into `wanted`: its scalars, one even scalar a gated irrep, and the rest."""
    scalars, others = _scalars_and_others(wanted)
    return (scalars + e3nn.Irreps(f"{others.num_irreps}x0e") + others).simplify()


def _scalars_and_others(irreps: e3nn.Irreps) -> tuple[e3nn.Irreps, e3nn.Irreps]:
    return irreps.filter(lmax=0), irreps.filter(lambda part: part.ir.l > 0)


class RadialWeights(nn.Module):
    """A perceptron without biases, so that what vanishes at the cutoff still does.

    Attributes:
        widths: Sizes of the layers; the last one is linear.
    """

    widths: tuple[int, ...]

    @nn.compact
    def __call__(self, x: Float[Array, "e b"]) -> Float[Array, "e w"]:
        """Return the weights, of unit variance where the input has it."""
        for layer, width in enumerate(self.widths):
            kernel = self.param(f"kernel_{layer}", nn.initializers.normal(1.0), (x.shape[-1], width), x.dtype)
            x = x @ (kernel / math.sqrt(x.shape[-1]))
            if layer < len(self.widths) - 1:
                x = scaled_silu(x)
        return x


class Interaction(nn.Module):
    """`interaction` with its own weights.

    Attributes:
        irreps: Wanted output, e.g. "32x0e + 32x1o"; irreps that no path reaches are left out.
        species: Number of species.
        average_neighbours: Mean number of edges that a node receives; messages are divided by its square root.
        radial_widths: Hidden layers of the radial network.
    """

    irreps: str
    species: int
    average_neighbours: float
    radial_widths: tuple[int, ...] = (64, 64)

    def output_irreps(self, graph: jraph.GraphsTuple) -> e3nn.Irreps:
        """Return the wanted irreps that the input reaches, scalars first.

        Raises:
            ValueError: If no even scalar is reached that could gate the others.
        """
        features, harmonics = graph.nodes.features.irreps, graph.edges.harmonics.irreps
        scalars, others = _scalars_and_others(e3nn.Irreps(self.irreps))
        wanted = scalars + others
        messages = tensor_product_paths(features, harmonics, gated_irreps(wanted))
        reached = {path.target.ir for path in messages} | {own for _, own in features}
        if others and e3nn.Irrep(0, 1) not in reached:
            raise ValueError(f"no path from {features} with {harmonics} gives the even scalars that gate {others}")
        return wanted.filter(lambda part: part.ir in reached)

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """Rotations and reflections turn features and harmonics; the numbering of the nodes means nothing."""
        edges = Tree(InteractionEdges._make((Irreps(str(graph.edges.harmonics.irreps)), Trivial())))

        def rep(features: e3nn.Irreps) -> OnGraph:
            return OnGraph(nodes=Tree(InteractionNodes._make((Irreps(str(features)), Trivial()))), edges=edges)

        turned = Equivariance(O(3), rep(graph.nodes.features.irreps), rep(self.output_irreps(graph)))
        return turned, Equivariance(S(graph.nodes.species.shape[0]), Relabelling(), Relabelling())

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
            lambda species, h: connect(h, species),
            gate,
            irreps,
            graph,
        )
