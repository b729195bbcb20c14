"""Who acts: groups that sample elements of every component, and groups of matrices given by their generators."""

from symjax.groups.amplitude import Amplitude, Offsets, Rescaling
from symjax.groups.classical import GL, SL, SU, Scaling, Sp, U
from symjax.groups.cubes import CUBE_FACES, Cube, RubiksCube, rubik_stickers
from symjax.groups.custom import GeneratedGroup
from symjax.groups.embed import DkeR3, Embed, O2eR3, SO2eR3
from symjax.groups.finite import C, D, Parity, TimeReversal, Trivial
from symjax.groups.group import DirectProduct, Group, MatrixGroup, samples
from symjax.groups.listing import as_matrix, element_key, finite_elements, in_form_of, is_near_one, tangent_rank
from symjax.groups.lorentz import O11, O13, SL2C, SO11, SO13, SO11p, SO13p
from symjax.groups.matrix import SE, SO, E, Motion, O, Translations
from symjax.groups.permutation import MOST_NUMBERED, Alt, PermutationGroup, S, TimeShifts, Z
from symjax.groups.sameness import common_group, factors_of, place_in, same_group
from symjax.groups.semidirect import SemiDirectProduct
from symjax.groups.wreath import Wreath, ZksZnxZn

__all__ = [
    "CUBE_FACES",
    "GL",
    "MOST_NUMBERED",
    "O11",
    "O13",
    "SE",
    "SL",
    "SL2C",
    "SO",
    "SO11",
    "SO13",
    "SU",
    "Alt",
    "Amplitude",
    "C",
    "Cube",
    "D",
    "DirectProduct",
    "DkeR3",
    "E",
    "Embed",
    "GeneratedGroup",
    "Group",
    "MatrixGroup",
    "Motion",
    "O",
    "O2eR3",
    "Offsets",
    "Parity",
    "PermutationGroup",
    "Rescaling",
    "RubiksCube",
    "S",
    "SO2eR3",
    "SO11p",
    "SO13p",
    "Scaling",
    "SemiDirectProduct",
    "Sp",
    "TimeReversal",
    "TimeShifts",
    "Translations",
    "Trivial",
    "U",
    "Wreath",
    "Z",
    "ZksZnxZn",
    "as_matrix",
    "common_group",
    "element_key",
    "factors_of",
    "finite_elements",
    "in_form_of",
    "is_near_one",
    "place_in",
    "rubik_stickers",
    "same_group",
    "samples",
    "tangent_rank",
]
