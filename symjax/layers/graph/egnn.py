"""The E(n)-equivariant graph layer with velocities (Satorras et al. 2021, arXiv:2102.09844, eqs. 3-7)."""

from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp
import jraph
from jaxtyping import Array, Float

from symjax.graphs import POINTS, PointNodes
from symjax.groups import E, S
from symjax.laws import Equivariance, Law
from symjax.math import segment_mean, segment_sum
from symjax.reps import Relabelling

MAX_MOVE = 100.0  # longest message to a position, against runaway coordinates early in training
EGNN_INIT = nn.initializers.variance_scaling(1 / 3, "fan_in", "uniform")  # unit variance learns far worse here


def egnn_layer(
    project: Callable, message: Callable, move: Callable, push: Callable, update: Callable, graph: jraph.GraphsTuple
) -> jraph.GraphsTuple:
    """Exchange one round of messages on a graph whose nodes are `PointNodes` and whose edges are invariants.

    With r_ij = x_i - x_j for an edge from sender j to receiver i, and (a_i, b_i) = project(h_i):

        m_ij = message(a_i, b_j, [|r_ij|^2, e_ij])
        x_i  <- x_i + mean_j r_ij move(m_ij) + push(h_i) v_i
        h_i  <- h_i + update(h_i, sum_j m_ij)

    The velocities stay those of the input and `push` sees the features before their update, as in the authors' code.
    Vectors r_ij move(m_ij) longer than 100 are shortened to that; the authors clip their components, which breaks the
    symmetry where it happens.

    Args:
        project: features [n, c] to ([n, p], [n, q]), what a node contributes to the messages it receives and to those
            it sends. `lambda h: (h, h)` is the textbook; a linear map done here runs once a node, not once an edge.
        message: ([e, p], [e, q], invariants [e, 1 + edge features]) to messages [e, m].
        move: messages [e, m] to the lengths of the moves [e, 1], in units of r_ij.
        push: features [n, c] to times [n, 1].
        update: (features [n, c], summed messages [n, m]) to the change of the features [n, c].
        graph: positions and velocities in any units; `edges` is None or an array [e, k].
    """
    h, x, v = graph.nodes
    n, senders, receivers = x.shape[0], graph.senders, graph.receivers
    received, sent = project(h)
    apart = x[receivers] - x[senders]
    squared = jnp.sum(apart**2, axis=-1, keepdims=True)
    invariants = squared if graph.edges is None else jnp.concatenate([squared, graph.edges], axis=-1)
    messages = message(received[receivers], sent[senders], invariants)
    moves = _shorten(apart * move(messages))
    return graph._replace(
        nodes=PointNodes(
            features=h + update(h, segment_sum(messages, receivers, n)),
            positions=x + segment_mean(moves, receivers, n) + push(h) * v,
            velocities=v,
        )
    )


def _shorten(vectors: Float[Array, "e d"]) -> Float[Array, "e d"]:
    """Scale vectors longer than MAX_MOVE to that length, and leave the others exactly as they are."""
    squared = jnp.sum(vectors**2, axis=-1, keepdims=True)
    return vectors * (MAX_MOVE / jnp.sqrt(jnp.maximum(squared, MAX_MOVE**2)))


class _Perceptron(nn.Module):
    """A dense layer, silu, and a second dense layer."""

    hidden: int
    outputs: int
    use_bias: bool = True
    output_init: nn.initializers.Initializer = EGNN_INIT

    @nn.compact
    def __call__(self, x: Float[Array, "n i"]) -> Float[Array, "n o"]:
        """Return the outputs, row by row."""
        hidden = nn.Dense(self.hidden, kernel_init=EGNN_INIT, param_dtype=x.dtype, name="hidden")
        output = nn.Dense(self.outputs, self.use_bias, kernel_init=self.output_init, param_dtype=x.dtype, name="output")
        return output(nn.silu(hidden(x)))


class EGNNLayer(nn.Module):
    """`egnn_layer` with perceptrons of one hidden layer and the silu activation.

    Attributes:
        width: Size of the messages and of every hidden layer; the features keep their own.
    """

    width: int

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """Motions move the positions and turn the velocities; the numbering of the nodes means nothing."""
        n, d = graph.nodes.positions.shape
        return Equivariance(E(d), POINTS, POINTS), Equivariance(S(n), Relabelling("points"), Relabelling("points"))

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple) -> jraph.GraphsTuple:
        """Return the graph with new features and positions."""
        h = graph.nodes.features
        c, edge_features = h.shape[-1], 0 if graph.edges is None else graph.edges.shape[-1]
        kernel_shape = (2 * c + 1 + edge_features, self.width)  # receiver, sender, distance, edge
        kernel = self.param("message_kernel", EGNN_INIT, kernel_shape, h.dtype)
        bias = self.param("message_bias", nn.initializers.zeros, (1, self.width), h.dtype)
        to_receiver, to_sender, to_invariants = jnp.split(kernel, (c, 2 * c))

        still = nn.initializers.variance_scaling(1e-6, "fan_avg", "uniform")  # positions hardly move at first
        second = nn.Dense(self.width, kernel_init=EGNN_INIT, param_dtype=h.dtype, name="message")
        move = _Perceptron(self.width, 1, use_bias=False, output_init=still, name="move")
        push = _Perceptron(self.width, 1, name="push")
        update = _Perceptron(self.width, c, name="update")
        return egnn_layer(
            lambda h: (h @ to_receiver + bias, h @ to_sender),
            lambda received, sent, invariants: nn.silu(second(nn.silu(received + sent + invariants @ to_invariants))),
            move,
            push,
            lambda h, heard: update(jnp.concatenate([h, heard], axis=-1)),
            graph,
        )
