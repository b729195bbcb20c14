"""One case for each public layer and model: a module and an input in float64, on which tests/test_laws.py runs.

A new layer or model gets one line, `"name": lambda: (module, x)`. Inputs so degenerate that the output may ignore them
(a single atom, no edges) go into `DEGENERATE`: there laws hold and gradients are finite too, but without edges may
hold vacuously.
"""

import functools
from collections.abc import Callable
from typing import Any

import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import jraph
import numpy as np

from symjax import layers, models
from symjax.data.nbody import Systems, nbody_graph
from symjax.graphs import AtomEdges, AtomGlobals, AtomNodes
from symjax.groups import O13, SL, SO, SU, O, O2eR3, S
from symjax.layers.graph import SchNetEdges, SchNetLayer
from symjax.models.atoms import SchNet
from symjax.reps import Det, LinearRep, Scalar, T, V

Case = Callable[[], tuple[Any, Any]]


def _bodies(count: int, positions=None):
    """One system of moving, charged bodies, all joined."""
    normal = np.random.default_rng(0).standard_normal
    charges, (somewhere, velocities, targets) = normal((1, count)), normal((3, 1, count, 3))
    return nbody_graph(Systems(charges, somewhere if positions is None else positions[None], velocities, targets))


def _all_pairs(nodes, edges, count: int):
    """A graph of one structure where every node hears from every other one; `edges(count)` are the edge features."""
    receivers, senders = np.nonzero(~np.eye(count, dtype=bool))
    sizes = np.array([count]), np.array([len(senders)])
    cell = AtomGlobals(np.zeros((1, 3, 3)))
    return jraph.GraphsTuple(nodes, edges(len(senders)), receivers, senders, cell, *sizes)


def _atoms(positions, *, shift: float = 0.0):
    """Atoms of two elements, all joined, every edge shifted to some image."""
    shifts = shift * np.random.default_rng(1).standard_normal((1000, 3))
    nodes = AtomNodes(np.asarray(positions, float), np.arange(len(positions)) % 2)
    return _all_pairs(nodes, lambda count: AtomEdges(shifts[:count]), len(positions))


def _irreps(irreps: str, count: int):
    irreps = e3nn.Irreps(irreps)
    return e3nn.IrrepsArray(irreps, np.random.default_rng(2).standard_normal((count, irreps.dim)))


def _vectors(rep: LinearRep):
    """Three vectors of a representation, complex if its group is."""
    assert rep.group is not None
    real, imaginary = np.random.default_rng(5).standard_normal((2, 3, rep.size))
    return real if rep.group.is_real else real + 1j * imaginary


def _on(rep: LinearRep, layer, *options, **named):
    """A layer that takes vectors of a representation."""
    return layer(rep, *options, **named), _vectors(rep)


def _standardized(rep_in: LinearRep, rep_out: LinearRep):
    x, y = 2 * _vectors(rep_in) + 1, 3 * _vectors(rep_out) + 2
    model = layers.EquivariantLinear(rep_in, rep_out)
    return layers.Standardize(model, layers.fit_standard(rep_in, x), layers.fit_standard(rep_out, y)), x


def _features(irreps: str, positions):
    """Nodes of two species with features, all joined by edges with harmonics and a radial basis."""
    count, radial = len(positions), np.random.default_rng(3).standard_normal
    nodes = layers.InteractionNodes(_irreps(irreps, count), np.arange(count) % 2)
    graph = _all_pairs(nodes, lambda e: None, count)
    vectors = positions[graph.senders] - positions[graph.receivers]
    harmonics = e3nn.spherical_harmonics("0e + 1o + 2e", jnp.asarray(vectors), normalize=True)
    return graph._replace(edges=layers.InteractionEdges(harmonics, radial((len(vectors), 3))), globals=None)


def _filtered(width: int):
    """Nodes with invariant features, all joined by edges with a radial basis and an envelope."""
    normal = np.random.default_rng(6).standard_normal
    return _all_pairs(normal((5, width)), lambda e: SchNetEdges(normal((e, 3)), normal(e)), 5)


def _without_edges(make):
    module, graph = make(RANDOM)
    edges = jax.tree.map(lambda x: x[:0], graph.edges)
    ends = {"senders": graph.senders[:0], "receivers": graph.receivers[:0], "n_edge": 0 * graph.n_edge}
    return module, graph._replace(edges=edges, **ends)


TENSORS, SPRINGS = (2 * Scalar + V + T(2))(O(3)), (4 * V)(O2eR3())
RANDOM = np.random.default_rng(4).uniform(-1.5, 1.5, (4, 3))
SYMMETRIC = {
    "collinear": np.outer([-1.5, -0.5, 0.5, 2.0], [1.0, 0.5, -0.3]),
    "planar": np.array([(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (-0.5, 0.8, 0.0), (-0.5, -0.8, 0.0)]),
    "inverted": np.array([(1.0, 0.2, 0.3), (-0.4, 0.9, -0.2), (-1.0, -0.2, -0.3), (0.4, -0.9, 0.2)]),
    "coincident": np.zeros((4, 3)),
    "single": np.ones((1, 3)),
}

CASES: dict[str, Case] = {
    "EGNNLayer": lambda: (layers.EGNNLayer(width=6), _bodies(5)),
    "EGNN": lambda: (models.EGNN(width=6, layers=2), _bodies(5)),
    "IrrepsLinear": lambda: (layers.IrrepsLinear("3x0e + 2x1o + 1x0o"), _irreps("2x0e + 1x1o + 3x0o + 2x1o", 3)),
    "Interaction": lambda: (
        layers.Interaction("2x1o + 3x0e + 1x0o + 2x2o", 2, 3.0, (4,)),
        _features("2x0e + 3x1e", RANDOM),
    ),
    "SchNetLayer": lambda: (SchNetLayer(filters=4), _filtered(6)),
    "SchNet": lambda: (
        SchNet(2, 3.0, outputs="2x0e", channels=4, filters=3, radial_basis=5),
        _atoms(RANDOM, shift=0.2),
    ),
    "NequIP": lambda: (models.NequIP(2, 3.0, channels=2, layers=2), _atoms(RANDOM, shift=0.2)),
    "NequIP of both parities": lambda: (
        models.NequIP(2, 3.0, channels=2, layers=3, lmax=1, parity=True),
        _atoms(RANDOM),
    ),
    "EquivariantLinear of O(3)": lambda: _on(TENSORS, layers.EquivariantLinear, (V + T(2) + Det * V + Scalar)(O(3))),
    "EquivariantLinear of SL(2)": lambda: _on((2 * V.T + T(1, 1))(SL(2)), layers.EquivariantLinear, V + T(1, 1)),
    "EquivariantLinear of SU(2)": lambda: _on((V + T(1, 1))(SU(2)), layers.EquivariantLinear, V.T + T(1, 1) + Scalar),
    "EquivariantLinear of a product": lambda: _on(
        V(SO(3)) + V(S(3)) + Scalar, layers.EquivariantLinear, V(SO(3)) * V(S(3)) + V(S(3))
    ),
    "Bilinear of O(3)": lambda: _on(TENSORS, layers.Bilinear),
    "Bilinear of SU(2)": lambda: _on((V + V.T + T(1, 1) + T(2) + Scalar)(SU(2)), layers.Bilinear),
    "Gated": lambda: (layers.Gated(TENSORS), _vectors(layers.gated_rep(TENSORS))),
    "Pointwise": lambda: _on((V + T(2))(S(4)), layers.Pointwise),
    "Standardize": lambda: _standardized(TENSORS, (V + Scalar)(O(3))),
    "EMLPBlock": lambda: _on((Scalar + 2 * V)(O(3)), models.EMLPBlock, TENSORS),
    "EMLP of O(3)": lambda: _on((Scalar + 2 * V)(O(3)), models.EMLP, T(2), channels=30, layers=2),
    "EMLP of O(1, 3)": lambda: _on((3 * V)(O13()), models.EMLP, V + Scalar, channels=40, layers=1),
    "EMLP of S(4)": lambda: _on((2 * V)(S(4)), models.EMLP, T(2) + V, channels=30, layers=1),
    "EMLP of SU(2)": lambda: _on((2 * V)(SU(2)), models.EMLP, V + T(1, 1), channels=30, layers=1),
    "MLP": lambda: (models.MLP(2, channels=8, layers=2), RANDOM),
    "HamiltonianNet": lambda: _on(SPRINGS, lambda rep: models.HamiltonianNet(models.EMLP(rep, Scalar, 12, 1))),
}

SMALL: dict[str, Callable[[Any], tuple[Any, Any]]] = {
    "EGNN": lambda positions: (models.EGNN(width=4, layers=2), _bodies(len(positions), positions)),
    "Interaction": lambda positions: (
        layers.Interaction("1x0e + 1x1o", 2, 3.0, (4,)),
        _features("1x0e + 1x1e", positions),
    ),
    "SchNet": lambda positions: (SchNet(2, 3.0, channels=4, filters=3, radial_basis=5), _atoms(positions)),
    "NequIP": lambda positions: (models.NequIP(2, 3.0, channels=2, layers=2), _atoms(positions)),
}
DEGENERATE: dict[str, Case] = {
    f"{name}, {kind}": functools.partial(make, positions)
    for name, make in SMALL.items()
    for kind, positions in SYMMETRIC.items()
} | {f"{name}, no edges": functools.partial(_without_edges, make) for name, make in SMALL.items()}
