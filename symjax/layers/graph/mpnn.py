"""Message passing with a matrix an edge, and gated updates (Gilmer et al. 2017, arXiv:1704.01212, section 5)."""

from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp
import jraph
from jaxtyping import Array, Float

from symjax.groups import S
from symjax.laws import Equivariance, Law
from symjax.layers.graph.edges import AGGREGATIONS, Mask, read_features, require_aggregation
from symjax.layers.graph.parameters import bias, kernel
from symjax.reps import Relabelling


def mpnn_layer(
    weigh: Callable[[Float[Array, "e d"]], Float[Array, "e c o"]],
    update: Callable[[Float[Array, "n c"], Float[Array, "n o"]], Float[Array, "n p"]],
    graph: jraph.GraphsTuple,
    mask: Mask = None,
    *,
    aggregation: str = "sum",
    indices_are_sorted: bool = False,
) -> jraph.GraphsTuple:
    """Send features through a matrix that each edge makes of its own features.

    With the features e_ij of an edge from sender j to receiver i:

        y_i = update(x_i, AGG_j x_j weigh(e_ij))

    Where nobody sends, AGG is zero.

    Args:
        weigh: features of edges to matrices.
        update: features and what was heard to new features.
        graph: nodes are features [n, c], edges features [e, d].
        mask: edges that count.
        aggregation: "sum", "mean" or "max".
        indices_are_sorted: promise that receivers never decrease.

    Raises:
        ValueError: features of edges are lacking, lengths disagree or the aggregation is unknown.
    """
    require_aggregation(aggregation)
    x, edges = graph.nodes, read_features(graph, mask)
    messages = jnp.einsum("ec,eco->eo", x[graph.senders], weigh(edges))
    heard = AGGREGATIONS[aggregation](
        messages, graph.receivers, x.shape[0], mask=mask, indices_are_sorted=indices_are_sorted
    )
    return graph._replace(nodes=update(x, heard))


class MPNNLayer(nn.Module):
    """`mpnn_layer` with a perceptron of one hidden layer that makes matrices, and relu, known as NNConv.

    Attributes:
        features: Outputs a node.
        hidden: Size of the hidden layer of the perceptron.
        aggregation: "sum", "mean" or "max".
        root: Add a linear map of the node itself.
        use_bias: Add a number to each output.
        gated: Let relu of what comes out change the node through a gated recurrent unit, whose state is the node.
        indices_are_sorted: As of `mpnn_layer`.
    """

    features: int
    hidden: int = 32
    aggregation: str = "sum"
    root: bool = True
    use_bias: bool = True
    gated: bool = False
    indices_are_sorted: bool = False

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """The numbering of the nodes means nothing."""
        return (Equivariance(S(graph.nodes.shape[0]), Relabelling("nodes"), Relabelling("nodes")),)

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple, mask: Mask = None) -> jraph.GraphsTuple:
        """Return the graph with new features.

        Raises:
            ValueError: the update is gated and the outputs are not as many as the inputs.
        """
        c, dtype = graph.nodes.shape[-1], graph.nodes.dtype
        if self.gated and c != self.features:
            raise ValueError(f"expected nodes with the {self.features} features that a gated layer returns, got {c}")
        hidden = kernel(self, "edge_kernel", read_features(graph, mask).shape[-1], self.hidden, dtype, of="edges")
        hidden_shift = bias(self, "edge_bias", self.hidden, dtype)
        matrix = nn.Dense(c * self.features, param_dtype=dtype, name="matrix")
        root = kernel(self, "root", c, self.features, dtype) if self.root else None
        shift = bias(self, "bias", self.features, dtype) if self.use_bias else 0
        gru = nn.GRUCell(self.features, param_dtype=dtype, name="gru") if self.gated else None

        def update(x: Array, heard: Float[Array, "n o"]) -> Float[Array, "n o"]:
            y = heard + shift if root is None else heard + x @ root + shift
            return y if gru is None else gru(x, nn.relu(y))[0]

        return mpnn_layer(
            lambda e: matrix(nn.relu(e @ hidden + hidden_shift)).reshape(-1, c, self.features),
            update,
            graph,
            mask,
            aggregation=self.aggregation,
            indices_are_sorted=self.indices_are_sorted,
        )
