"""A transformer along a graph of causes: variables attend to what causes them (Liu et al. 2024, arXiv:2410.10044)."""

import functools
from collections.abc import Callable
from typing import Any, Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from symjax.laws import Causality, Law
from symjax.math import attention

Edges = tuple[tuple[int, int], ...]


def visible(edges: Edges, variables: int, relation: str = "parents") -> Bool[np.ndarray, "d d"]:
    """Return which variables each one sees, `[seer, seen]`: its parents or its ancestors, never itself.

    Args:
        edges: pairs (cause, effect) of numbers of variables.
        variables: how many there are.
        relation: "parents" or "ancestors".

    Raises:
        ValueError: an edge has an end that is no variable, the edges form a cycle, which is named, or the relation is
            neither.
    """
    if relation not in ("parents", "ancestors"):
        raise ValueError(f'expected the relation "parents" or "ancestors", got {relation!r}')
    graph = np.zeros((variables, variables), bool)
    for edge in edges:
        if not all(0 <= end < variables for end in edge):
            raise ValueError(f"expected edges between the variables 0, ..., {variables - 1}, got {edge}")
        graph[edge] = True
    ancestors = np.asarray(Causality.ancestors(graph).allowed).reshape(graph.shape)
    return ancestors if relation == "ancestors" else graph.T


def topological_order(edges: Edges, variables: int) -> Int[np.ndarray, " d"]:
    """Return the variables, each after all its causes: by the number of their ancestors."""
    return np.argsort(visible(edges, variables, "ancestors").sum(axis=1), kind="stable")


def generate(
    mechanism: Callable[[Float[Array, "d c"]], Float[Array, "d c"]],
    order: Int[np.ndarray, " d"],
    *,
    do: Bool[Array, " d"],
    values: Float[Array, "d c"],
) -> Float[Array, "d c"]:
    """Return x with x_i = values_i where do_i, and x_i = mechanism(x)_i elsewhere, one variable after the other.

    Interventions are data: one program serves all of them, and `jax.vmap` many at once. What is random is drawn
    before: a mechanism with additive noise is `lambda x: model.apply(params, x) + noise`.

    Args:
        mechanism: values to what every variable would be; row i depends on the causes of i alone.
        order: every variable after its causes.
        do: which variables are set.
        values: what they are set to.
    """

    def set_next(x: Float[Array, "d c"], i: Int[Array, ""]) -> tuple[Float[Array, "d c"], None]:
        return x.at[i].set(jnp.where(do[i], values[i], mechanism(x)[i])), None

    return jax.lax.scan(set_next, jnp.zeros_like(values), jnp.asarray(order))[0]


class DagTransformer(nn.Module):
    """What each variable of a causal graph is expected to be, given those that cause it.

    A variable asks with a learned query of its own, and never with its value; it hears from the tokens of its causes,
    t_j = x_j W_j + b_j, in every layer from the same ones:

        q_i <- q_i + attention(q_i, {t_j : j causes i}),   q_i <- q_i + mlp(q_i),   y_i = q_i R_i + r_i

    so that no layer lets a value in by way of others, and a root answers with its query alone.

    Attributes:
        edges: Pairs (cause, effect) of numbers of variables.
        relation: Whether causes are the parents, as for the mechanisms of a structural model, or all ancestors.
        outputs: Numbers that come out for each variable: a mean, or the logits of its classes.
        width: Channels of queries and tokens.
        layers: How often the queries ask.
        heads: Heads of attention.
    """

    edges: Edges
    relation: Literal["parents", "ancestors"] = "parents"
    outputs: int = 1
    width: int = 32
    layers: int = 2
    heads: int = 4

    def laws(self, x: Float[Any, "d c"]) -> tuple[Law, ...]:
        """A variable sees what causes it, and not itself."""
        return (Causality(visible(self.edges, x.shape[0], self.relation)),)

    @nn.compact
    def __call__(self, x: Float[Array, "d c"]) -> Float[Array, "d o"]:
        """Return what is expected of each variable; x [d, c] are values, or classes as one-hot vectors."""
        (d, c), dtype = x.shape, x.dtype
        if self.width % self.heads:
            raise ValueError(f"expected a width that {self.heads} heads divide, got {self.width}")
        mask = jnp.asarray(visible(self.edges, d, self.relation))
        init, zeros = nn.initializers.lecun_normal(batch_axis=0), nn.initializers.zeros
        dense = functools.partial(nn.Dense, self.width, param_dtype=dtype)
        split = (d, self.heads, self.width // self.heads)

        tokens = jnp.einsum("dc,dcw->dw", x, self.param("embed", init, (d, c, self.width), dtype))
        tokens = tokens + self.param("embed_bias", nn.initializers.normal(1.0), (d, self.width), dtype)
        queries = self.param("queries", nn.initializers.normal(1.0), (d, self.width), dtype)
        for i in range(self.layers):
            asked = dense(name=f"query_{i}")(queries).reshape(split)
            key, value = (dense(name=f"{name}_{i}")(tokens).reshape(split) for name in ("key", "value"))
            heard = attention(asked, key, value, mask=mask).reshape(d, self.width)
            queries = queries + dense(name=f"heard_{i}")(heard)
            queries = queries + dense(name=f"update_{i}")(nn.gelu(dense(name=f"hidden_{i}")(queries)))
        read = self.param("read", init, (d, self.width, self.outputs), dtype)
        return jnp.einsum("dw,dwo->do", queries, read) + self.param("bias", zeros, (d, self.outputs), dtype)
