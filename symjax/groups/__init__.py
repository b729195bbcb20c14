"""Who acts: groups that sample elements of every component, and groups of matrices given by their generators."""

from symjax.groups.classical import GL, SL, SU, Scaling, Sp, U
from symjax.groups.cubes import Cube, RubiksCube
from symjax.groups.finite import C, D, Parity, TimeReversal, Trivial
from symjax.groups.group import Group, MatrixGroup
from symjax.groups.lorentz import O11, O13, SO11, SO13, SO11p, SO13p
from symjax.groups.matrix import SE, SO, E, Motion, O, Translations
from symjax.groups.permutation import Alt, PermutationGroup, S, TimeShifts, Z
from symjax.groups.product import DirectProduct

__all__ = [
    "GL",
    "O11",
    "O13",
    "SE",
    "SL",
    "SO",
    "SO11",
    "SO13",
    "SU",
    "Alt",
    "C",
    "Cube",
    "D",
    "DirectProduct",
    "E",
    "Group",
    "MatrixGroup",
    "Motion",
    "O",
    "Parity",
    "PermutationGroup",
    "RubiksCube",
    "S",
    "SO11p",
    "SO13p",
    "Scaling",
    "Sp",
    "TimeReversal",
    "TimeShifts",
    "Translations",
    "Trivial",
    "U",
    "Z",
]
