"""One case for each public layer and model: a module and an input in float64, on which tests/test_laws.py runs.

A new layer or model gets one line, `"name": lambda: (module, x)`. Inputs so degenerate that the output may ignore them
(a single atom, no edges) go into `DEGENERATE`: there laws hold and gradients are finite too, but without edges may
hold vacuously.
"""

import functools
from collections.abc import Callable
from typing import Any

import e3nn_jax as e3nn
import jax.numpy as jnp
import jraph
import numpy as np

from symjax import layers, models
from symjax.data.nbody import Systems, nbody_graph
from symjax.graphs import AtomEdges, AtomGlobals, AtomNodes

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


def _features(irreps: str, positions):
    """Nodes of two species with features, all joined by edges with harmonics and a radial basis."""
    count, radial = len(positions), np.random.default_rng(3).standard_normal
    nodes = layers.InteractionNodes(_irreps(irreps, count), np.arange(count) % 2)
    graph = _all_pairs(nodes, lambda e: None, count)
    vectors = positions[graph.senders] - positions[graph.receivers]
    harmonics = e3nn.spherical_harmonics("0e + 1o + 2e", jnp.asarray(vectors), normalize=True)
    return graph._replace(edges=layers.InteractionEdges(harmonics, radial((len(vectors), 3))), globals=None)


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
    "NequIP": lambda: (models.NequIP(2, 3.0, channels=2, layers=2), _atoms(RANDOM, shift=0.2)),
    "NequIP of both parities": lambda: (
        models.NequIP(2, 3.0, channels=2, layers=3, lmax=1, parity=True),
        _atoms(RANDOM),
    ),
}

SMALL: dict[str, Callable[[Any], tuple[Any, Any]]] = {
    "EGNN": lambda positions: (models.EGNN(width=4, layers=2), _bodies(len(positions), positions)),
    "Interaction": lambda positions: (
        layers.Interaction("1x0e + 1x1o", 2, 3.0, (4,)),
        _features("1x0e + 1x1e", positions),
    ),
    "NequIP": lambda positions: (models.NequIP(2, 3.0, channels=2, layers=2), _atoms(positions)),
}
DEGENERATE: dict[str, Case] = {
    f"{name}, {kind}": functools.partial(make, positions)
    for name, make in SMALL.items()
    for kind, positions in SYMMETRIC.items()
}
