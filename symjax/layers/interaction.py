"""The interaction block of NequIP (Batzner et al. 2022, arXiv:2101.03164, fig. 1c): convolve, mix, connect, gate."""

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import e3nn_jax as e3nn
import flax.linen as nn
import jax
import jax.numpy as jnp
import jraph
import numpy as np
from jaxtyping import Array, Float, Int

from symjax.groups import O, S
from symjax.laws import Equivariance, Law
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


@functools.cache
def _unit_variance(activation: Callable) -> Callable:
    """Return the activation divided by its root mean square under a standard normal input."""
    points, weights = np.polynomial.hermite_e.hermegauss(128)
    with jax.ensure_compile_time_eval(), jax.enable_x64(True):
        values = np.asarray(activation(jnp.asarray(points)))
    scale = 1 / math.sqrt(float(weights @ values**2 / weights.sum()))
    return lambda x: scale * activation(x)


def gate(x: e3nn.IrrepsArray) -> e3nn.IrrepsArray:
    """Return silu of even scalars, tanh of odd ones, and other irreps times the silu of one scalar each.

    The last scalars are the gates: "12x0e + 2x1o" becomes "10x0e + 2x1o". Activations are scaled to unit mean square.
    """
    silu, tanh = _unit_variance(jax.nn.silu), _unit_variance(jnp.tanh)
    return e3nn.gate(x, silu, tanh, silu, tanh, normalize_act=False)


def gated_irreps(wanted: e3nn.Irreps) -> e3nn.Irreps:
    """Return the irreps that `gate` turns into `wanted`: its scalars, one even scalar a gated irrep, and the rest."""
    scalars, others = wanted.filter(lambda ir: ir.ir.l == 0), wanted.filter(lambda ir: ir.ir.l > 0)
    return scalars + e3nn.Irreps(f"{others.num_irreps}x0e") + others


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
                x = _unit_variance(jax.nn.silu)(x)
        return x


class Interaction(nn.Module):
    """`interaction` with its own weights.

    Attributes:
        irreps: Wanted output, e.g. "32x0e + 32x1o"; irreps that no path reaches are left out.
        species: Number of species.
        average_neighbours: Messages are divided by its square root.
        radial_widths: Hidden layers of the radial network.
    """

    irreps: str
    species: int
    average_neighbours: float
    radial_widths: tuple[int, ...] = (64, 64)

    def output_irreps(self, graph: jraph.GraphsTuple) -> e3nn.Irreps:
        """Return the wanted irreps that the input reaches."""
        features, harmonics = graph.nodes.features.irreps, graph.edges.harmonics.irreps
        wanted = e3nn.Irreps(self.irreps)
        reached = {path.target.ir for path in tensor_product_paths(features, harmonics, wanted)}
        return wanted.filter(lambda ir: ir.ir in reached or ir.ir in {own for _, own in features})

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """Rotations and reflections turn features and harmonics; the numbering of the nodes means nothing."""
        edges = Tree(InteractionEdges(Irreps(str(graph.edges.harmonics.irreps)), Trivial()))

        def rep(features: e3nn.Irreps) -> OnGraph:
            return OnGraph(nodes=Tree(InteractionNodes(Irreps(str(features)), Trivial())), edges=edges)

        turned = Equivariance(O(3), rep(graph.nodes.features.irreps), rep(self.output_irreps(graph)))
        return turned, Equivariance(S(graph.nodes.species.shape[0]), Relabelling(), Relabelling())

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple) -> jraph.GraphsTuple:
        """Return the graph with new features."""
        irreps = gated_irreps(self.output_irreps(graph))
        mix = e3nn.flax.Linear(irreps, force_irreps_out=True, name="down")
        return interaction(
            e3nn.flax.Linear(graph.nodes.features.irreps, name="up"),
            lambda basis, width: RadialWeights((*self.radial_widths, width), name="radial")(basis),
            lambda messages: mix(messages / math.sqrt(self.average_neighbours)),
            e3nn.flax.Linear(irreps, num_indexed_weights=self.species, force_irreps_out=True, name="connect"),
            gate,
            irreps,
            graph,
        )
