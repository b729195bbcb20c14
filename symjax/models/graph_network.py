"""Layers of one kind in a stack: a network with outputs of nodes, of edges or of graphs."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal

import flax.linen as nn
import jax.numpy as jnp
import jraph
import numpy as np
from flax.core import FrozenDict
from jax.experimental.sparse import BCOO
from jaxtyping import Array, Bool, Float

from symjax.groups import S
from symjax.laws import Causality, Equivariance, Hops, Law
from symjax.layers import graph as room
from symjax.math import dropout
from symjax.reps import Relabelling

Make = Callable[..., nn.Module]


READOUTS: Mapping[str, Callable[[], Callable[[jraph.GraphsTuple], Any]]] = MappingProxyType(
    {
        "sum": lambda: room.sum_nodes,
        "mean": lambda: room.mean_nodes,
        "max": lambda: room.max_nodes,
        "set2set": lambda: room.Set2Set(3, name="set2set"),
    }
)


def _heads(layer: Make) -> Make:
    """Return a layer whose heads stand side by side and share its features, or are averaged where it is the last."""

    def make(features: int, *, last: bool, heads: int = 1, **options: Any) -> nn.Module:
        if not last and features % heads:
            raise ValueError(f"expected a width that {heads} heads divide, got {features}")
        return layer(features if last else features // heads, heads=heads, concat=not last, **options)

    return make


def _plain(layer: Make) -> Make:
    def make(features: int, *, last: bool, **options: Any) -> nn.Module:
        return layer(features, **options)

    return make


OF = "nodes", "edges", "graphs"

LAYERS: Mapping[str, Make] = MappingProxyType(
    {
        "gcn": _plain(room.GCNLayer),
        "sage": _plain(room.SAGELayer),
        "gat": _heads(room.GATLayer),
        "gatv2": _heads(room.GATv2Layer),
        "gin": _plain(room.GINLayer),
        "gine": _plain(room.GINELayer),
        "mpnn": _plain(room.MPNNLayer),
    }
)


class Affine(nn.Module):
    """y = x scale + shift, channel by channel: what a batch norm is once its statistics stand."""

    def laws(self, x: Float[Any, "n c"]) -> tuple[Law, ...]:
        """Rows do not know one another."""
        return (Causality(np.eye(x.shape[0])),)

    @nn.compact
    def __call__(self, x: Float[Array, "n c"]) -> Float[Array, "n c"]:
        """Return x stretched and shifted."""
        scale = self.param("scale", nn.initializers.ones, (x.shape[-1],), x.dtype)
        shift = self.param("shift", nn.initializers.zeros, (x.shape[-1],), x.dtype)
        return x * scale[None] + shift[None]


class GraphNetwork(nn.Module):
    """A stack of graph layers; every one but a last one that makes the outputs is followed by norm and activation.

        h <- drop(h),  h <- activation(norm(layer(h))) [+ h]

    Attributes:
        outputs: Numbers that come out for each node, edge or graph.
        layer: One of `LAYERS`.
        width: Features in between, of all heads together.
        layers: How many.
        of: What the outputs are of. Those of nodes are the last layer's; those of edges a linear map of what their
            sender and their receiver became, those of graphs of what their nodes became together.
        readout: How the nodes of a graph come together.
        activation: Between layers.
        norm: Makes a module [n, c] to [n, c] of a name, such as `nn.LayerNorm`; None for no norm.
        skip: Add what goes into a layer to what comes out, where they have the same features.
        dropout: Share of what goes into a layer that is dropped, where `apply` has `rngs={"dropout": key}`.
        options: Of all layers, as their modules have them.
        last: Of the last layer, besides.
    """

    outputs: int
    layer: str = "gcn"
    width: int = 16
    layers: int = 2
    of: Literal["nodes", "edges", "graphs"] = "nodes"
    readout: str = "sum"
    activation: Callable = nn.relu
    norm: Make | None = None
    skip: bool = False
    dropout: float = 0.0
    options: Mapping[str, Any] = FrozenDict()
    last: Mapping[str, Any] = FrozenDict()

    def __post_init__(self):
        for name in ("options", "last"):
            object.__setattr__(self, name, FrozenDict(getattr(self, name)))
        if min(sizes := (self.outputs, self.width, self.layers)) < 1:
            raise ValueError(f"expected at least one of outputs, width and layers each, got {sizes}")
        super().__post_init__()

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """The numbering of the nodes means nothing, and so many layers let a node see so many hops."""
        relabelled = Relabelling("nodes")
        numbering = Equivariance(S(graph.nodes.shape[0]), relabelled, relabelled)
        return (numbering, Hops(self.layers)) if self.of == "nodes" else (numbering,)

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple, mask: Bool[Array, " e"] | None = None) -> jraph.GraphsTuple:
        """Return the graph with the outputs as its nodes, edges or globals.

        Args:
            graph: nodes are features [n, c], for a first layer that begins with a linear map also a BCOO.
            mask: edges that count.
        """
        if graph.nodes.ndim != 2 or not jnp.issubdtype(graph.nodes.dtype, jnp.floating):
            raise ValueError(
                f"expected real features of nodes [n, c], got {graph.nodes.dtype}{list(graph.nodes.shape)}"
            )
        for name, table in (("layer", LAYERS), ("readout", READOUTS), ("of", OF)):
            if getattr(self, name) not in table:
                raise ValueError(f"expected `{name}` among {', '.join(table)}, got {getattr(self, name)!r}")
        for k in range(self.layers):
            graph = self._layer(k, graph, mask)
        if self.of == "nodes":
            return graph
        nodes = graph.nodes
        if self.of == "edges":
            joined = jnp.concatenate([nodes[graph.senders], nodes[graph.receivers]], axis=-1)
            return graph._replace(edges=self._linear(joined))
        return graph._replace(globals=self._linear(READOUTS[self.readout]()(graph)))

    def _layer(self, k: int, graph: jraph.GraphsTuple, mask: Any) -> jraph.GraphsTuple:
        makes_outputs = self.of == "nodes" and k == self.layers - 1
        features = self.outputs if makes_outputs else self.width
        options = {**self.options, **self.last} if makes_outputs else self.options
        layer = LAYERS[self.layer](features, last=makes_outputs, name=f"layer_{k}", **options)
        out = layer(graph._replace(nodes=self._dropped(graph.nodes)), mask)
        if makes_outputs:
            return out
        h = out.nodes if self.norm is None else self.norm(name=f"norm_{k}")(out.nodes)
        h = self.activation(h)
        return out._replace(nodes=graph.nodes + h if self.skip and graph.nodes.shape == h.shape else h)

    def _dropped(self, x: Any) -> Any:
        """Return x after the dropout; of a sparse matrix the entries that it stores are what may be dropped."""
        if not self.has_rng("dropout"):
            return x
        key = self.make_rng("dropout")
        if isinstance(x, BCOO):
            data = dropout(x.data, self.dropout, key)
            return BCOO((data, x.indices), shape=x.shape, indices_sorted=True, unique_indices=True)
        return dropout(x, self.dropout, key)

    def _linear(self, x: Float[Array, "_ c"]) -> Float[Array, "_ o"]:
        return nn.Dense(self.outputs, param_dtype=x.dtype, name="readout")(x)
