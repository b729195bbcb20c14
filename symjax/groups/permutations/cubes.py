"""The rotations of a cube, as permutations of its faces, and Rubik's cube, as permutations of its stickers."""

import dataclasses
import functools
import itertools
from collections.abc import Callable, Sequence

import numpy as np

from symjax.groups.permutations.permutation import NamedPermutationGroup

Sticker = tuple[tuple[int, ...], tuple[int, ...]]
"""The position in {-1, 0, 1}^3 of the small cube that carries it, and the direction it looks in."""

CUBE_FACES = tuple(tuple(int(i) for i in row) for row in np.vstack([np.eye(3), -np.eye(3)]))


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class Cube(NamedPermutationGroup):
    """The 24 rotations of a cube, as permutations of its 6 faces: +x, +y, +z, -x, -y, -z."""

    def _generate(self) -> Sequence[Sequence[int]]:
        faces = [(direction, direction) for direction in CUBE_FACES]
        return [_turn(faces, axis, lambda position: True) for axis in range(2)]


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class RubiksCube(NamedPermutationGroup):
    """Rubik's cube: the 43252003274489856000 ways to move its 48 stickers by quarter turns of the 6 faces.

    The six stickers in the middle of a face never move and are left out.
    """

    def _generate(self) -> Sequence[Sequence[int]]:
        return _quarter_turns()


@functools.cache
def rubik_stickers() -> tuple[Sticker, ...]:
    """Return the 48 stickers in the order of `RubiksCube`, without those in the middle of a face."""
    cells = itertools.product((-1, 0, 1), repeat=3)
    outer = ((cell, look) for cell in cells for look in CUBE_FACES if np.dot(cell, look) == 1)
    return tuple((cell, look) for cell, look in outer if cell != look)


@functools.cache
def _quarter_turns() -> list[list[int]]:
    return [
        _turn(rubik_stickers(), axis, lambda cell, axis=axis, side=side: cell[axis] == side)
        for axis in range(3)
        for side in (-1, 1)
    ]


def _turn(stickers: Sequence[Sticker], axis: int, moves: Callable[[tuple[int, ...]], bool]) -> list[int]:
    """A quarter turn about an axis of the cells that move, as a permutation of the stickers."""
    turn = np.zeros((3, 3), dtype=int)
    turn[axis, axis] = turn[axis - 1, axis - 2] = 1
    turn[axis - 2, axis - 1] = -1

    def image(vector: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(int(i) for i in turn @ vector)

    index = {sticker: place for place, sticker in enumerate(stickers)}
    return [index[image(cell), image(look)] if moves(cell) else index[cell, look] for cell, look in stickers]
