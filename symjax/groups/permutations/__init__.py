"""Groups of permutations: of things, of instants, of the parts of a cube, and in layers."""

from symjax.groups.permutations.cubes import (
    CUBE_FACES as CUBE_FACES,
    Cube as Cube,
    RubiksCube as RubiksCube,
    rubik_stickers as rubik_stickers,
)
from symjax.groups.permutations.permutation import (
    MOST_NUMBERED as MOST_NUMBERED,
    Alt as Alt,
    PermutationGroup as PermutationGroup,
    S as S,
    TimeShifts as TimeShifts,
    Z as Z,
    is_permutation as is_permutation,
)
from symjax.groups.permutations.schreier_sims import stabiliser_chain as stabiliser_chain
from symjax.groups.permutations.wreath import Wreath as Wreath, ZksZnxZn as ZksZnxZn
