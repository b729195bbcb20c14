"""Coloured cubes, to be told from those that no rotation or turn leads to (after Finzi et al. 2021, arXiv:2104.09459).

A state is the colour of every place, one-hot and colour by colour: 6 V of the group that moves the places. A network
that is invariant under the group learns from one example of a class and knows all its scrambled ones.
"""

import dataclasses
import itertools
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Int

from symjax.groups import CUBE_FACES, Cube, PermutationGroup, RubiksCube, rubik_stickers
from symjax.reps import LinearRep, Scalar, V


class Cubes(NamedTuple):
    """States and whether they belong to the right cube."""

    states: Float[np.ndarray, "b n"]
    labels: Int[np.ndarray, " b"]


@dataclasses.dataclass(frozen=True, eq=False)
class CubeTask:
    """Tell the states that the group reaches from one state from those that it reaches from others.

    Attributes:
        name: of the task.
        group: the moves, which keep the label.
        right: the colour of every place, 0 to 5, of the state with label 1.
        wrong: those with label 0, one orbit of the group each.
    """

    name: str
    group: PermutationGroup
    right: Int[np.ndarray, " n"]
    wrong: Int[np.ndarray, "w n"]

    @property
    def rep_in(self) -> LinearRep:
        """Six colours at every place."""
        return (6 * V)(self.group)

    @property
    def rep_out(self) -> LinearRep:
        """The logits of wrong and right."""
        return (2 * Scalar)(self.group)

    def train(self) -> Cubes:
        """Return every wrong state and as many copies of the right one, none scrambled."""
        colours = np.concatenate([np.tile(self.right, (len(self.wrong), 1)), self.wrong])
        return Cubes(one_hot(colours), np.repeat([1, 0], len(self.wrong)))

    def test(self, rng: np.random.Generator, count: int) -> Cubes:
        """Return that many states scrambled by uniform elements of the group, right and wrong in equal shares."""
        labels = rng.integers(2, size=count)
        orbits = self.wrong[rng.integers(len(self.wrong), size=count)]
        colours = np.where(labels[:, None] == 1, self.right, orbits)
        keys = jax.random.split(jax.random.key(int(rng.integers(2**31))), count)
        moves = np.asarray(jax.vmap(self.group.uniform)(keys))
        return Cubes(one_hot(np.take_along_axis(colours, moves, axis=1)), labels)


def inverted_cube() -> CubeTask:
    """The 6 faces of a cube in 6 colours, or of its mirror image, under the 24 rotations."""
    colours = np.arange(6)
    return CubeTask("InvertedCube", Cube(), colours, _opposite(colours)[None])


def inverted_rubik() -> CubeTask:
    """Rubik's cube, or its mirror image, under the group of its quarter turns.

    The data set of the paper, with the true group of 43252003274489856000 moves. The two states differ in invariants of
    degree three, the colours of a corner in clockwise order, and in none of a lower degree.
    """
    colours = _solved_rubik()
    return CubeTask("InvertedRubik", RubiksCube(), colours, _opposite(colours)[None])


def broken_rubik() -> CubeTask:
    """Rubik's cube, or one that was put together wrongly: a corner twisted, an edge flipped, two edges exchanged.

    All 12 ways to put the pieces together up to turns, one of them right. They have the same invariants of every degree
    below eight, which cannot see all corners at once, so no network of low degree can tell them apart.
    """
    right = _solved_rubik()
    stickers = rubik_stickers()

    def piece(*cell: int) -> list[int]:
        return [place for place, (where, _) in enumerate(stickers) if where == cell]

    corner, edge, other = piece(1, 1, 1), piece(0, 1, 1), piece(0, 1, -1)
    wrong = []
    for twist, flip, swap in itertools.product(range(3), range(2), range(2)):
        state = right.copy()
        state[corner] = np.roll(state[corner], twist)
        state[edge] = np.roll(state[edge], flip)
        if swap:
            state[[*edge, *other]] = state[[*other, *edge]]
        wrong.append(state)
    return CubeTask("BrokenRubik", RubiksCube(), right, np.array(wrong[1:]))


def one_hot(colours: Int[np.ndarray, "b n"]) -> Float[np.ndarray, "b m"]:
    """Return colours 0 to 5 as six indicators of all places, one after another: m = 6 n."""
    return (colours[:, None, :] == np.arange(6)[:, None]).reshape(len(colours), -1).astype(float)


def _solved_rubik() -> np.ndarray:
    return np.array([CUBE_FACES.index(look) for _, look in rubik_stickers()])


def _opposite(colours: np.ndarray) -> np.ndarray:
    """Return the colours of the opposite sides, which `CUBE_FACES` lists three later."""
    return (colours + 3) % 6
