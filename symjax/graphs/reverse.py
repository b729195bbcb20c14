"""The edge that goes the other way, image included."""

import jax
import jax.numpy as jnp
import jraph
from jaxtyping import Array, Int

GRAIN = 1024  # steps an Å in which shifts are compared: rounding is far smaller, images are far larger


def reverse_edges(graph: jraph.GraphsTuple) -> Int[Array, " e"]:
    """Return for each edge j -> i of a graph of atoms the edge i -> j with the opposite shift, e where there is none.

    Edges and their opposites are sorted together, so that those who meet are neighbours: e log e steps.
    """
    count = graph.senders.shape[0]
    ends = jnp.asarray(graph.senders), jnp.asarray(graph.receivers)
    steps = jnp.round(jnp.asarray(graph.edges.shifts) * GRAIN).astype(jnp.int32)
    keys = [jnp.concatenate([a, b]) for a, b in (ends, ends[::-1])]
    keys += [jnp.concatenate([step, -step]) for step in steps.T]
    order = jnp.arange(2 * count, dtype=jnp.int32)  # the last key: an edge stands before the opposite that meets it
    *keys, order = jax.lax.sort([*keys, order], num_keys=len(keys) + 1)
    met = jnp.all(jnp.stack([key[1:] == key[:-1] for key in keys]), axis=0)
    edges, opposites = order[:-1], order[1:]
    found = met & (edges < count) & (opposites >= count)
    places = jnp.where(found, opposites - count, count)
    return jnp.full(count, count, jnp.int32).at[places].set(edges, mode="drop")
