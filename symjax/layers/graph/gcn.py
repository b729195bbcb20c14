"""Graph convolution with symmetric normalisation (Kipf and Welling 2017, arXiv:1609.02907, eq. 8)."""

import functools
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import jraph
from jaxtyping import Array, Float

from symjax.groups import S
from symjax.laws import Equivariance, Law
from symjax.layers.graph.edges import Mask, at_least_single, not_loops, read_weights
from symjax.layers.graph.parameters import bias, kernel
from symjax.math import segment_mean, segment_sum
from symjax.reps import Relabelling


def gcn_layer(
    linear: Callable[[Any], Float[Array, "n o"]],
    graph: jraph.GraphsTuple,
    mask: Mask = None,
    *,
    normalize: bool = True,
    self_loops: bool = True,
    indices_are_sorted: bool = False,
) -> jraph.GraphsTuple:
    """Send features through a linear map, then along the edges.

    With the weight w_ij of an edge from sender j to receiver i, and the sum d_i of the weights that come in at i:

        y_i = sum_j w_ij / sqrt(d_i d_j) linear(x)_j

    The sums run over the edges and over one loop a node, whose weight is that of the loop among the edges (the mean, if
    there are several), else one. Where d_i is zero, so is y_i.

    Args:
        linear: features to [n, o]. It comes first, as it mostly makes features shorter.
        graph: nodes are what `linear` takes, edges None or weights [e].
        mask: edges that count.
        normalize: without it w_ij stands alone, without the root.
        self_loops: without them, loops among the edges are edges like others and there are no more.
        indices_are_sorted: promise that receivers never decrease.

    Raises:
        ValueError: the edges hold anything but weights, or lengths disagree.
    """
    h = linear(graph.nodes)
    weights = read_weights(graph, mask, h.dtype)
    own = _loop_weights(graph, weights, mask, h) if self_loops else jnp.zeros_like(h[:, 0])
    heard = functools.partial(
        segment_sum,
        segment_ids=graph.receivers,
        num_segments=h.shape[0],
        mask=not_loops(graph, mask) if self_loops else mask,
        indices_are_sorted=indices_are_sorted,
    )
    scale = jnp.ones_like(own)[:, None]
    if normalize:
        degrees = heard(at_least_single(weights)) + at_least_single(own)
        scale = _inverse_roots(degrees).astype(h.dtype)[:, None]
    h = scale * h
    return graph._replace(nodes=scale * (heard(weights[:, None] * h[graph.senders]) + own[:, None] * h))


def _loop_weights(graph: jraph.GraphsTuple, weights: Array, mask: Mask, h: Array) -> Float[Array, " n"]:
    """Return the mean weight of the loops of each node, one where there are none."""
    if graph.edges is None:
        return jnp.ones_like(h[:, 0])
    is_loop = graph.senders == graph.receivers
    is_loop = is_loop if mask is None else is_loop & mask
    over = graph.receivers, h.shape[0]
    mean = segment_mean(weights, *over, mask=is_loop)
    return jnp.where(segment_sum(is_loop.astype(int), *over) > 0, mean, 1)


def _inverse_roots(degrees: Float[Array, " n"]) -> Float[Array, " n"]:
    positive = degrees > 0
    return jnp.where(positive, jax.lax.rsqrt(jnp.where(positive, degrees, 1)), 0)


class GCNLayer(nn.Module):
    """`gcn_layer` with a linear map and a bias.

    Attributes:
        features: Outputs a node.
        normalize: As of `gcn_layer`.
        self_loops: As of `gcn_layer`.
        use_bias: Add a number to each output.
        indices_are_sorted: As of `gcn_layer`.
    """

    features: int
    normalize: bool = True
    self_loops: bool = True
    use_bias: bool = True
    indices_are_sorted: bool = False

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """The numbering of the nodes means nothing."""
        return (Equivariance(S(graph.nodes.shape[0]), Relabelling("nodes"), Relabelling("nodes")),)

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple, mask: Mask = None) -> jraph.GraphsTuple:
        """Return the graph with new features."""
        weight = kernel(self, "kernel", graph.nodes.shape[-1], self.features, graph.nodes.dtype)
        out = gcn_layer(
            lambda x: x @ weight,
            graph,
            mask,
            normalize=self.normalize,
            self_loops=self.self_loops,
            indices_are_sorted=self.indices_are_sorted,
        )
        if not self.use_bias:
            return out
        return out._replace(nodes=out.nodes + bias(self, "bias", self.features, out.nodes.dtype))
