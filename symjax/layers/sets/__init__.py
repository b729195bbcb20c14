"""Sets: the order of the members means nothing, and padding is not seen."""

from symjax.layers.sets.attention import (
    InducedSetAttentionBlock as InducedSetAttentionBlock,
    PoolingByMultiheadAttention as PoolingByMultiheadAttention,
    SetAttentionBlock as SetAttentionBlock,
)
from symjax.layers.sets.canonical import (
    Canonical as Canonical,
    Canonicalised as Canonicalised,
    MemberScores as MemberScores,
    canonicalise as canonicalise,
    restore as restore,
    sinkhorn as sinkhorn,
    soft_order as soft_order,
    sort_straight_through as sort_straight_through,
)
from symjax.layers.sets.frames import (
    FrameAveraged as FrameAveraged,
    PrincipalAxes as PrincipalAxes,
    SortedOrders as SortedOrders,
    Views as Views,
    principal_axes as principal_axes,
)
from symjax.layers.sets.linear import (
    DeepSetsLinear as DeepSetsLinear,
    DeepSetsPool as DeepSetsPool,
    ExchangeableLinear as ExchangeableLinear,
    deepsets_linear as deepsets_linear,
    deepsets_pool as deepsets_pool,
    exchangeable_linear as exchangeable_linear,
    present as present,
    set_mean as set_mean,
)
from symjax.layers.sets.symmetrise import (
    Symmetrised as Symmetrised,
    symmetrise as symmetrise,
)
from symjax.layers.sets.tensors import (
    SetTensorLinear as SetTensorLinear,
    tensor_linear as tensor_linear,
    tensor_maps as tensor_maps,
)
