"""GraphSAGE: sample and aggregate (Hamilton et al. 2017, arXiv:1706.02216, algorithm 1), on whole neighbourhoods."""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jraph
from jaxtyping import Array, Float

from symjax.groups import S
from symjax.laws import Equivariance, Law
from symjax.layers.graph.edges import (
    AGGREGATIONS,
    Mask,
    at_least_single,
    require_aggregation,
    require_no_features,
)
from symjax.layers.graph.parameters import bias, kernel
from symjax.math import safe_divide, safe_norm
from symjax.reps import Relabelling


def sage_layer(
    send: Callable,
    update: Callable,
    graph: jraph.GraphsTuple,
    mask: Mask = None,
    *,
    aggregation: str = "mean",
    indices_are_sorted: bool = False,
) -> jraph.GraphsTuple:
    """Let every node hear the sum, the mean or the largest, channel by channel, of what its neighbours send.

        y_i = update(x_i, AGG_j send(x_j))

    Where nobody sends, AGG is zero.

    Args:
        send: features to messages [n, f].
        update: features and what was heard [n, f] to new features.
        graph: nodes are what `send` and `update` take, edges None.
        mask: edges that count.
        aggregation: "mean", "max" or "sum".
        indices_are_sorted: promise that receivers never decrease.

    Raises:
        ValueError: there are features of edges, lengths disagree or the aggregation is unknown.
    """
    require_aggregation(aggregation)
    require_no_features(graph, mask)
    sent = send(graph.nodes)
    heard = AGGREGATIONS[aggregation](
        sent[graph.senders], graph.receivers, sent.shape[0], mask=mask, indices_are_sorted=indices_are_sorted
    )
    return graph._replace(nodes=update(graph.nodes, heard))


class SAGELayer(nn.Module):
    """`sage_layer` with a linear map of what is heard, another one of the node itself, and a bias.

    Sums and means are taken after the linear map, which mostly makes features shorter and leaves the result the same.

    Attributes:
        features: Outputs a node.
        aggregation: "mean", "max" or "sum".
        project: Send relu(linear(x)), as long as x, in place of x.
        normalize: Divide the outputs of a node by their length.
        root: Add a linear map of the node itself.
        use_bias: Add a number to each output.
        indices_are_sorted: Receivers never decrease.
    """

    features: int
    aggregation: str = "mean"
    project: bool = False
    normalize: bool = False
    root: bool = True
    use_bias: bool = True
    indices_are_sorted: bool = False

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """The numbering of the nodes means nothing."""
        return (Equivariance(S(graph.nodes.shape[0]), Relabelling("nodes"), Relabelling("nodes")),)

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple, mask: Mask = None) -> jraph.GraphsTuple:
        """Return the graph with new features."""
        inputs, dtype = graph.nodes.shape[-1], graph.nodes.dtype
        linear = kernel(self, "kernel", inputs, self.features, dtype)
        root = kernel(self, "root", inputs, self.features, dtype) if self.root else None
        shift = bias(self, "bias", self.features, dtype) if self.use_bias else 0
        project = nn.Dense(inputs, param_dtype=dtype, name="project") if self.project else None
        first = self.aggregation != "max"

        def send(x: Any) -> Float[Array, "n f"]:
            sent = x if project is None else nn.relu(project(x))
            return sent @ linear if first else sent

        def update(x: Any, heard: Float[Array, "n f"]) -> Float[Array, "n o"]:
            y = (heard if first else heard @ linear) + shift
            y = y if root is None else y + x @ root
            return safe_divide(y, safe_norm(at_least_single(y), keepdims=True).astype(y.dtype)) if self.normalize else y

        return sage_layer(
            send, update, graph, mask, aggregation=self.aggregation, indices_are_sorted=self.indices_are_sorted
        )
