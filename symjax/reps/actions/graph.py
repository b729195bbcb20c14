"""Actions on jraph graphs: on their fields, and by renaming their nodes."""

import dataclasses

import jax
import jax.numpy as jnp
import jraph
from jaxtyping import Array, Int

from symjax.reps.rep import Rep


@dataclasses.dataclass(frozen=True, repr=False)
class OnGraph:
    """A representation for each kind of field of a `GraphsTuple`; a field without one is invariant.

    A `name` is printed instead of the fields; it takes no part in comparisons.
    """

    nodes: Rep | None = None
    edges: Rep | None = None
    globals: Rep | None = None
    name: str = dataclasses.field(default="", compare=False)

    def act(self, g: object, x: jraph.GraphsTuple) -> jraph.GraphsTuple:
        """Return the graph with its fields moved by g and its edges joining the same nodes."""
        fields = {field: (rep, getattr(x, field)) for field, rep in self._reps().items()}
        return x._replace(**{field: rep.act(g, data) for field, (rep, data) in fields.items() if data is not None})

    def _reps(self) -> dict[str, Rep]:
        reps = {"nodes": self.nodes, "edges": self.edges, "globals": self.globals}
        return {field: rep for field, rep in reps.items() if rep is not None}

    def __repr__(self) -> str:
        fields = (f"{field}={rep!r}" for field, rep in self._reps().items())
        return f"OnGraph({f'name={self.name!r}' if self.name else ', '.join(fields)})"

    def __str__(self) -> str:
        return self.name or f"a graph of {', '.join(f'{field}: {rep}' for field, rep in self._reps().items())}"


def OnNodes(rep: Rep) -> OnGraph:
    """Return `rep` lifted from node features to the nodes of a `GraphsTuple`."""
    return OnGraph(nodes=rep)


@dataclasses.dataclass(frozen=True)
class Relabelling:
    """New names for the nodes of a `GraphsTuple`: S(n) permutes node features and the ends of edges follow.

    Nodes stay within their graph (in a batch of graphs the permutation is applied to the order inside each), and edges
    are listed by rising receiver again, as layers that sum over sorted receivers expect. `name` says in print what the
    nodes are; it takes no part in comparisons.
    """

    name: str = dataclasses.field(default="nodes", compare=False)

    def act(self, g: Int[Array, " n"], x: jraph.GraphsTuple) -> jraph.GraphsTuple:
        """Return the same graph with its nodes listed in another order."""
        rows = {leaf.shape[0] for leaf in jax.tree.leaves(x.nodes)}
        if rows - {g.shape[0]}:
            raise ValueError(f"the element permutes {g.shape[0]} places, but node features have {sorted(rows)} rows")
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

    def __str__(self) -> str:
        return f"{self.name} relabelled"
