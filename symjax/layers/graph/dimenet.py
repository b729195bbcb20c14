"""The interaction block of DimeNet++ (Gasteiger et al. 2020, arXiv:2011.14115), without a list of triplets."""

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import jraph
from jaxtyping import Array, Float, Int

from symjax.graphs import reverse_edges
from symjax.groups import E, S
from symjax.laws import Equivariance, Law
from symjax.math import segment_sum
from symjax.reps import OnGraph, Relabelling, Tree, Trivial, Vectors


class DimeNetEdges(NamedTuple):
    """Messages, shifts of the sender, unit vectors to it from the receiver, and two radial bases.

    Both bases vanish at the cutoff; `spherical` has a row for each degree.
    """

    messages: Float[Array, "e c"]
    shifts: Float[Array, "e 3"]
    directions: Float[Array, "e 3"]
    radial: Float[Array, "e b"]
    spherical: Float[Array, "e l n"]


DIRECTED_MESSAGES = OnGraph(
    nodes=Trivial(),
    edges=Tree(DimeNetEdges._make((Trivial(), Vectors(), Vectors(), Trivial(), Trivial()))),
    name="directed messages",
)


def sum_triplets(
    sent: Float[Array, "e m"], filters: Float[Array, "e l m"], graph: jraph.GraphsTuple, reverse: Int[Array, " e"]
) -> Float[Array, "e m"]:
    """Sum over the edges k -> j for each edge j -> i, but not over the one back to i, image included.

        sent_kj * sum_l filters_kj,l sqrt((2l + 1) / 4 pi) P_l(cos a)

    is summed, where a is the angle between i - j and j - k. Legendre polynomials of angles are sums of products,
    P_l(<x, y>) = sum_m Y_lm(x) Y_lm(y), so that the sums over k are sums at the atoms j: their cost is that of edges,
    not of pairs of edges, and they are smooth where atoms lie on a line.

    Args:
        sent: features of edges.
        filters: functions of their lengths, a row a degree.
        graph: nodes are any array [n, ...], edges `DimeNetEdges`, receivers in rising order.
        reverse: what `reverse_edges` says.
    """
    import e3nn_jax as e3nn  # a second that other models can do without

    edges, degrees = graph.edges, filters.shape[1]
    back = functools.partial(jnp.take, indices=reverse, axis=0, mode="fill", fill_value=0)
    total = jnp.zeros_like(sent)
    for degree in range(degrees):
        scale, sign = math.sqrt((2 * degree + 1) / (4 * math.pi)), (-1) ** degree
        weighted = sent * filters[:, degree] * scale
        irrep = e3nn.Irreps([(1, (degree, sign))])
        turned = e3nn.spherical_harmonics(irrep, edges.directions, normalize=False, normalization="norm").array
        density = segment_sum(
            turned[:, :, None] * weighted[:, None],
            graph.receivers,
            graph.nodes.shape[0],
            indices_are_sorted=True,
        )
        heard = jnp.sum(density[graph.senders] * turned[:, :, None], axis=1)
        total = total + heard - sign * back(weighted)
    return total


def dimenet_layer(
    stay: Callable,
    send: Callable,
    weigh: Callable,
    update: Callable,
    graph: jraph.GraphsTuple,
    reverse: Int[Array, " e"],
) -> jraph.GraphsTuple:
    """Let messages hear those that arrive where they start.

        x_ji <- update(x_ji, stay(x_ji), sum_k send(x_kj, radial_kj) * weigh(spherical_kj) P(angle))

    Args:
        stay: messages [e, c] to [e, c].
        send: (messages [e, c], radial bases [e, b]) to [e, m].
        weigh: spherical bases [e, l, n] to filters [e, l, m], linear.
        update: (messages [e, c], [e, c], sums [e, m]) to messages [e, c].
        graph: edges are `DimeNetEdges`, receivers in rising order.
        reverse: what `reverse_edges` says.
    """
    edges = graph.edges
    heard = sum_triplets(send(edges.messages, edges.radial), weigh(edges.spherical), graph, reverse)
    return graph._replace(edges=edges._replace(messages=update(edges.messages, stay(edges.messages), heard)))


class DimeNetLayer(nn.Module):
    """`dimenet_layer` with the perceptrons and residual blocks of DimeNet++ and the silu activation.

    Attributes:
        triplet_channels: Size of the messages where pairs of edges meet.
        basis_channels: Size of the linear layer between each basis and its filter.
        before: Number of residual blocks before the messages are added to the new ones.
        after: Number of residual blocks after.
        scale: What sums over neighbours are multiplied by.
    """

    triplet_channels: int = 64
    basis_channels: int = 8
    before: int = 1
    after: int = 2
    scale: float = 1.0

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """Motions turn the directions; the numbering of the nodes means nothing."""
        n = graph.nodes.shape[0]
        return (
            Equivariance(E(3), DIRECTED_MESSAGES, DIRECTED_MESSAGES),
            Equivariance(S(n), Relabelling("atoms"), Relabelling("atoms")),
        )

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple, reverse: Int[Array, " e"] | None = None) -> jraph.GraphsTuple:
        """Return the graph with new messages; `reverse` is what `reverse_edges` says of it, where that is known."""
        c, dtype = graph.edges.messages.shape[-1], graph.edges.messages.dtype
        dense = functools.partial(nn.Dense, kernel_init=nn.initializers.xavier_uniform(), param_dtype=dtype)
        linear = functools.partial(dense, use_bias=False)
        stay, send, down = dense(c, name="stay"), dense(c, name="send"), linear(self.triplet_channels, name="down")
        radial = linear(self.basis_channels, name="radial_hidden"), linear(c, name="radial")
        up, skip = linear(c, name="up"), dense(c, name="skip")
        residual = functools.partial(_Residual, c)
        before = [residual(name=f"before_{k}") for k in range(self.before)]
        after = [residual(name=f"after_{k}") for k in range(self.after)]

        def update(old: Array, kept: Array, heard: Array) -> Array:
            new = kept + jax.nn.silu(up(heard * self.scale))
            new = functools.reduce(lambda x, block: block(x), before, new)
            return functools.reduce(lambda x, block: block(x), after, jax.nn.silu(skip(new)) + old)

        return dimenet_layer(
            lambda x: jax.nn.silu(stay(x)),
            lambda x, basis: jax.nn.silu(down(jax.nn.silu(send(x)) * radial[1](radial[0](basis)))),
            self._weigh,
            update,
            graph,
            reverse_edges(graph) if reverse is None else reverse,
        )

    def _weigh(self, spherical: Float[Array, "e l n"]) -> Float[Array, "e l m"]:
        """Multiply each degree by its own part of a matrix of low rank, which joins all degrees."""
        _, degrees, count = spherical.shape
        init, dtype = nn.initializers.xavier_uniform(), spherical.dtype
        first = self.param("spherical_hidden", init, (degrees * count, self.basis_channels), dtype)
        second = self.param("spherical", init, (self.basis_channels, self.triplet_channels), dtype)
        return jnp.einsum("eln,lnm->elm", spherical, (first @ second).reshape(degrees, count, -1))


class _Residual(nn.Module):
    """Two dense layers with silu, added to their input."""

    channels: int

    @nn.compact
    def __call__(self, x: Float[Array, "e c"]) -> Float[Array, "e c"]:
        """Return the sum."""
        init = nn.initializers.xavier_uniform()
        first, second = (
            nn.Dense(self.channels, kernel_init=init, param_dtype=x.dtype, name=n) for n in ("first", "second")
        )
        return x + jax.nn.silu(second(jax.nn.silu(first(x))))
