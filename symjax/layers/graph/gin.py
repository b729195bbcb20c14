"""GIN (Xu et al. 2019, arXiv:1810.00826, eq. 4.1), and GINE, which hears edges (Hu et al. 2020, arXiv:1905.12265)."""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jraph
from jaxtyping import Array, Float

from symjax.groups import S
from symjax.laws import Equivariance, Law
from symjax.layers.graph.edges import Mask, read_features, require_no_features
from symjax.layers.graph.parameters import GLOROT, bias, kernel
from symjax.math import segment_sum
from symjax.reps import Relabelling


def gin_layer(
    linear: Callable[[Any], Float[Array, "n f"]],
    update: Callable[[Float[Array, "n f"]], Float[Array, "n o"]],
    graph: jraph.GraphsTuple,
    mask: Mask = None,
    *,
    eps: float | Float[Array, ""] = 0.0,
    indices_are_sorted: bool = False,
) -> jraph.GraphsTuple:
    """Sum up a neighbourhood so that different ones give different sums.

        y_i = update((1 + eps) linear(x_i) + sum_j linear(x_j))

    Args:
        linear: features to [n, f]: the linear part of the first layer of a perceptron, or nothing.
        update: what is left of the perceptron.
        graph: nodes are what `linear` takes, edges None.
        mask: edges that count.
        eps: tells the node itself from its neighbours.
        indices_are_sorted: promise that receivers never decrease.

    Raises:
        ValueError: there are features of edges, or lengths disagree.
    """
    require_no_features(graph, mask)
    h = linear(graph.nodes)
    heard = segment_sum(h[graph.senders], graph.receivers, h.shape[0], mask=mask, indices_are_sorted=indices_are_sorted)
    return graph._replace(nodes=update((1 + eps) * h + heard))


def gine_layer(
    tell: Callable[[Float[Array, "e d"]], Float[Array, "e c"]],
    update: Callable[[Float[Array, "n c"]], Float[Array, "n o"]],
    graph: jraph.GraphsTuple,
    mask: Mask = None,
    *,
    eps: float | Float[Array, ""] = 0.0,
    indices_are_sorted: bool = False,
) -> jraph.GraphsTuple:
    """Sum up a neighbourhood and the edges that lead there.

    With the features e_ij of an edge from sender j to receiver i:

        y_i = update((1 + eps) x_i + sum_j relu(x_j + tell(e_ij)))

    Args:
        tell: features of edges to the size of those of nodes.
        update: a perceptron.
        graph: nodes are features [n, c], edges features [e, d].
        mask: edges that count.
        eps: tells the node itself from its neighbours.
        indices_are_sorted: promise that receivers never decrease.

    Raises:
        ValueError: features of edges are lacking, or lengths disagree.
    """
    x = graph.nodes
    messages = nn.relu(x[graph.senders] + tell(read_features(graph, mask)))
    heard = segment_sum(messages, graph.receivers, x.shape[0], mask=mask, indices_are_sorted=indices_are_sorted)
    return graph._replace(nodes=update((1 + eps) * x + heard))


class GINLayer(nn.Module):
    """`gin_layer` with a perceptron of one hidden layer and the relu activation.

    Attributes:
        features: Outputs a node.
        hidden: Size of the hidden layer, that of the outputs if None.
        eps: As of `gin_layer`, or what it starts from.
        train_eps: Make eps a parameter.
        indices_are_sorted: As of `gin_layer`.
    """

    features: int
    hidden: int | None = None
    eps: float = 0.0
    train_eps: bool = False
    indices_are_sorted: bool = False

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """The numbering of the nodes means nothing."""
        return (Equivariance(S(graph.nodes.shape[0]), Relabelling("nodes"), Relabelling("nodes")),)

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple, mask: Mask = None) -> jraph.GraphsTuple:
        """Return the graph with new features."""
        linear, rest = _perceptron(self, graph)
        return gin_layer(linear, rest, graph, mask, eps=_eps(self, graph), indices_are_sorted=self.indices_are_sorted)


class GINELayer(nn.Module):
    """`gine_layer` with a perceptron of one hidden layer and the relu activation.

    Attributes:
        features: Outputs a node.
        hidden: Size of the hidden layer, that of the outputs if None.
        eps: As of `gine_layer`, or what it starts from.
        train_eps: Make eps a parameter.
        project: Send features of edges through an affine map, which is done anyway where nodes have more or fewer.
        indices_are_sorted: As of `gine_layer`.
    """

    features: int
    hidden: int | None = None
    eps: float = 0.0
    train_eps: bool = False
    project: bool = False
    indices_are_sorted: bool = False

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """The numbering of the nodes means nothing."""
        return (Equivariance(S(graph.nodes.shape[0]), Relabelling("nodes"), Relabelling("nodes")),)

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple, mask: Mask = None) -> jraph.GraphsTuple:
        """Return the graph with new features."""
        linear, rest = _perceptron(self, graph)
        return gine_layer(
            self._tell(graph, read_features(graph, mask).shape[-1]),
            lambda heard: rest(linear(heard)),
            graph,
            mask,
            eps=_eps(self, graph),
            indices_are_sorted=self.indices_are_sorted,
        )

    def _tell(self, graph: jraph.GraphsTuple, d: int) -> Callable[[Float[Array, "e d"]], Float[Array, "e c"]]:
        c, dtype = graph.nodes.shape[-1], graph.nodes.dtype
        if d == c and not self.project:
            return lambda features: features
        linear, shift = kernel(self, "edge_kernel", d, c, dtype, of="edges"), bias(self, "edge_bias", c, dtype)
        return lambda features: features @ linear + shift


def _perceptron(layer: GINLayer | GINELayer, graph: jraph.GraphsTuple) -> tuple[Callable, Callable]:
    """Return the linear map that a perceptron begins with, and what follows."""
    dtype, width = graph.nodes.dtype, layer.hidden or layer.features
    linear = kernel(layer, "kernel", graph.nodes.shape[-1], width, dtype)
    shift = bias(layer, "hidden_bias", width, dtype)
    output = nn.Dense(layer.features, kernel_init=GLOROT, param_dtype=dtype, name="output")
    return lambda x: x @ linear, lambda hidden: output(nn.relu(hidden + shift))


def _eps(layer: GINLayer | GINELayer, graph: jraph.GraphsTuple) -> float | Float[Array, ""]:
    initial = nn.initializers.constant(layer.eps)
    return layer.param("eps", initial, (), graph.nodes.dtype) if layer.train_eps else layer.eps
