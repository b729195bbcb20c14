"""EGNN that predicts where moving bodies will be (Satorras et al. 2021, arXiv:2102.09844, sec. 5.1)."""

import flax.linen as nn
import jraph

from symjax.laws import Law
from symjax.layers.graph import EGNN_INIT, EGNNLayer


class EGNN(nn.Module):
    """Embed the features linearly, then pass `layers` rounds of messages; the last positions are the prediction.

    The graph's nodes are `PointNodes`, its edges None or invariants [e, k]; any units. The published model of five
    charged bodies has the defaults, the speed |v_i| as node feature and [q_i q_j, |x_i - x_j|^2] on the edges.

    Attributes:
        width: Number of features of a node and of a message.
        layers: Number of `EGNNLayer`s.
        attention: Multiply each message by a number between 0 and 1 that it says itself.
        norm_diff: What the vectors of moves are divided by, None, "soft" or "unit"; see `egnn_layer`.
        tanh: Keep the lengths of moves between -1 and 1, in units of those vectors.
    """

    width: int = 64
    layers: int = 4
    attention: bool = False
    norm_diff: str | None = None
    tanh: bool = False

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """Motions move the positions and turn the velocities; the numbering of the bodies means nothing."""
        return EGNNLayer(self.width, parent=None).laws(graph)

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple) -> jraph.GraphsTuple:
        """Return the graph with its last features and positions."""
        h = graph.nodes.features
        embedding = nn.Dense(self.width, kernel_init=EGNN_INIT, param_dtype=h.dtype, name="embedding")
        graph = graph._replace(nodes=graph.nodes._replace(features=embedding(h)))
        for layer in range(self.layers):
            graph = EGNNLayer(self.width, self.attention, self.norm_diff, self.tanh, name=f"layer_{layer}")(graph)
        return graph
