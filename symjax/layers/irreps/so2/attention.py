"""Graph attention whose messages are made in the frame of each edge (Liao et al. 2024, arXiv:2306.12059, fig. 2)."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import flax.linen as nn
import jax.numpy as jnp
import jraph
from jaxtyping import Array, Float

from symjax.groups import SO, O, S
from symjax.laws import Equivariance, Law
from symjax.layers.irreps.drop import drop_entries
from symjax.layers.irreps.equiformer_attention import (
    RadialProfile,
    attention_weights,
    layer_norm,
    smooth_leaky_relu,
)
from symjax.layers.irreps.so2.channels import DegreesLinear
from symjax.layers.irreps.so2.convolution import SO2Linear, degree_of, from_frames, natural, to_frames
from symjax.layers.irreps.so2.s2_activation import Kind, S2Activation
from symjax.math import frames, segment_sum, wigner_matrices
from symjax.reps import Angles, OnGraph, Relabelling, Tree, Trivial, Vectors

Wigner = tuple[Float[Array, "e _ _"], ...]


class FramedEdges(NamedTuple):
    """Vectors, invariant features, and an envelope that takes an edge away at the cutoff with its derivatives.

    `turn` is the angle by which the frame of each edge is turned about it, or None.
    """

    vectors: Float[Array, "e 3"]
    features: Float[Array, "e d"]
    envelope: Float[Array, " e"]
    turn: Float[Array, " e"] | None = None


def so2_attention(
    message: Callable,
    score: Callable,
    value: Callable,
    project: Callable,
    wigner: Wigner,
    graph: jraph.GraphsTuple,
    drop: Callable = lambda weights: weights,
) -> jraph.GraphsTuple:
    """Let every node hear its neighbours, turned into the frame of the edge and back.

    With D_ij of the frame of the edge from sender j to receiver i, and its share f_ij a_ij of `attention_weights`:

        z_ij, s_ij = message(D_ij [x_j | x_i])
        y_i = project(sum_j f_ij a_ij(score(s_ij)) D_ij^T value(z_ij))

    What neighbours say is divided among heads, channel by channel.

    Args:
        message: components in frames [e, components, 2 c] to components and invariants.
        score: invariants to logits [e, h].
        value: components to components [e, components, h v].
        project: heads side by side [n, k, h v] to features [n, k, o].
        wigner: D^l of the frames for each degree, the orders that messages have.
        graph: nodes are features [n, k, c], edges `FramedEdges`, receivers in rising order.
        drop: shares [e, h] to the same, some of them zero.
    """
    x, envelope, receivers = graph.nodes, graph.edges.envelope, graph.receivers
    both = jnp.concatenate([x[graph.senders], x[receivers]], axis=2)
    components, invariants = message(to_frames(wigner, both))
    weights = drop(attention_weights(score(invariants), envelope, receivers, x.shape[0]))
    values = value(components)
    heads = values.reshape(*values.shape[:2], weights.shape[1], values.shape[2] // weights.shape[1])
    said = from_frames(wigner, (heads * weights[:, None, :, None]).reshape(values.shape))
    return graph._replace(nodes=project(segment_sum(said, receivers, x.shape[0], indices_are_sorted=True)))


class SO2Attention(nn.Module):
    """`so2_attention` with an SO(2) linear map weighed by the edge, an activation on the sphere, and another map.

    Logits are a_h . smooth_leaky_relu(norm(alpha_h)), where alpha are invariants of the message.

    Attributes:
        features: Channels of the output.
        m_max: The largest order.
        hidden: Channels of the message.
        heads: Number of heads.
        alpha: Invariants of a head.
        value: Channels of a head.
        activation: "silu" on a grid of the sphere, or the exact "product".
        resolution: Points of the grid in each direction.
        radial_widths: Hidden layers of the radial network.
        reflections: Whether it commutes with reflections too.
        alpha_drop: Share of the attention that is dropped, where `apply` has `rngs={"dropout": key}`.
    """

    features: int
    m_max: int
    hidden: int = 64
    heads: int = 8
    alpha: int = 64
    value: int = 16
    activation: Kind = "silu"
    resolution: int = 18
    radial_widths: tuple[int, ...] = (128, 128)
    reflections: bool = False
    alpha_drop: float = 0.0

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """Rotations turn features and vectors; frames may be turned about their edges; nodes have any numbering."""
        shown, turned = natural(degree_of(graph.nodes)), graph.edges.turn is not None
        fields = Vectors(), Trivial(), Trivial(), Trivial() if turned else None
        rep = OnGraph(nodes=shown, edges=Tree(FramedEdges._make(fields)), name=str(shown))
        tolerance = self._activation(degree_of(graph.nodes)).tolerance
        laws = [
            Equivariance(O(3) if self.reflections else SO(3), rep, rep, tolerance=tolerance),
            Equivariance(S(graph.nodes.shape[0]), Relabelling(), Relabelling()),
        ]
        if turned:
            about = Tree(FramedEdges._make((Trivial(), Trivial(), Trivial(), Angles())))
            turns = OnGraph(edges=about, name="turns of the frames")
            laws.append(Equivariance(SO(2), turns, turns, tolerance=tolerance))
        return tuple(laws)

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple, wigner: Wigner | None = None) -> jraph.GraphsTuple:
        """Return the graph with new features; `wigner` is of the frames of its edges, for who has it already."""
        l_max, dtype = degree_of(graph.nodes), graph.nodes.dtype
        channels, orders = 2 * graph.nodes.shape[2], sum(l_max + 1 - m for m in range(self.m_max + 1))
        activate = self._activation(l_max)
        scale = RadialProfile((*self.radial_widths, orders * channels), name="radial")(graph.edges.features)
        scale = scale.reshape(len(scale), orders, channels)
        invariants = self.heads * self.alpha + self.hidden
        first = SO2Linear(activate.width(self.hidden), l_max, self.m_max, invariants, self.reflections, name="first")
        second = SO2Linear(self.heads * self.value, l_max, self.m_max, 0, self.reflections, name="second")

        def message(x: Float[Array, "e components c"]) -> tuple[Array, Array]:
            components, found = first(x, scale)
            alpha, gates = jnp.split(found, [self.heads * self.alpha], axis=1)
            return activate(components, gates), alpha

        def score(alpha: Float[Array, "e a"]) -> Float[Array, "e h"]:
            normed = layer_norm(dtype, "norm")(alpha.reshape(len(alpha), self.heads, self.alpha))
            weights = self.param("score", nn.initializers.lecun_normal(), (self.heads, self.alpha), dtype)
            return jnp.sum(smooth_leaky_relu(normed) * weights[None], axis=2)

        if wigner is None:
            rotations = frames(graph.edges.vectors, turn=graph.edges.turn)
            wigner = wigner_matrices(l_max, rotations, m_max=self.m_max)
        project = DegreesLinear(self.features, name="project")
        drop = functools.partial(drop_entries, self, self.alpha_drop)
        return so2_attention(message, score, lambda z: second(z)[0], project, wigner, graph, drop)

    def _activation(self, l_max: int) -> S2Activation:
        return S2Activation(self.activation, l_max, self.m_max, self.resolution)
