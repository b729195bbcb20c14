"""The interaction block of SchNet, a continuous-filter convolution (Schütt et al. 2017, arXiv:1706.08566, fig. 2)."""

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import flax.linen as nn
import jax
import jraph
from jaxtyping import Array, Float

from symjax.groups import S
from symjax.laws import Equivariance, Law
from symjax.math import segment_sum
from symjax.reps import Relabelling


class SchNetEdges(NamedTuple):
    """A radial basis of the edge lengths, and an envelope that takes every message to zero at the cutoff."""

    radial: Float[Array, "e b"]
    envelope: Float[Array, " e"]


def schnet_layer(send: Callable, weigh: Callable, update: Callable, graph: jraph.GraphsTuple) -> jraph.GraphsTuple:
    """Exchange one round of messages on a graph whose nodes are invariant features and whose edges are `SchNetEdges`.

    With the radial basis b_ij and the envelope u_ij of an edge from sender j to receiver i:

        h_i <- h_i + update(sum_j send(h_j) * weigh(b_ij) u_ij)

    where * goes channel by channel: a convolution whose filter is a function of the distance.

    Args:
        send: features [n, c] to [n, f].
        weigh: radial bases [e, b] to filters [e, f].
        update: summed messages [n, f] to the change of the features [n, c].
        graph: nodes are features [n, c], receivers in rising order.
    """
    h, (radial, envelope) = graph.nodes, graph.edges
    messages = send(h)[graph.senders] * (weigh(radial) * envelope[:, None])
    heard = segment_sum(messages, graph.receivers, h.shape[0], indices_are_sorted=True)
    return graph._replace(nodes=h + update(heard))


def shifted_softplus(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Return log(1 + exp(x)) - log(2), which is smooth and zero at zero."""
    return jax.nn.softplus(x) - math.log(2)


class SchNetLayer(nn.Module):
    """`schnet_layer` with perceptrons of one hidden layer and the shifted softplus.

    Attributes:
        filters: Size of the messages; the features keep their own.
    """

    filters: int

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """The numbering of the nodes means nothing; motions leave features and lengths alone."""
        return (Equivariance(S(graph.nodes.shape[0]), Relabelling("atoms"), Relabelling("atoms")),)

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple) -> jraph.GraphsTuple:
        """Return the graph with new features."""
        c, dtype = graph.nodes.shape[-1], graph.nodes.dtype
        dense = functools.partial(nn.Dense, kernel_init=nn.initializers.xavier_uniform(), param_dtype=dtype)
        weigh = dense(self.filters, name="filter_hidden"), dense(self.filters, name="filter")
        update = dense(c, name="update_hidden"), dense(c, name="update")
        return schnet_layer(
            dense(self.filters, use_bias=False, name="send"),
            lambda radial: weigh[1](shifted_softplus(weigh[0](radial))),
            lambda heard: update[1](shifted_softplus(update[0](heard))),
            graph,
        )
