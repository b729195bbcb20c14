"""Groups that are one, whoever wrote their generators: what is decided, and what is not."""

import re
import time

import numpy as np
import pytest
import scipy.linalg

from symjax.groups import (
    GL,
    O13,
    SL,
    SO,
    SO13,
    SU,
    Alt,
    C,
    Cube,
    D,
    DkeR3,
    GeneratedGroup,
    O,
    O2eR3,
    PermutationGroup,
    S,
    Scaling,
    SO2eR3,
    SO13p,
    Sp,
    Trivial,
    U,
    as_matrix,
    same_group,
    sameness,
)
from symjax.math import waiting

RNG = np.random.default_rng(0)
QUARTER = np.array([[0, -1], [1, 0]])
FRAME = np.linalg.qr(RNG.normal(size=(3, 3)))[0]
COMPLEX_FRAME = np.linalg.qr(RNG.normal(size=(2, 2)) + 1j * RNG.normal(size=(2, 2)))[0]
TURN, RIGHT, UP = np.zeros((3, 3, 3))
TURN[1, 0], TURN[0, 1], RIGHT[0, 2], UP[1, 2] = 1, -1, 1, 1


def made(tangents=(), *elements):
    return GeneratedGroup(lie_algebra=tangents, generators=elements)


def seen_from(frame, group):
    """The same group where it is: its generators in other coordinates that it moves to one another."""
    turned = [[frame @ x @ np.linalg.inv(frame) for x in each] for each in (group.lie_algebra, group.generators)]
    return made(turned[0], *turned[1])


def matrices(group):
    return made((), *map(as_matrix, group.generators))


def turns_of_planes(count, *orders):
    """Turns of several planes, and exchanges of the planes."""
    one = np.eye(count)
    tangents = [np.kron(np.diag(row), [[0, -1], [1, 0]]) for row in one]
    return made(tangents, *(np.kron(one[list(order)], np.eye(2)) for order in orders))


MOTIONS = made([TURN, RIGHT, UP], np.diag([1.0, -1, 1]))
SAME = [
    (S(3), PermutationGroup([(1, 2, 0), (0, 2, 1)])),
    (S(8), matrices(S(8))),
    (S(1), Trivial(1)),
    (S(200), PermutationGroup([np.roll(np.arange(200), -1).tolist(), [0, 2, 1, *range(3, 200)]])),
    (SO(12), made(SO(12).lie_algebra[::-1], -np.eye(12))),
    (Alt(5), PermutationGroup([(1, 2, 0, 3, 4), (0, 1, 3, 4, 2)])),
    (Cube(), PermutationGroup(Cube().permutations[::-1])),
    (C(4), made((), QUARTER)),
    (C(5), made((), np.linalg.matrix_power(C(5).generators[0], 3))),
    (D(4), made((), QUARTER, [[0, 1], [1, 0]])),
    (C(1), Trivial(2)),
    (DkeR3(4), made((), scipy.linalg.block_diag(QUARTER, 1), np.diag([1.0, -1, 1]))),
    (made((), [[1, 1], [0, 1]]), made((), [[1, -1], [0, 1]])),
    (SO(3), made(SO(3).lie_algebra[:2])),
    (SO(3), made(SO(3).lie_algebra[:1], scipy.linalg.expm(np.pi / 2 * SO(3).lie_algebra[1]))),
    (SO(3), made(SO(3).lie_algebra, np.diag([-1.0, -1, 1]))),
    (O(3), seen_from(FRAME, O(3))),
    (O(3), made(SO(3).lie_algebra, -np.eye(3))),
    (SU(2), seen_from(COMPLEX_FRAME, SU(2))),
    (SL(2), Sp(1)),
    (SL(2), made(SL(2).lie_algebra, -np.diag([3, 1 / 3]))),
    (GL(2), made(GL(2).lie_algebra, [[0, 1], [1, 0]])),
    (Scaling(2), made([3 * np.eye(2)], 7 * np.eye(2))),
    (MOTIONS, made([TURN, RIGHT], np.diag([-1.0, 1, 1]))),
    (turns_of_planes(4, (1, 2, 3, 0), (1, 0, 2, 3)), turns_of_planes(4, (1, 2, 3, 0), (0, 1, 3, 2))),
    (SO(3) * S(3), seen_from(FRAME, SO(3)) * PermutationGroup([(1, 2, 0), (0, 2, 1)])),
]
DIFFERENT = [
    (S(5), Alt(5)),
    (C(4), C(8)),
    (S(2), C(2)),
    (SO(3), O(3)),
    (SU(3), U(3)),
    (SL(3), GL(3)),
    (SO13p(), SO13()),
    (SO13(), O13()),
    (SO2eR3(), O2eR3()),
    (Scaling(2), made([np.eye(2)], -np.eye(2))),
    (MOTIONS, made([TURN, RIGHT])),
    (turns_of_planes(3, (1, 2, 0), (1, 0, 2)), turns_of_planes(3, (1, 2, 0))),
    (S(3) * SO(3), SO(3) * S(3)),
    (SO(2), made((), QUARTER)),
]
UNDECIDED = [
    (made((), [[1, 1], [0, 1]]), made((), [[1, 2], [0, 1]])),
    (made((), [[1, 1e-7], [0, 1]]), made((), [[1, 1e-6], [0, 1]])),
    (SO(3), made([a + 1e-7 * np.eye(3) for a in SO(3).lie_algebra])),
]


@pytest.mark.parametrize(
    ("pair", "verdict"),
    [(pair, verdict) for pairs, verdict in ((SAME, True), (DIFFERENT, False), (UNDECIDED, None)) for pair in pairs],
    ids=str,
)
def test_groups_are_one_where_their_elements_are(pair, verdict):
    assert same_group(*pair) is verdict
    assert same_group(*pair[::-1]) is verdict
    assert same_group(pair[0], pair[0]) is True


def test_a_comparison_that_takes_long_says_what_it_is(monkeypatch, caplog):
    monkeypatch.setattr(sameness, "_holds", lambda *pair: time.sleep(0.2) is None)
    monkeypatch.setattr(waiting, "SECONDS", 0.05)
    assert same_group(SO(7), made(SO(7).lie_algebra[::-1]))
    [line] = caplog.messages
    assert re.fullmatch(r"telling whether SO\(7\) and .* are one group takes more than 0.05 seconds; still at it", line)
