"""Graph attention (Veličković et al. 2018, arXiv:1710.10903, eqs. 1-6)."""

import math
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import jraph
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from symjax.groups import S
from symjax.laws import Equivariance, Law
from symjax.layers.graph.edges import Mask, not_loops, read_features, require_no_features
from symjax.layers.graph.parameters import GLOROT, bias, kernel
from symjax.math import dropout, safe_divide, segment_mean, segment_sum
from symjax.reps import Relabelling


def attend(
    score: Callable[[Any, Any, Array | None], Float[Array, "_ h"]],
    values: Float[Array, "n h c"],
    graph: jraph.GraphsTuple,
    mask: Mask = None,
    *,
    self_loops: bool = True,
    drop: Callable[[Array], Array] = lambda weights: weights,
    indices_are_sorted: bool = False,
) -> Float[Array, "n h c"]:
    """Return y_i = sum_j softmax_j(score_ij) values_j, head by head, over the edges that come in at i.

    With loops every node hears itself exactly once: loops among the edges are passed over, and the features of its own
    are the mean of those that come in, zero if none do. A node that hears nothing comes out as zero.

    Args:
        score: senders, receivers (integers [m], or a slice) and features [m, d] or None to logits [m, h].
        values: what is sent.
        graph: edges are None or features [e, d].
        mask: edges that count.
        self_loops: without them, loops among the edges are edges like others and there are no more.
        drop: a dropout of the softmax's weights.
        indices_are_sorted: promise that receivers never decrease.
    """
    counted = not_loops(graph, mask) if self_loops else mask
    over = {"segment_ids": graph.receivers, "num_segments": values.shape[0], "indices_are_sorted": indices_are_sorted}
    logits = score(graph.senders, graph.receivers, graph.edges)
    logits = logits if counted is None else jnp.where(counted[:, None], logits, -jnp.inf)
    largest = jax.ops.segment_max(jax.lax.stop_gradient(logits), **over)
    own = jnp.full_like(largest, -jnp.inf)
    if self_loops:
        around = None if graph.edges is None else segment_mean(graph.edges, mask=counted, **over)
        own = score(slice(None), slice(None), around)
        largest = jnp.maximum(largest, jax.lax.stop_gradient(own))
    largest = jnp.where(jnp.isneginf(largest), 0, largest)
    weights, own = jnp.exp(logits - largest[graph.receivers]), jnp.exp(own - largest)
    heard = segment_sum(drop(weights)[..., None] * values[graph.senders], mask=counted, **over)
    total = segment_sum(weights, **over) + own
    return safe_divide(heard + drop(own)[..., None] * values, total[..., None])


def gat_layer(
    project: Callable[[Any], Float[Array, "n h c"]],
    score_sender: Callable[[Float[Array, "n h c"]], Float[Array, "n h"]],
    score_receiver: Callable[[Float[Array, "n h c"]], Float[Array, "n h"]],
    graph: jraph.GraphsTuple,
    mask: Mask = None,
    *,
    score_edge: Callable[[Float[Array, "m d"]], Float[Array, "m h"]] | None = None,
    negative_slope: float = 0.2,
    **how: Any,
) -> jraph.GraphsTuple:
    """Let every node hear its neighbours, weighed by what sender, receiver and edge say of themselves.

    With h = project(x) and the features e_ij of an edge from sender j to receiver i:

        score_ij = leaky_relu(score_sender(h_j) + score_receiver(h_i) + score_edge(e_ij))
        y_i = sum_j softmax_j(score_ij) h_j

    Args:
        project: features to heads of c channels; what comes out has the same shape.
        score_sender: heads to numbers.
        score_receiver: heads to numbers.
        graph: nodes are what `project` takes, edges features [e, d], or None without `score_edge`.
        mask: edges that count.
        score_edge: features of edges to numbers.
        negative_slope: of the leaky relu.
        how: `self_loops`, `drop` and `indices_are_sorted` of `attend`.

    Raises:
        ValueError: features of edges are lacking or would be ignored, or lengths disagree.
    """
    edges = require_no_features(graph, mask) if score_edge is None else read_features(graph, mask)
    h = project(graph.nodes)
    sent, received = score_sender(h), score_receiver(h)

    def score(senders: Any, receivers: Any, features: Array | None) -> Float[Array, "m h"]:
        told = sent[senders] + received[receivers]
        if score_edge is not None and features is not None:
            told = told + score_edge(features)
        return jax.nn.leaky_relu(told, negative_slope)

    return graph._replace(nodes=attend(score, h, graph._replace(edges=edges), mask, **how))


def join_heads(layer: nn.Module, y: Float[Array, "n h c"], *, concat: bool, use_bias: bool) -> Float[Array, "n o"]:
    """Return heads one beside the other, or else their mean, plus a bias owned by the layer."""
    y = y.reshape(len(y), y.shape[1] * y.shape[2]) if concat else y.mean(axis=1)
    return y + bias(layer, "bias", y.shape[1], y.dtype) if use_bias else y


def dropped(layer: nn.Module) -> Callable[[Array], Array]:
    """Return the dropout of a layer, which does nothing where `apply` gets no key for it."""
    if not layer.has_rng("dropout"):
        return lambda weights: weights
    return lambda weights: dropout(weights, layer.dropout, layer.make_rng("dropout"))


class GATLayer(nn.Module):
    """`gat_layer` with linear maps, whose heads are joined, and a bias.

    Attributes:
        features: Outputs a node and a head.
        heads: Number of heads.
        concat: Put heads one beside the other, or else take their mean.
        edge_features: Features of edges have a say too.
        negative_slope: Of the leaky relu.
        dropout: Rate, on the softmax, where `apply` gets `rngs={"dropout": key}`.
        self_loops: As of `attend`.
        use_bias: Add a number to each output.
        indices_are_sorted: As of `attend`.
    """

    features: int
    heads: int = 1
    concat: bool = True
    edge_features: bool = False
    negative_slope: float = 0.2
    dropout: float = 0.0
    self_loops: bool = True
    use_bias: bool = True
    indices_are_sorted: bool = False

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """The numbering of the nodes means nothing."""
        return (Equivariance(S(graph.nodes.shape[0]), Relabelling("nodes"), Relabelling("nodes")),)

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple, mask: Mask = None) -> jraph.GraphsTuple:
        """Return the graph with new features."""
        shape, dtype = (self.heads, self.features), graph.nodes.dtype
        linear = kernel(self, "kernel", graph.nodes.shape[-1], math.prod(shape), dtype)
        sender, receiver = (self.param(name, GLOROT, shape, dtype) for name in ("sender", "receiver"))
        to_edge = self._edge_map(read_features(graph, mask).shape[-1], dtype) if self.edge_features else None
        heard = gat_layer(
            lambda x: (x @ linear).reshape(-1, *shape),
            lambda h: jnp.sum(h * sender[None], axis=-1),
            lambda h: jnp.sum(h * receiver[None], axis=-1),
            graph,
            mask,
            score_edge=None if to_edge is None else lambda e: e @ to_edge,
            negative_slope=self.negative_slope,
            self_loops=self.self_loops,
            drop=dropped(self),
            indices_are_sorted=self.indices_are_sorted,
        ).nodes
        return graph._replace(nodes=join_heads(self, heard, concat=self.concat, use_bias=self.use_bias))

    def _edge_map(self, inputs: int, dtype: DTypeLike) -> Float[Array, "d h"]:
        """Features of edges to heads of channels, then to numbers: two linear maps in a row are one."""
        shape = self.heads, self.features
        linear = kernel(self, "edge_kernel", inputs, math.prod(shape), dtype, of="edges")
        edge = self.param("edge", GLOROT, shape, dtype)
        return jnp.sum(linear.reshape(inputs, *shape) * edge[None], axis=-1)
