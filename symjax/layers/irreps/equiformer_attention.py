"""Equivariant graph attention of Equiformer (Liao and Smidt 2023, arXiv:2206.11990, sec. 4.2)."""

import functools
import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import e3nn_jax as e3nn
import flax.linen as nn
import jax
import jax.numpy as jnp
import jraph
from jax.typing import DTypeLike
from jaxtyping import Array, Float, Int

from symjax.groups import O, S
from symjax.laws import Equivariance, Law
from symjax.layers.irreps.drop import drop_entries
from symjax.layers.irreps.gate import gate, gated_irreps, scaled_sigmoid
from symjax.layers.irreps.linear import IrrepsLinear, irreps_blocks
from symjax.layers.irreps.tensor_product import tensor_product, tensor_product_paths
from symjax.math import segment_softmax, segment_sum
from symjax.reps import Axis, Irreps, OnGraph, Relabelling, Tree, Trivial

Messages = Literal["nonlinear", "linear", "dot-product"]


class AttentionEdges(NamedTuple):
    """Spherical harmonics of the edge directions, a radial basis, and an envelope that vanishes at the cutoff."""

    harmonics: e3nn.IrrepsArray
    radial: Float[Array, "e b"]
    envelope: Float[Array, " e"]


def smooth_leaky_relu(x: Float[Array, "..."], *, slope: float = 0.2) -> Float[Array, "..."]:
    """Return (1 + a) / 2 x + (1 - a) / 2 x (2 sigmoid(x) - 1), which goes from a x to x."""
    return (1 + slope) / 2 * x + (1 - slope) / 2 * x * (2 * jax.nn.sigmoid(x) - 1)


def scaled_leaky_relu(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Return `smooth_leaky_relu` over its root mean square under a standard normal input."""
    return 1.529087143556854 * smooth_leaky_relu(x)


def attention_weights(
    scores: Float[Array, "e h"], envelope: Float[Array, " e"], receivers: Int[Array, " e"], n: int
) -> Float[Array, "e h"]:
    """Return f_ij a_ij for each edge and head, with a_ij = f_ij exp(s_ij) / sum_k f_ik exp(s_ik).

    A neighbour at the cutoff, where the envelope f vanishes with its derivatives, counts neither in the sum nor alone:
    without the first f it would push the others aside, and without the second the last neighbour has a weight of one.
    The reference has neither.

    Args:
        scores: s.
        envelope: f, at least zero where it is inside the cutoff.
        receivers: node i of each edge, in rising order.
        n: number of nodes.
    """
    inside = jnp.maximum(envelope, 0)
    shares = segment_softmax(scores, receivers, n, weights=inside, indices_are_sorted=True)
    return shares * inside[:, None]


def sum_heads(
    weights: Float[Array, "e h"], values: e3nn.IrrepsArray, receivers: Int[Array, " e"], n: int
) -> e3nn.IrrepsArray:
    """Return sum_j w_ij v_ij, each head with its own weight of an edge and its own channels of every irrep."""
    sums = []
    for block in irreps_blocks(values):
        weighted = _heads(block, weights.shape[1]) * weights[:, None, :, None]
        sums.append(segment_sum(weighted.reshape(block.shape), receivers, n, indices_are_sorted=True))
    return e3nn.from_chunks(values.irreps, [jnp.swapaxes(s, 1, 2) for s in sums], (n,), values.dtype)


def equiformer_attention(
    send: Callable,
    receive: Callable,
    tell: Callable,
    project: Callable,
    graph: jraph.GraphsTuple,
    drop: Callable = lambda weights: weights,
) -> jraph.GraphsTuple:
    """Return a graph in which every node has what it attends to.

        (s_ij, v_ij) = tell(send(x_j) + receive(x_i), edge ij),    x_i <- project(sum_j f_ij a_ij v_ij)

    with the weights f a of `attention_weights`, some of which may be dropped.

    Args:
        send: linear map of the features of the sender.
        receive: likewise of the receiver.
        tell: features of edges and the edges to scores [e, heads] and values, irreps with their heads side by side.
        project: linear map.
        graph: nodes are an `IrrepsArray`, edges `AttentionEdges`, receivers in rising order.
        drop: weights [e, heads] to the same, some of them zero.
    """
    x, edges, n = graph.nodes, graph.edges, graph.nodes.shape[0]
    scores, values = tell(send(x)[graph.senders] + receive(x)[graph.receivers], edges)
    weights = drop(attention_weights(scores, edges.envelope, graph.receivers, n))
    return graph._replace(nodes=project(sum_heads(weights, values, graph.receivers, n)))


def dot_products(queries: e3nn.IrrepsArray, keys: e3nn.IrrepsArray, heads: int) -> Float[Array, "e h"]:
    """Return q . k for each head, every irrep over the root of its dimension, and all over that of their number."""
    total = jnp.zeros((keys.shape[0], heads), keys.dtype)
    for q, k in zip(irreps_blocks(queries), irreps_blocks(keys), strict=True):
        total += jnp.sum(_heads(q * k, heads), axis=(1, 3)) / math.sqrt(k.shape[1])
    return total / math.sqrt(keys.irreps.num_irreps / heads)


def _heads(block: Float[Array, "e k c"], heads: int) -> Float[Array, "e k h d"]:
    return block.reshape(*block.shape[:2], heads, block.shape[2] // heads)


def layer_norm(dtype: DTypeLike, name: str) -> nn.LayerNorm:
    """Return a layer norm that computes in its own precision."""
    return nn.LayerNorm(1e-5, param_dtype=dtype, use_fast_variance=False, force_float32_reductions=False, name=name)


class RadialProfile(nn.Module):
    """A perceptron of a radial basis, with layer norms before its silus, and a bias; it does not vanish anywhere.

    Attributes:
        widths: Sizes of the layers; the last one is linear.
    """

    widths: tuple[int, ...]

    def laws(self, x: Float[Any, "e b"]) -> tuple[Law, ...]:
        """The numbering of the edges means nothing."""
        return (Equivariance(S(x.shape[0]), Axis(0), Axis(0)),)

    @nn.compact
    def __call__(self, x: Float[Array, "e b"]) -> Float[Array, "e w"]:
        """Return the weights of each edge."""
        scaled = nn.initializers.variance_scaling(1 / 3, "fan_in", "uniform")
        for layer, width in enumerate(self.widths):
            if layer:
                x = jax.nn.silu(layer_norm(x.dtype, f"norm_{layer}")(x))
            x = nn.Dense(width, param_dtype=x.dtype, kernel_init=scaled, name=f"dense_{layer}")(x)
        return x


class EquiformerAttention(nn.Module):
    """`equiformer_attention` with its own weights: products with harmonics, and scores of the paper or dot products.

    Of a "nonlinear" message a linear map gives the scores, a . leaky(...), and a gate and a second product the values;
    of a "linear" one both come at once; for a "dot-product" keys and values do, and the queries from the receiver.

    Attributes:
        irreps: Wanted output.
        head_irreps: Values of a head; its even scalars are as many as there are channels for its score.
        heads: How many.
        messages: Which of the three.
        radial_widths: Hidden layers of the radial network.
        alpha_drop: Share of the weights that are dropped, where `apply` has `rngs={"dropout": key}`.
    """

    irreps: str
    head_irreps: str
    heads: int = 4
    messages: Messages = "nonlinear"
    radial_widths: tuple[int, ...] = (64, 64)
    alpha_drop: float = 0.0

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """Rotations and reflections turn features and harmonics; the numbering of the nodes means nothing."""
        return attention_laws(graph, self.irreps)

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple) -> jraph.GraphsTuple:
        """Return the graph with what each node attends to."""
        own = str(graph.nodes.irreps)
        send, receive = IrrepsLinear(own, bias=True, name="send"), IrrepsLinear(own, name="receive")
        tells = {"nonlinear": self._nonlinear, "linear": self._linear, "dot-product": self._dot_product(graph)}
        project = IrrepsLinear(self.irreps, bias=True, name="project")
        drop = functools.partial(drop_entries, self, self.alpha_drop)
        return equiformer_attention(send, receive, tells[self.messages], project, graph, drop)

    def _values(self) -> e3nn.Irreps:
        """Return the irreps of the values of all heads, side by side."""
        return e3nn.Irreps([(self.heads * mul, ir) for mul, ir in e3nn.Irreps(self.head_irreps)])

    def _nonlinear(self, x: e3nn.IrrepsArray, edges: AttentionEdges) -> tuple[Float[Array, "e h"], e3nn.IrrepsArray]:
        message = self._radial_product(x, edges, x.irreps)
        gated = IrrepsLinear(str(gated_irreps(x.irreps)), bias=True, name="gated")(message)
        opened, values = gate(gated, scaled_sigmoid), self._values()
        paths = tensor_product_paths(opened.irreps, edges.harmonics.irreps, values)
        width = sum(path.target.mul for path in paths)
        weights = self.param("product", nn.initializers.normal(1.0), (1, width), x.dtype)
        product = tensor_product(opened, edges.harmonics, weights, paths=paths)
        return self._scores(message), IrrepsLinear(str(values), bias=True, name="values")(product)

    def _linear(self, x: e3nn.IrrepsArray, edges: AttentionEdges) -> tuple[Float[Array, "e h"], e3nn.IrrepsArray]:
        message = self._radial_product(x, edges, self._values())
        return self._scores(message), IrrepsLinear(str(self._values()), bias=True, name="values")(message)

    def _dot_product(self, graph: jraph.GraphsTuple) -> Callable:
        def tell(x: e3nn.IrrepsArray, edges: AttentionEdges) -> tuple[Float[Array, "e h"], e3nn.IrrepsArray]:
            message, irreps = self._radial_product(x, edges, self._values()), str(self._values())
            queries = IrrepsLinear(irreps, bias=True, name="queries")(graph.nodes)[graph.receivers]
            keys = IrrepsLinear(irreps, bias=True, name="keys")(message)
            return dot_products(queries, keys, self.heads), IrrepsLinear(irreps, bias=True, name="values")(message)

        return tell

    def _radial_product(self, x: e3nn.IrrepsArray, edges: AttentionEdges, keep: e3nn.Irreps) -> e3nn.IrrepsArray:
        """Return products with the harmonics, weighted by a function of the distance, of irreps to keep and scalars."""
        paths = tensor_product_paths(x.irreps, edges.harmonics.irreps, keep + e3nn.Irreps("0e"))
        profile = RadialProfile((*self.radial_widths, sum(path.target.mul for path in paths)), name="radial")
        return tensor_product(x, edges.harmonics, profile(edges.radial), paths=paths)

    def _scores(self, message: e3nn.IrrepsArray) -> Float[Array, "e h"]:
        channels = e3nn.Irreps(self.head_irreps).count(e3nn.Irrep(0, 1))
        told = IrrepsLinear(f"{self.heads * channels}x0e", bias=True, name="scores")(message).array
        dot = self.param("dot", nn.initializers.xavier_uniform(), (self.heads, channels), message.dtype)
        return jnp.sum(scaled_leaky_relu(told).reshape(len(told), self.heads, channels) * dot[None], axis=-1)


def attention_laws(graph: jraph.GraphsTuple, outputs: str) -> tuple[Law, ...]:
    """Rotations and reflections turn features and harmonics; the numbering of the nodes means nothing."""
    edges = Tree(AttentionEdges._make((Irreps(str(graph.edges.harmonics.irreps)), Trivial(), Trivial())))

    def rep(features: str) -> OnGraph:
        return OnGraph(nodes=Irreps(features), edges=edges, name=features)

    turned = Equivariance(O(3), rep(str(graph.nodes.irreps)), rep(outputs))
    return turned, Equivariance(S(graph.nodes.shape[0]), Relabelling(), Relabelling())
