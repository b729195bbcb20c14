"""Layers on irreps of O(3), as e3nn writes them."""

from symjax.layers.irreps.allegro import (
    AllegroEdges as AllegroEdges,
    AllegroLayer as AllegroLayer,
    allegro_layer as allegro_layer,
    multiply_environments as multiply_environments,
    weigh_harmonics as weigh_harmonics,
)
from symjax.layers.irreps.contraction import (
    Contraction as Contraction,
    SymmetricContraction as SymmetricContraction,
    contractions as contractions,
    symmetric_contraction as symmetric_contraction,
)
from symjax.layers.irreps.drop import drop_entries as drop_entries, drop_graphs as drop_graphs
from symjax.layers.irreps.equiformer import (
    EquiformerBlock as EquiformerBlock,
    equiformer_block as equiformer_block,
)
from symjax.layers.irreps.equiformer_attention import (
    AttentionEdges as AttentionEdges,
    EquiformerAttention as EquiformerAttention,
    Messages as Messages,
    RadialProfile as RadialProfile,
    attention_weights as attention_weights,
    equiformer_attention as equiformer_attention,
    smooth_leaky_relu as smooth_leaky_relu,
)
from symjax.layers.irreps.gate import (
    gate as gate,
    gated_irreps as gated_irreps,
    scaled_sigmoid as scaled_sigmoid,
    scaled_silu as scaled_silu,
    scaled_tanh as scaled_tanh,
)
from symjax.layers.irreps.interaction import (
    Interaction as Interaction,
    InteractionEdges as InteractionEdges,
    InteractionNodes as InteractionNodes,
    interaction as interaction,
    radial_weights as radial_weights,
)
from symjax.layers.irreps.linear import (
    IrrepsLinear as IrrepsLinear,
    irreps_linear as irreps_linear,
    linear_shapes as linear_shapes,
)
from symjax.layers.irreps.mace import MACELayer as MACELayer, mace_layer as mace_layer
from symjax.layers.irreps.norm import (
    DegreeNorm as DegreeNorm,
    IrrepsLayerNorm as IrrepsLayerNorm,
    Shared as Shared,
    degree_norm as degree_norm,
    irreps_layer_norm as irreps_layer_norm,
)
from symjax.layers.irreps.so2 import (
    DegreesLinear as DegreesLinear,
    FramedEdges as FramedEdges,
    Kind as Kind,
    S2Activation as S2Activation,
    SO2Attention as SO2Attention,
    SO2Convolution as SO2Convolution,
    SO2Edges as SO2Edges,
    SO2Linear as SO2Linear,
    Wigner as Wigner,
    degrees_linear as degrees_linear,
    from_frames as from_frames,
    s2_grid as s2_grid,
    s2_tolerance as s2_tolerance,
    so2_attention as so2_attention,
    so2_convolution as so2_convolution,
    so2_linear as so2_linear,
    to_frames as to_frames,
)
from symjax.layers.irreps.tensor_product import (
    ProductPath as ProductPath,
    tensor_product as tensor_product,
    tensor_product_conv as tensor_product_conv,
    tensor_product_paths as tensor_product_paths,
)
