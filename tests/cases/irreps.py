"""Cases of layers on irreps."""

import e3nn_jax as e3nn
import jax.numpy as jnp
import numpy as np

from symjax.layers.irreps import (
    Interaction,
    InteractionEdges,
    InteractionNodes,
    IrrepsLinear,
    MACELayer,
    SymmetricContraction,
)
from tests.cases.inputs import RANDOM, all_pairs, irreps_array


def features(irreps: str, positions):
    """Nodes of two species with features, all joined by edges with harmonics and a radial basis."""
    count, radial = len(positions), np.random.default_rng(3).standard_normal
    nodes = InteractionNodes(irreps_array(irreps, count), np.arange(count) % 2)
    graph = all_pairs(nodes, lambda e: None, count)
    vectors = positions[graph.senders] - positions[graph.receivers]
    harmonics = e3nn.spherical_harmonics("0e + 1o + 2e", jnp.asarray(vectors), normalize=True)
    return graph._replace(edges=InteractionEdges(harmonics, radial((len(vectors), 3))), globals=None)


CASES = {
    "IrrepsLinear": lambda: (IrrepsLinear("3x0e + 2x1o + 1x0o"), irreps_array("2x0e + 1x1o + 3x0o + 2x1o", 3)),
    "Interaction": lambda: (
        Interaction("2x1o + 3x0e + 1x0o + 2x2o", 2, 3.0, (4,)),
        features("2x0e + 3x1e", RANDOM),
    ),
    "MACELayer": lambda: (
        MACELayer("2x1o + 2x0e + 2x0o", "2x0e + 2x1o + 2x1e", 2, 3.0, 3, True, (4,)),
        features("2x0e + 3x1e", RANDOM),
    ),
    "SymmetricContraction": lambda: (
        SymmetricContraction("0e + 1o + 0o", 3, 2),
        InteractionNodes(irreps_array("2x0e + 2x1o + 2x1e", 3), np.arange(3) % 2),
    ),
}

SMALL = {
    "Interaction": lambda positions: (
        Interaction("1x0e + 1x1o", 2, 3.0, (4,)),
        features("1x0e + 1x1e", positions),
    ),
}
