"""The message and update blocks of PaiNN (Schütt et al. 2021, arXiv:2102.03150, eqs. 7-10)."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import jraph
from jaxtyping import Array, Float

from symjax.groups import E, S
from symjax.laws import Equivariance, Law
from symjax.math import segment_sum
from symjax.reps import OnGraph, Relabelling, Tree, Trivial, Vectors

SMOOTH = 1e-8  # added to squared norms: where all vectors vanish, as in a crystal at rest, forces stay continuous


class PaiNNNodes(NamedTuple):
    """Invariant features, and as many vectors."""

    scalars: Float[Array, "n c"]
    vectors: Float[Array, "n c 3"]


class PaiNNEdges(NamedTuple):
    """Unit vectors from receiver to sender, and a radial basis and an envelope that vanish at the cutoff."""

    directions: Float[Array, "e 3"]
    radial: Float[Array, "e b"]
    envelope: Float[Array, " e"]


SCALARS_AND_VECTORS = OnGraph(
    nodes=Tree(PaiNNNodes._make((Trivial(), Vectors()))),
    edges=Tree(PaiNNEdges._make((Vectors(), Trivial(), Trivial()))),
    name="scalars and vectors",
)


def painn_message(send: Callable, weigh: Callable, graph: jraph.GraphsTuple) -> jraph.GraphsTuple:
    """Add what the neighbours say to scalars s and vectors v (eqs. 7 and 8).

    With (a, b, c)_ij = send(s_j) * weigh(basis_ij) u_ij, the envelope u_ij and the direction r_ij of an edge from
    sender j to receiver i:

        s_i <- s_i + sum_j a_ij
        v_i <- v_i + sum_j (v_j b_ij + r_ij c_ij)

    Args:
        send: scalars [n, c] to [n, 3c].
        weigh: radial bases [e, b] to filters [e, 3c].
        graph: nodes are `PaiNNNodes`, edges `PaiNNEdges`, receivers in rising order.
    """
    (s, v), (directions, radial, envelope), senders = *graph[:2], graph.senders
    a, b, c = jnp.split(send(s)[senders] * (weigh(radial) * envelope[:, None]), 3, axis=-1)
    moved = v[senders] * b[..., None] + c[..., None] * directions[:, None]
    messages = jnp.concatenate([a[..., None], moved], axis=-1)
    heard = segment_sum(messages, graph.receivers, s.shape[0], indices_are_sorted=True)
    return graph._replace(nodes=PaiNNNodes(s + heard[..., 0], v + heard[..., 1:]))


def painn_update(mix: Callable, gate: Callable, nodes: PaiNNNodes) -> PaiNNNodes:
    """Let scalars and vectors of a node change each other (eqs. 9 and 10).

    With (U v, V v) = mix(v) and (p, q, r) = gate([s, |V v|]):

        s <- s + q + r <U v, V v>
        v <- v + p U v

    Args:
        mix: vectors [n, 3, c] to [n, 3, 2c], linear and without a bias.
        gate: features [n, 2c] to [n, 3c].
        nodes: scalars and vectors.
    """
    s, v = nodes
    u, w = jnp.split(mix(v.swapaxes(-1, -2)), 2, axis=-1)
    p, q, r = jnp.split(gate(jnp.concatenate([s, jnp.sqrt(jnp.sum(w**2, axis=-2) + SMOOTH)], axis=-1)), 3, axis=-1)
    return PaiNNNodes(s + q + r * jnp.sum(u * w, axis=-2), v + p[..., None] * u.swapaxes(-1, -2))


class PaiNNLayer(nn.Module):
    """`painn_message` and `painn_update`, with perceptrons of one hidden layer and the silu activation."""

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """Motions turn the vectors; the numbering of the nodes means nothing."""
        n = graph.nodes.scalars.shape[0]
        return (
            Equivariance(E(3), SCALARS_AND_VECTORS, SCALARS_AND_VECTORS),
            Equivariance(S(n), Relabelling("atoms"), Relabelling("atoms")),
        )

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple) -> jraph.GraphsTuple:
        """Return the graph with new scalars and vectors."""
        c, dtype = graph.nodes.scalars.shape[-1], graph.nodes.scalars.dtype
        dense = functools.partial(nn.Dense, kernel_init=nn.initializers.xavier_uniform(), param_dtype=dtype)
        send = dense(c, name="send_hidden"), dense(3 * c, name="send")
        gate = dense(c, name="gate_hidden"), dense(3 * c, name="gate")
        graph = painn_message(lambda s: send[1](jax.nn.silu(send[0](s))), dense(3 * c, name="filter"), graph)
        mix = dense(2 * c, use_bias=False, name="mix")
        return graph._replace(nodes=painn_update(mix, lambda x: gate[1](jax.nn.silu(gate[0](x))), graph.nodes))
