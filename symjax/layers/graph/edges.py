"""What plain layers read off the edges of a graph: which count, their weights and features, and where messages go.

Nodes are features [n, c]; they may be a sparse matrix of `jax.experimental.sparse` where a layer begins with a linear
map. Edges come in any order, double ones count twice, and a `mask` [e] is False at edges that are not there.
"""

from typing import Any

import jax.numpy as jnp
import jraph
import numpy as np
from jax.typing import DTypeLike
from jaxtyping import Array, Bool, Float

from symjax.math import segment_max, segment_mean, segment_sum

AGGREGATIONS = {"sum": segment_sum, "mean": segment_mean, "max": segment_max}

Mask = Bool[Array, " e"] | None


def require_aggregation(name: str) -> None:
    """Refuse an aggregation that is not in `AGGREGATIONS`.

    Raises:
        ValueError: it is not.
    """
    if name not in AGGREGATIONS:
        raise ValueError(f"expected an aggregation of {', '.join(AGGREGATIONS)}, got {name!r}")


def at_least_single(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Return halves in single precision: float16 overflows in squares, bfloat16 cannot count past 256."""
    return x.astype(jnp.float32) if x.dtype.itemsize < 4 else x


def not_loops(graph: jraph.GraphsTuple, mask: Mask) -> Bool[Array, " e"]:
    """Return which edges count and join two different nodes."""
    joining = graph.senders != graph.receivers
    return joining if mask is None else joining & mask


def read_weights(graph: jraph.GraphsTuple, mask: Mask, dtype: DTypeLike) -> Float[Array, " e"]:
    """Return the weights of the edges, zero where these do not count; ones where the graph has none.

    Raises:
        ValueError: the edges hold anything but one weight each; the mask has another length than the edges; or an end
            of an edge is no node.
    """
    _require(graph, mask)
    weights = jnp.ones(len(graph.senders), dtype) if graph.edges is None else graph.edges
    if jnp.ndim(weights) != 1:
        raise ValueError(
            f"expected one weight for each edge, of shape [{len(graph.senders)}], or no edges, got features of shape "
            f"{weights.shape}; use a layer that reads features, such as GATv2Layer, or choose one column"
        )
    _require_length(graph, "weights", weights)
    return _present(weights, mask)


def read_features(graph: jraph.GraphsTuple, mask: Mask) -> Float[Array, "e d"]:
    """Return the features of the edges, zero where these do not count.

    Raises:
        ValueError: there are none or not one row for each edge; the mask has another length than the edges; or an end
            of an edge is no node.
    """
    _require(graph, mask)
    features = graph.edges
    if features is None or jnp.ndim(features) != 2:
        got = "none" if features is None else f"an array of shape {features.shape}"
        raise ValueError(f"expected features of edges, [{len(graph.senders)}, d], got {got}; give them as `edges`")
    _require_length(graph, "features", features)
    return _present(features, mask)


def require_no_features(graph: jraph.GraphsTuple, mask: Mask) -> None:
    """Refuse features of edges, which would be ignored.

    Raises:
        ValueError: there are some; the mask has another length than the edges; or an end of an edge is no node.
    """
    _require(graph, mask)
    if graph.edges is not None:
        raise ValueError(
            f"expected a graph without features of edges, got some of shape {graph.edges.shape}; use one that "
            "reads them (GINELayer, MPNNLayer, GATLayer and GATv2Layer with edge_features=True) or set `edges` to None"
        )


def _require(graph: jraph.GraphsTuple, mask: Mask) -> None:
    """Indices on the host are looked at; jax itself would take the nearest node for one that is out of range."""
    _require_length(graph, "a mask", mask)
    count = graph.nodes.shape[0]
    for name in ("senders", "receivers"):
        ends = getattr(graph, name)
        if isinstance(ends, np.ndarray) and len(bad := ends[(ends < 0) | (ends >= count)]):
            raise ValueError(f"expected {name} among the nodes 0 to {count - 1}, got {bad[0]}")


def _require_length(graph: jraph.GraphsTuple, name: str, rows: Any) -> None:
    if rows is not None and len(rows) != len(graph.senders):
        raise ValueError(
            f"expected {name} of one row for each of the {len(graph.senders)} edges, got {len(rows)}; "
            "list them in the order of `senders` and `receivers`"
        )


def _present(rows: Array, mask: Mask) -> Array:
    """Whatever stands where an edge does not count, NaN included, reaches neither the value nor a gradient."""
    return rows if mask is None else jnp.where(mask.reshape(-1, *[1] * (rows.ndim - 1)), rows, 0)
