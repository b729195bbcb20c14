"""Cases of layers on sets."""

from symjax.groups import Z
from symjax.layers.sets import (
    Canonicalised,
    DeepSetsLinear,
    DeepSetsPool,
    ExchangeableLinear,
    FrameAveraged,
    InducedSetAttentionBlock,
    MemberScores,
    PoolingByMultiheadAttention,
    PrincipalAxes,
    SetAttentionBlock,
    SetTensorLinear,
    Symmetrised,
)
from symjax.reps import Axis, Points, Vectors
from tests.cases.inputs import ByPlace, members

CASES = {
    "Canonicalised": lambda: (Canonicalised(ByPlace(3, summed=True)), members(5)),
    "Canonicalised by scores": lambda: (
        Canonicalised(ByPlace(3, summed=False), key=MemberScores(4), rep_out=Axis(0)),
        members(5),
    ),
    "DeepSetsLinear": lambda: (DeepSetsLinear(3), members(5)),
    "DeepSetsPool": lambda: (DeepSetsPool(3), members(5)),
    "ExchangeableLinear": lambda: (ExchangeableLinear(3), members(5, 6).reshape(5, 3, 2)),
    "FrameAveraged over axes": lambda: (
        FrameAveraged(ByPlace(3, summed=False), frame=PrincipalAxes(), rep_out=Points()),
        members(5, 3),
    ),
    "FrameAveraged over orders": lambda: (
        FrameAveraged(ByPlace(3, summed=False), rep_out=Axis(0)),
        members(5),
    ),
    "FrameAveraged over proper axes": lambda: (
        FrameAveraged(ByPlace(2, summed=True), frame=PrincipalAxes(proper=True), rep_out=Vectors()),
        members(5, 2),
    ),
    "InducedSetAttentionBlock": lambda: (InducedSetAttentionBlock(4, heads=2, points=3), members(5)),
    "MemberScores": lambda: (MemberScores(4), members(5)),
    "PoolingByMultiheadAttention": lambda: (PoolingByMultiheadAttention(4, heads=2, seeds=2), members(5)),
    "SetAttentionBlock": lambda: (SetAttentionBlock(4, heads=2), members(5)),
    "SetTensorLinear": lambda: (SetTensorLinear(2, rank=2), members(16).reshape(4, 4, 2)),
    "SetTensorLinear to numbers": lambda: (SetTensorLinear(2, rank=0), members(16).reshape(4, 4, 2)),
    "Symmetrised": lambda: (Symmetrised(ByPlace(3, summed=False), Z(5), Axis(0), Axis(0), chunk=2), members(5)),
}
