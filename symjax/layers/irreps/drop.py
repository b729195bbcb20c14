"""Dropout of attention, and of whole branches graph by graph (Huang et al. 2016, arXiv:1603.09382).

A module drops where its rate is above zero and `apply` has `rngs={"dropout": key}`; else it does nothing at all.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import jraph
from jaxtyping import Array, Float

from symjax.graphs import graph_index
from symjax.math import dropout


def drop_entries(module: nn.Module, rate: float, x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Return the `dropout` of x."""
    return dropout(x, rate, module.make_rng("dropout")) if rate and module.has_rng("dropout") else x


def drop_graphs(module: nn.Module, rate: float, graph: jraph.GraphsTuple, branch: Any) -> Any:
    """Return what a branch gives the nodes, where all nodes of a graph are dropped together, with one probability.

    Args:
        module: whose key is drawn from.
        rate: the probability.
        graph: says which nodes are together.
        branch: an array or an `IrrepsArray` [n, ...].
    """
    if not rate or not module.has_rng("dropout"):
        return branch
    shares = drop_entries(module, rate, jnp.ones(len(graph.n_node), branch.dtype))[graph_index(graph)]
    return jax.tree.map(lambda x: x * shares.reshape(-1, *(1,) * (x.ndim - 1)), branch)
