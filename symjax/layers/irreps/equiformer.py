"""The block of Equiformer: norm, attention, norm, perceptron (Liao and Smidt 2023, arXiv:2206.11990, fig. 1)."""

import functools
from collections.abc import Callable

import e3nn_jax as e3nn
import flax.linen as nn
import jraph

from symjax.laws import Law
from symjax.layers.irreps.drop import drop_graphs
from symjax.layers.irreps.equiformer_attention import EquiformerAttention, Messages, attention_laws
from symjax.layers.irreps.gate import gate, gated_irreps, scaled_sigmoid
from symjax.layers.irreps.linear import IrrepsLinear
from symjax.layers.irreps.norm import IrrepsLayerNorm


def equiformer_block(
    norms: tuple[Callable, Callable],
    attend: Callable,
    feed: Callable,
    connect: Callable,
    graph: jraph.GraphsTuple,
    drop: Callable = lambda branch: branch,
) -> jraph.GraphsTuple:
    """Return a graph with new features of the nodes.

        y_i = x_i + drop(attend(norm(x)))_i,    x_i <- connect(y_i) + drop(feed(norm(y)))_i

    Args:
        norms: one before each half.
        attend: graph to graph, such as `equiformer_attention`.
        feed: features of a node to features.
        connect: linear map, or the identity.
        graph: nodes are an `IrrepsArray`, edges `AttentionEdges`, receivers in rising order.
        drop: features of all nodes to the same, some of them zero.
    """
    first, second = norms
    y = graph.nodes + drop(attend(graph._replace(nodes=first(graph.nodes))).nodes)
    return graph._replace(nodes=connect(y) + drop(feed(second(y))))


def feed_forward(first: Callable, second: Callable, x: e3nn.IrrepsArray) -> e3nn.IrrepsArray:
    """Return second(gate(first(x))), with sigmoid gates."""
    return second(gate(first(x), scaled_sigmoid))


class EquiformerBlock(nn.Module):
    """`equiformer_block` with its own weights.

    Attributes:
        irreps: Wanted output; where it is not the input's, a linear map connects the two.
        head_irreps: Values of a head.
        mid_irreps: Hidden layer of the perceptron.
        heads: How many.
        messages: Which of the three kinds of `EquiformerAttention`.
        radial_widths: Hidden layers of the radial network.
        drop_path: Probability that a graph goes without the attention, or without the perceptron.
        alpha_drop: Share of the attention weights that are dropped.
    """

    irreps: str
    head_irreps: str
    mid_irreps: str
    heads: int = 4
    messages: Messages = "nonlinear"
    radial_widths: tuple[int, ...] = (64, 64)
    drop_path: float = 0.0
    alpha_drop: float = 0.0

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """Rotations and reflections turn features and harmonics; the numbering of the nodes means nothing."""
        return attention_laws(graph, self.irreps)

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple) -> jraph.GraphsTuple:
        """Return the graph with new features."""
        own = str(graph.nodes.irreps)
        options = (self.heads, self.messages, self.radial_widths, self.alpha_drop)
        hidden = IrrepsLinear(str(gated_irreps(e3nn.Irreps(self.mid_irreps))), bias=True, name="hidden")
        out = IrrepsLinear(self.irreps, bias=True, name="out")
        same = graph.nodes.irreps == e3nn.Irreps(self.irreps)
        connect = (lambda y: y) if same else IrrepsLinear(self.irreps, bias=True, name="connect")
        return equiformer_block(
            (IrrepsLayerNorm(name="norm_1"), IrrepsLayerNorm(name="norm_2")),
            EquiformerAttention(own, self.head_irreps, *options, name="attention"),
            lambda y: feed_forward(hidden, out, y),
            connect,
            graph,
            functools.partial(drop_graphs, self, self.drop_path, graph),
        )
