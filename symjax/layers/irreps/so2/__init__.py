"""Irreps of one multiplicity, [n, (l_max + 1)^2, c]: convolutions and attention in the frames of edges, and spheres."""

from symjax.layers.irreps.so2.attention import (
    FramedEdges as FramedEdges,
    SO2Attention as SO2Attention,
    Wigner as Wigner,
    so2_attention as so2_attention,
)
from symjax.layers.irreps.so2.channels import DegreesLinear as DegreesLinear, degrees_linear as degrees_linear
from symjax.layers.irreps.so2.convolution import (
    SO2Convolution as SO2Convolution,
    SO2Edges as SO2Edges,
    SO2Linear as SO2Linear,
    degree_of as degree_of,
    from_frames as from_frames,
    natural as natural,
    so2_convolution as so2_convolution,
    so2_linear as so2_linear,
    to_frames as to_frames,
)
from symjax.layers.irreps.so2.s2_activation import (
    Kind as Kind,
    S2Activation as S2Activation,
    s2_grid as s2_grid,
    s2_tolerance as s2_tolerance,
)
