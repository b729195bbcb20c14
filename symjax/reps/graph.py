"""Actions on jraph graphs: on their fields, and by renaming their nodes."""

import dataclasses

import jax
import jax.numpy as jnp
import jraph
from jaxtyping import Array, Int

from symjax.reps.rep import Rep


@dataclasses.dataclass(frozen=True, repr=False)
class OnGraph:
    """A representation for each kind of field of a `GraphsTuple`; a field without one is invariant."""

    nodes: Rep | None = None
    edges: Rep | None = None
    globals: Rep | None = None

    def act(self, g: object, x: jraph.GraphsTuple) -> jraph.GraphsTuple:
        """Return the graph with its fields moved by g and its edges joining the same nodes."""
        fields = {name: (rep, getattr(x, name)) for name, rep in self._reps().items()}
        return x._replace(**{name: rep.act(g, data) for name, (rep, data) in fields.items() if data is not None})

    def _reps(self) -> dict[str, Rep]:
        reps = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: rep for name, rep in reps.items() if rep is not None}

    def __repr__(self) -> str:
        return f"OnGraph({', '.join(f'{name}={rep}' for name, rep in self._reps().items())})"


def OnNodes(rep: Rep) -> OnGraph:
    """Return `rep` lifted from node features to the nodes of a `GraphsTuple`."""
    return OnGraph(nodes=rep)


@dataclasses.dataclass(frozen=True)
class Relabelling:
    """New names for the nodes of a `GraphsTuple`: S(n) permutes node features and the ends of edges follow.

    Nodes stay within their graph (in a batch of graphs the permutation is applied to the order inside each), and edges
    are listed by rising receiver again, as layers that sum over sorted receivers expect.
    """

    def act(self, g: Int[Array, " n"], x: jraph.GraphsTuple) -> jraph.GraphsTuple:
        """Return the same graph with its nodes listed in another order."""
        names = {leaf.shape[0] for leaf in jax.tree.leaves(x.nodes)}
        if names - {g.shape[0]}:
            raise ValueError(f"the element permutes {g.shape[0]} places, but node features have {sorted(names)} rows")
        graph = jnp.repeat(jnp.arange(x.n_node.shape[0]), x.n_node, total_repeat_length=g.shape[0])
        order = g[jnp.argsort(graph[g], stable=True)]
        name = jnp.argsort(order).astype(x.receivers.dtype)
        receivers = name[x.receivers]
        edges = jnp.argsort(receivers, stable=True)
        return x._replace(
            nodes=jax.tree.map(lambda leaf: leaf[order], x.nodes),
            edges=jax.tree.map(lambda leaf: leaf[edges], x.edges),
            senders=name[x.senders][edges],
            receivers=receivers[edges],
        )
