"""Graph attention whose ranking of neighbours depends on the node (Brody et al. 2022, arXiv:2105.14491, eq. 7)."""

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
from symjax.layers.graph.edges import Mask, read_features, require_no_features
from symjax.layers.graph.gat import attend, dropped, join_heads
from symjax.layers.graph.parameters import GLOROT, bias, kernel
from symjax.reps import Relabelling


def gatv2_layer(
    send: Callable[[Any], Float[Array, "n h c"]],
    receive: Callable[[Any], Float[Array, "n h c"]],
    score: Callable[[Float[Array, "m h c"]], Float[Array, "m h"]],
    graph: jraph.GraphsTuple,
    mask: Mask = None,
    *,
    tell: Callable[[Float[Array, "m d"]], Float[Array, "m h c"]] | None = None,
    negative_slope: float = 0.2,
    **how: Any,
) -> jraph.GraphsTuple:
    """Let every node hear its neighbours, weighed by what sender, receiver and edge say together.

    With the features e_ij of an edge from sender j to receiver i:

        score_ij = score(leaky_relu(send(x_j) + receive(x_i) + tell(e_ij)))
        y_i = sum_j softmax_j(score_ij) send(x_j)

    Args:
        send: features to heads of c channels; what comes out has the same shape.
        receive: features to heads.
        score: heads to numbers.
        graph: nodes are what `send` and `receive` take, edges features [e, d], or None without `tell`.
        mask: edges that count.
        tell: features of edges to heads.
        negative_slope: of the leaky relu.
        how: `self_loops`, `drop` and `indices_are_sorted` of `attend`.

    Raises:
        ValueError: features of edges are lacking or would be ignored, or lengths disagree.
    """
    edges = require_no_features(graph, mask) if tell is None else read_features(graph, mask)
    sent, received = send(graph.nodes), receive(graph.nodes)

    def scored(senders: Any, receivers: Any, features: Array | None) -> Float[Array, "m h"]:
        told = sent[senders] + received[receivers]
        if tell is not None and features is not None:
            told = told + tell(features)
        return score(jax.nn.leaky_relu(told, negative_slope))

    return graph._replace(nodes=attend(scored, sent, graph._replace(edges=edges), mask, **how))


class GATv2Layer(nn.Module):
    """`gatv2_layer` with affine maps, whose heads are joined, and a bias.

    Attributes:
        features: Outputs a node and a head.
        heads: Number of heads.
        concat: Put heads one beside the other, or else take their mean.
        edge_features: Features of edges have a say too.
        share_weights: Send and receive by the same map.
        negative_slope: Of the leaky relu.
        dropout: Rate, on the softmax, where `apply` gets `rngs={"dropout": key}`.
        self_loops: As of `attend`.
        use_bias: Add numbers to what is sent and received, and to each output.
        indices_are_sorted: As of `attend`.
    """

    features: int
    heads: int = 1
    concat: bool = True
    edge_features: bool = False
    share_weights: bool = False
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
        dtype, inputs = graph.nodes.dtype, graph.nodes.shape[-1]
        to_score = self.param("score", GLOROT, (self.heads, self.features), dtype)
        send = self._in_heads("sender", inputs, dtype, use_bias=self.use_bias)
        receive = send if self.share_weights else self._in_heads("receiver", inputs, dtype, use_bias=self.use_bias)
        tell = None
        if self.edge_features:
            tell = self._in_heads("edge", read_features(graph, mask).shape[-1], dtype, use_bias=False)
        heard = gatv2_layer(
            send,
            receive,
            lambda told: jnp.sum(told * to_score[None], axis=-1),
            graph,
            mask,
            tell=tell,
            negative_slope=self.negative_slope,
            self_loops=self.self_loops,
            drop=dropped(self),
            indices_are_sorted=self.indices_are_sorted,
        ).nodes
        return graph._replace(nodes=join_heads(self, heard, concat=self.concat, use_bias=self.use_bias))

    def _in_heads(self, name: str, inputs: int, dtype: DTypeLike, *, use_bias: bool) -> Callable:
        outputs = self.heads * self.features
        linear = kernel(self, f"{name}_kernel", inputs, outputs, dtype, of="edges" if name == "edge" else "nodes")
        shift = bias(self, f"{name}_bias", outputs, dtype) if use_bias else 0
        return lambda x: (x @ linear + shift).reshape(-1, self.heads, self.features)
