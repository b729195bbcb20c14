"""From nodes to one vector a graph: sums, means, maxima, and Set2Set (Vinyals et al. 2016, arXiv:1511.06391).

A graph without nodes reads as zero. A `mask` [n] is False at nodes that are not there; padding of a batch has graphs
of its own and needs none.
"""

from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp
import jraph
from jaxtyping import Array, Bool, Float

from symjax.graphs import graph_index
from symjax.groups import S
from symjax.laws import Equivariance, Law
from symjax.math import segment_max, segment_mean, segment_softmax, segment_sum
from symjax.reps import Relabelling, Trivial

NodeMask = Bool[Array, " n"] | None


def sum_nodes(graph: jraph.GraphsTuple, mask: NodeMask = None) -> Float[Array, "g c"]:
    """Return the sum of the features of the nodes of each graph."""
    return _over_nodes(segment_sum, graph, mask)


def mean_nodes(graph: jraph.GraphsTuple, mask: NodeMask = None) -> Float[Array, "g c"]:
    """Return the mean of the features of the nodes of each graph."""
    return _over_nodes(segment_mean, graph, mask)


def max_nodes(graph: jraph.GraphsTuple, mask: NodeMask = None) -> Float[Array, "g c"]:
    """Return the largest of the features of the nodes of each graph, channel by channel."""
    return _over_nodes(segment_max, graph, mask)


def _over_nodes(reduce: Callable, graph: jraph.GraphsTuple, mask: NodeMask) -> Float[Array, "g c"]:
    return reduce(graph.nodes, graph_index(graph), len(graph.n_node), mask=mask, indices_are_sorted=True)


class Set2Set(nn.Module):
    """A recurrent unit that looks at the nodes of each graph several times and says what it saw in the end, [q, r].

    With q and r zero at first, and x the features of the nodes (eqs. 3-7):

        q <- LSTM([q, r])
        r <- sum_i softmax_i(q . x_i) x_i

    Attributes:
        steps: How often it looks.
    """

    steps: int

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """The numbering of the nodes means nothing."""
        return (Equivariance(S(graph.nodes.shape[0]), Relabelling("nodes"), Trivial()),)

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple, mask: NodeMask = None) -> Float[Array, "g d"]:
        """Return twice as many numbers a graph as a node has features."""
        x = graph.nodes if mask is None else jnp.where(mask[:, None], graph.nodes, 0)
        owner, count = graph_index(graph), len(graph.n_node)
        cell = nn.OptimizedLSTMCell(x.shape[-1], param_dtype=x.dtype, name="lstm")
        query = read = jnp.zeros((count, x.shape[-1]), x.dtype)
        carry = query, query
        for _ in range(self.steps):
            carry, query = cell(carry, jnp.concatenate([query, read], axis=-1))
            logits = jnp.sum(x * query[owner], axis=-1)
            share = segment_softmax(logits, owner, count, mask=mask, indices_are_sorted=True)
            read = segment_sum(share[:, None] * x, owner, count, indices_are_sorted=True)
        return jnp.concatenate([query, read], axis=-1)
