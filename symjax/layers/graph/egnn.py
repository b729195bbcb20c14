"""The E(n)-equivariant graph layer, with velocities and without positions (Satorras et al. 2021, arXiv:2102.09844)."""

from collections.abc import Callable
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import jraph
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from symjax.graphs import POINTS, PointNodes
from symjax.groups import E, S
from symjax.laws import Equivariance, Law
from symjax.math import safe_norm, segment_mean, segment_sum
from symjax.reps import Relabelling

MAX_MOVE = 100.0  # longest message to a position, against runaway coordinates early in training
EGNN_INIT = nn.initializers.variance_scaling(1 / 3, "fan_in", "uniform")  # unit variance learns far worse here


class EGNNEdges(NamedTuple):
    """Squared lengths, and an envelope that takes every message to zero at the cutoff."""

    squared: Float[Array, " e"]
    envelope: Float[Array, " e"]


def egnn_layer(
    project: Callable,
    message: Callable,
    move: Callable,
    push: Callable,
    update: Callable,
    graph: jraph.GraphsTuple,
    *,
    norm_diff: str | None = None,
) -> jraph.GraphsTuple:
    """Exchange one round of messages on a graph whose nodes are `PointNodes` and whose edges are invariants.

    With r_ij = x_i - x_j for an edge from sender j to receiver i, and (a_i, b_i) = project(h_i) (eqs. 3-7):

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
        norm_diff: what r_ij of a move is divided by: None nothing, "soft" |r_ij| + 1, "unit" |r_ij| + 1e-8, taken as a
            constant by derivatives, as in the authors' two programs.
    """
    h, x, v = graph.nodes
    n, senders, receivers = x.shape[0], graph.senders, graph.receivers
    received, sent = project(h)
    apart = x[receivers] - x[senders]
    squared = jnp.sum(apart**2, axis=-1, keepdims=True)
    invariants = squared if graph.edges is None else jnp.concatenate([squared, graph.edges], axis=-1)
    messages = message(received[receivers], sent[senders], invariants)
    moves = _shorten(_normalise(apart, norm_diff) * move(messages))
    return graph._replace(
        nodes=PointNodes(
            features=h + update(h, segment_sum(messages, receivers, n)),
            positions=x + segment_mean(moves, receivers, n) + push(h) * v,
            velocities=v,
        )
    )


def invariant_egnn_layer(
    project: Callable, message: Callable, update: Callable, graph: jraph.GraphsTuple
) -> jraph.GraphsTuple:
    """Exchange one round of messages between features, where positions stay (eqs. 3, 5 and 6).

    With (a_i, b_i) = project(h_i), and the envelope u_ij of an edge from sender j to receiver i:

        h_i <- h_i + update(h_i, sum_j u_ij message(a_i, b_j, |r_ij|^2))

    Args:
        project: features [n, c] to ([n, p], [n, q]), as in `egnn_layer`.
        message: ([e, p], [e, q], squared lengths [e, 1]) to messages [e, m].
        update: (features [n, c], summed messages [n, m]) to the change of the features [n, c].
        graph: nodes are features [n, c], edges `EGNNEdges`, receivers in rising order.
    """
    h, (squared, envelope) = graph.nodes, graph.edges
    received, sent = project(h)
    messages = message(received[graph.receivers], sent[graph.senders], squared[:, None]) * envelope[:, None]
    return graph._replace(
        nodes=h + update(h, segment_sum(messages, graph.receivers, h.shape[0], indices_are_sorted=True))
    )


def _normalise(vectors: Float[Array, "e d"], norm_diff: str | None) -> Float[Array, "e d"]:
    if norm_diff is None:
        return vectors
    lengths = safe_norm(vectors, keepdims=True)
    return vectors / (lengths + 1 if norm_diff == "soft" else jax.lax.stop_gradient(lengths) + 1e-8)


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


class _Messages(NamedTuple):
    """The two first arguments of `egnn_layer`."""

    project: Callable
    message: Callable


def _messages(layer: nn.Module, width: int, shape: tuple[int, int], dtype: DTypeLike, attention: bool) -> _Messages:
    """Return perceptrons of two silu layers on features and invariants of the sizes in `shape`, owned by the layer.

    With attention, messages are multiplied by sigmoid(linear(message)).
    """
    c, invariants = shape
    kernel = layer.param(
        "message_kernel", EGNN_INIT, (2 * c + invariants, width), dtype
    )  # receiver, sender, invariants
    bias = layer.param("message_bias", nn.initializers.zeros, (1, width), dtype)
    to_receiver, to_sender, to_invariants = jnp.split(kernel, (c, 2 * c))
    second = nn.Dense(width, kernel_init=EGNN_INIT, param_dtype=dtype, name="message")
    attend = nn.Dense(1, kernel_init=EGNN_INIT, param_dtype=dtype, name="attention") if attention else None

    def message(received: Array, sent: Array, invariants: Array) -> Array:
        told = nn.silu(second(nn.silu(received + sent + invariants @ to_invariants)))
        return told if attend is None else told * nn.sigmoid(attend(told))

    return _Messages(lambda h: (h @ to_receiver + bias, h @ to_sender), message)


class EGNNLayer(nn.Module):
    """`egnn_layer` with perceptrons of one hidden layer and the silu activation.

    Attributes:
        width: Size of the messages and of every hidden layer; the features keep their own.
        attention: Multiply each message by a number between 0 and 1 that it says itself.
        norm_diff: What the vectors of moves are divided by, None, "soft" or "unit"; see `egnn_layer`.
        tanh: Keep the lengths of moves between -1 and 1, in units of those vectors.
    """

    width: int
    attention: bool = False
    norm_diff: str | None = None
    tanh: bool = False

    def __post_init__(self):
        super().__post_init__()
        if self.norm_diff not in (None, "soft", "unit"):
            raise ValueError(f"expected norm_diff of None, 'soft' or 'unit', got {self.norm_diff!r}")

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """Motions move the positions and turn the velocities; the numbering of the nodes means nothing."""
        n, d = graph.nodes.positions.shape
        return Equivariance(E(d), POINTS, POINTS), Equivariance(S(n), Relabelling("points"), Relabelling("points"))

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple, attributes: Float[Array, "n a"] | None = None) -> jraph.GraphsTuple:
        """Return the graph with new features and positions; features are updated with the attributes, if any."""
        h = graph.nodes.features
        c, edge_features = h.shape[-1], 0 if graph.edges is None else graph.edges.shape[-1]
        project, message = _messages(self, self.width, (c, 1 + edge_features), h.dtype, self.attention)
        still = nn.initializers.variance_scaling(1e-6, "fan_avg", "uniform")  # positions hardly move at first
        move = _Perceptron(self.width, 1, use_bias=False, output_init=still, name="move")
        push = _Perceptron(self.width, 1, name="push")
        update = _Perceptron(self.width, c, name="update")
        return egnn_layer(
            project,
            message,
            lambda messages: jnp.tanh(move(messages)) if self.tanh else move(messages),
            push,
            lambda h, heard: update(_beside(h, heard, attributes)),
            graph,
            norm_diff=self.norm_diff,
        )


class InvariantEGNNLayer(nn.Module):
    """`invariant_egnn_layer` with perceptrons of one hidden layer and the silu activation.

    Attributes:
        width: Size of the messages and of every hidden layer; the features keep their own.
        attention: Multiply each message by a number between 0 and 1 that it says itself.
    """

    width: int
    attention: bool = True

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """The numbering of the nodes means nothing; motions leave features and lengths alone."""
        return (Equivariance(S(graph.nodes.shape[0]), Relabelling("atoms"), Relabelling("atoms")),)

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple, attributes: Float[Array, "n a"] | None = None) -> jraph.GraphsTuple:
        """Return the graph with new features; their updates read the attributes of nodes, if any."""
        c, dtype = graph.nodes.shape[-1], graph.nodes.dtype
        project, message = _messages(self, self.width, (c, 1), dtype, self.attention)
        update = _Perceptron(self.width, c, name="update")
        return invariant_egnn_layer(project, message, lambda h, heard: update(_beside(h, heard, attributes)), graph)


def _beside(*features: Array | None) -> Array:
    return jnp.concatenate([part for part in features if part is not None], axis=-1)
