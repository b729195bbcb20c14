"""Inputs of the cases: bodies, atoms, irreps, vectors of a representation, and positions with symmetries."""

import e3nn_jax as e3nn
import flax.linen as nn
import jax
import jax.numpy as jnp
import jraph
import numpy as np

from symjax.data.nbody import Systems, nbody_graph
from symjax.graphs import AtomEdges, AtomGlobals, AtomNodes
from symjax.layers.graph import DimeNetEdges, EGNNEdges, PaiNNEdges, PaiNNNodes, SchNetEdges
from symjax.reps import LinearRep

RANDOM = np.random.default_rng(4).uniform(-1.5, 1.5, (4, 3))
SYMMETRIC = {
    "collinear": np.outer([-1.5, -0.5, 0.5, 2.0], [1.0, 0.5, -0.3]),
    "planar": np.array([(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (-0.5, 0.8, 0.0), (-0.5, -0.8, 0.0)]),
    "inverted": np.array([(1.0, 0.2, 0.3), (-0.4, 0.9, -0.2), (-1.0, -0.2, -0.3), (0.4, -0.9, 0.2)]),
    "coincident": np.zeros((4, 3)),
    "single": np.ones((1, 3)),
}


def bodies(count: int, positions=None):
    """One system of moving, charged bodies, all joined."""
    normal = np.random.default_rng(0).standard_normal
    charges, (somewhere, velocities, targets) = normal((1, count)), normal((3, 1, count, 3))
    return nbody_graph(Systems(charges, somewhere if positions is None else positions[None], velocities, targets))


def all_pairs(nodes, edges, count: int, charge: float = 0.0, spin: float = 1.0):
    """A graph of one structure where every node hears from every other one; `edges(count)` are the edge features."""
    receivers, senders = np.nonzero(~np.eye(count, dtype=bool))
    sizes = np.array([count]), np.array([len(senders)])
    whole = AtomGlobals(np.zeros((1, 3, 3)), np.array([charge]), np.array([spin]))
    return jraph.GraphsTuple(nodes, edges(len(senders)), receivers, senders, whole, *sizes)


def atoms(positions, *, shift: float = 0.0, **state: float):
    """Atoms of two elements, all joined, every edge shifted to some image."""
    shifts = shift * np.random.default_rng(1).standard_normal((1000, 3))
    nodes = AtomNodes(np.asarray(positions, float), np.arange(len(positions)) % 2)
    return all_pairs(nodes, lambda count: AtomEdges(shifts[:count]), len(positions), **state)


def chained(positions):
    """Atoms of two elements, each joined to the one before and the one after."""
    graph = atoms(positions)
    near = np.abs(graph.senders - graph.receivers) == 1
    ends = {"senders": graph.senders[near], "receivers": graph.receivers[near], "n_edge": np.array([near.sum()])}
    return graph._replace(edges=AtomEdges(graph.edges.shifts[near]), **ends)


def irreps_array(irreps: str, count: int):
    irreps = e3nn.Irreps(irreps)
    return e3nn.IrrepsArray(irreps, np.random.default_rng(2).standard_normal((count, irreps.dim)))


def vectors(rep: LinearRep):
    """Three vectors of a representation, complex if its group is."""
    assert rep.group is not None
    real, imaginary = np.random.default_rng(5).standard_normal((2, 3, rep.size))
    return real if rep.group.is_real else real + 1j * imaginary


def on(rep: LinearRep, layer, *options, **named):
    """A layer that takes vectors of a representation."""
    return layer(rep, *options, **named), vectors(rep)


def plain(features: int | None = None):
    """Two graphs with unsorted edges, a double one, a loop, a node that only sends and a lonely one."""
    normal = np.random.default_rng(12).standard_normal
    senders, receivers = np.array([(0, 1), (0, 1), (2, 2), (3, 0), (1, 0), (2, 1), (5, 4), (4, 5), (6, 5)]).T
    edges = None if features is None else normal((len(senders), features))
    return jraph.GraphsTuple(normal((8, 4)), edges, receivers, senders, None, np.array([4, 4]), np.array([6, 3]))


def filtered(width: int):
    """Nodes with invariant features, all joined by edges with a radial basis and an envelope."""
    normal = np.random.default_rng(6).standard_normal
    return all_pairs(normal((5, width)), lambda e: SchNetEdges(normal((e, 3)), normal(e)), 5)


def crossed(width: int):
    """Edges with messages, shifts that leave some without a way back, directions and two bases."""
    normal = np.random.default_rng(11).standard_normal

    def edges(e: int):
        shifts = normal((e, 3)) * (np.arange(e) < 3)[:, None]
        return DimeNetEdges(normal((e, width)), shifts, normal((e, 3)), normal((e, 3)), normal((e, 3, 2)))

    return all_pairs(normal((5, 1)), edges, 5)


def spaced(width: int):
    """Nodes with invariant features, all joined by edges with a squared length and an envelope."""
    normal = np.random.default_rng(6).standard_normal
    return all_pairs(normal((5, width)), lambda e: EGNNEdges(normal(e) ** 2, normal(e)), 5)


def directed(width: int):
    """Nodes with scalars and vectors, all joined by edges with a direction, a radial basis and an envelope."""
    normal = np.random.default_rng(7).standard_normal
    nodes = PaiNNNodes(normal((5, width)), normal((5, width, 3)))
    return all_pairs(nodes, lambda e: PaiNNEdges(normal((e, 3)), normal((e, 3)), normal(e)), 5)


def without_edges(make):
    module, graph = make(RANDOM)
    edges = jax.tree.map(lambda x: x[:0], graph.edges)
    ends = {"senders": graph.senders[:0], "receivers": graph.receivers[:0], "n_edge": 0 * graph.n_edge}
    return module, graph._replace(edges=edges, **ends)


def members(count: int, channels: int = 2):
    """The members of a set."""
    return np.random.default_rng(8).standard_normal((count, channels))


class ByPlace(nn.Module):
    """The members times a matrix of their place, each or summed: whoever puts them in another order is found out."""

    features: int
    summed: bool

    @nn.compact
    def __call__(self, x, mask=None):
        kernel = self.param("kernel", nn.initializers.lecun_normal(), (x.shape[-1], self.features), x.dtype)
        y = jnp.sin(1.0 + jnp.arange(len(x), dtype=x.dtype))[:, None] * jnp.tanh(x @ kernel)
        return y.sum(axis=0) if self.summed else y


def series(instants: int, channels: int = 2):
    """What was measured at some instants, away from zero."""
    return 3 + np.random.default_rng(9).standard_normal((instants, channels)).cumsum(axis=0)
