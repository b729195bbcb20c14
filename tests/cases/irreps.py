"""Cases of layers on irreps."""

import e3nn_jax as e3nn
import jax.numpy as jnp
import numpy as np

from symjax.layers.irreps import (
    AllegroEdges,
    AllegroLayer,
    AttentionEdges,
    DegreeNorm,
    DegreesLinear,
    EquiformerAttention,
    EquiformerBlock,
    FramedEdges,
    Interaction,
    InteractionEdges,
    InteractionNodes,
    IrrepsLayerNorm,
    IrrepsLinear,
    MACELayer,
    RadialProfile,
    SO2Attention,
    SO2Convolution,
    SO2Edges,
    SO2Linear,
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


def attending(irreps: str, positions):
    """Nodes with features, all joined by edges with harmonics, a radial basis and an envelope."""
    graph = features(irreps, positions)
    (harmonics, radial), normal = graph.edges, np.random.default_rng(14).standard_normal
    return graph._replace(nodes=graph.nodes.features, edges=AttentionEdges(harmonics, radial, normal(len(radial)) ** 2))


def edges(l_max: int):
    """Five edges with two channels of features up to a degree, one of them of length zero, each in its own frame."""
    normal = np.random.default_rng(12).standard_normal
    vectors = normal((5, 3)) * np.array([1, 1, 1, 1, 0])[:, None]
    return SO2Edges(normal((5, (l_max + 1) ** 2, 2)), vectors, normal((5, 3)), normal(5))


def environments(irreps: str, harmonics: str):
    """Nodes whose edges have invariants, weights of two channels, tensors and harmonics."""
    normal = np.random.default_rng(12).standard_normal

    def edges(e: int):
        weights = normal((e, 2 * len(e3nn.Irreps(harmonics))))
        return AllegroEdges(normal((e, 3)), weights, irreps_array(irreps, e), irreps_array(harmonics, e))

    return all_pairs(np.arange(4), edges, 4)._replace(globals=None)


def heard(l_max: int):
    """Four nodes with two channels of features up to a degree, all joined in turned frames, one edge along the pole."""
    normal = np.random.default_rng(13).standard_normal

    def framed(count: int):
        vectors = np.concatenate([normal((count - 1, 3)), [[0.0, -1.0, 0.0]]])
        return FramedEdges(vectors, normal((count, 3)), normal(count) ** 2, normal(count))

    return all_pairs(normal((4, (l_max + 1) ** 2, 2)), framed, 4)._replace(globals=None)


ATTENTION = {"hidden": 2, "heads": 2, "alpha": 3, "value": 2, "radial_widths": (4,)}
CASES = {
    "AllegroLayer": lambda: (
        AllegroLayer("0e + 1o + 1e + 2o", 3.0, 3, (4,)),
        environments("2x0e + 2x1o + 2x1e", "0e + 1o + 2e"),
    ),
    "DegreesLinear": lambda: (DegreesLinear(3), edges(2).features),
    "DegreeNorm": lambda: (DegreeNorm("above"), edges(2).features),
    "DegreeNorm of all": lambda: (DegreeNorm("all", centred=False), edges(2).features),
    "EquiformerAttention": lambda: (
        EquiformerAttention("2x0e + 1x1o", "2x0e + 1x1o + 1x2e", 2, radial_widths=(4,)),
        attending("2x0e + 1x1o + 1x1e", RANDOM),
    ),
    "EquiformerAttention of linear messages": lambda: (
        EquiformerAttention("2x0e + 1x1o", "1x0e + 1x1o", 2, "linear", (4,)),
        attending("2x0e + 1x1o", RANDOM),
    ),
    "EquiformerBlock": lambda: (
        EquiformerBlock("2x0e + 1x1o", "1x0e + 1x1o", "2x0e + 1x1o", 1, "dot-product", (4,)),
        attending("2x0e + 1x0o + 1x1o", RANDOM),
    ),
    "IrrepsLayerNorm": lambda: (IrrepsLayerNorm(), irreps_array("3x0e + 2x1o + 2x0o + 3x2e", 3)),
    "IrrepsLinear": lambda: (IrrepsLinear("3x0e + 2x1o + 1x0o"), irreps_array("2x0e + 1x1o + 3x0o + 2x1o", 3)),
    "Interaction": lambda: (
        Interaction("2x1o + 3x0e + 1x0o + 2x2o", 2, 3.0, (4,)),
        features("2x0e + 3x1e", RANDOM),
    ),
    "MACELayer": lambda: (
        MACELayer("2x1o + 2x0e + 2x0o", "2x0e + 2x1o + 2x1e", 2, 3.0, 3, True, (4,)),
        features("2x0e + 3x1e", RANDOM),
    ),
    "RadialProfile": lambda: (RadialProfile((5, 3)), RANDOM),
    "SO2Attention": lambda: (SO2Attention(3, m_max=1, activation="product", **ATTENTION), heard(2)),
    "SO2Attention on a grid": lambda: (SO2Attention(2, m_max=1, resolution=14, **ATTENTION), heard(2)),
    "SO2Convolution": lambda: (SO2Convolution(3, radial_widths=(4,)), edges(2)),
    "SO2Convolution with reflections": lambda: (SO2Convolution(2, m_max=1, reflections=True), edges(2)),
    "SO2Linear": lambda: (SO2Linear(3, l_max=3, m_max=2, scalars=2), edges(3).features[:, :14]),
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
