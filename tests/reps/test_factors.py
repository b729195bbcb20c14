"""Representations of several groups at once: which groups count as one."""

import numpy as np
import pytest

from symjax.groups import SO, C, DirectProduct, GeneratedGroup, O, PermutationGroup, S, Z
from symjax.reps import Det, Scalar, T, V, alternating, pullback, regular, restrict, symmetric
from symjax.solver import equivariant_maps

ORDERED = PermutationGroup([(1, 2, 0), (0, 2, 1)])
SWAPS = GeneratedGroup(generators=[np.eye(3)[[1, 0, 2]], np.eye(3)[[0, 2, 1]]])
QUARTER = GeneratedGroup(generators=[[[0, -1], [1, 0]]])
TWO_TURNS = GeneratedGroup(lie_algebra=SO(3).lie_algebra[:2])
SHEARS = [GeneratedGroup(generators=[[[1, shift], [0, 1]]]) for shift in (1, 2)]


def test_equal_groups_are_one_whatever_their_hashes():
    first, second = SO(3), SO(3)
    vars(second)["_hash"] = hash(first) + 1
    assert (V(first) + V(second)).group == SO(3)
    assert (V(first) * V(second)).size == 9
    assert (V(first) * V(S(2)) * V(second)).group == DirectProduct((SO(3), S(2)))


def test_equal_factors_are_told_apart_in_print():
    first, second = (pullback(V(SO(3)), SO(3) * SO(3), factor=i) for i in (0, 1))
    assert repr(first) == "V(SO(3))[0](SO(3) * SO(3))"
    assert "V(SO(3))[0]" in str(equivariant_maps(first, second))


def test_each_factor_is_restricted_by_itself():
    rep = restrict(V(O(3)) * V(S(5)), SO(3) * Z(5))
    assert rep == V(SO(3)) * V(Z(5))
    assert equivariant_maps(rep + V(C(4)), rep + V(C(4))).dim == 5 + 2


def test_what_is_empty_does_not_move():
    rep = (V * alternating(V, 4))(SO(3))
    assert rep.dact(SO(3).lie_algebra[0], np.zeros((2, 0))).shape == (2, 0)


@pytest.mark.parametrize(
    ("rep", "group", "again"),
    [
        (V, S(3), ORDERED),
        (V, S(3), SWAPS),
        (V, C(4), QUARTER),
        (2 * V + T(2) + Det, C(4), QUARTER),
        (V.T + symmetric(V, 2), SO(3), TWO_TURNS),
        (V + Scalar, SO(3) * S(3), TWO_TURNS * SWAPS),
        (Scalar + V, S(3) * SO(3), ORDERED * TWO_TURNS),
    ],
    ids=str,
)
def test_equal_groups_with_other_generators_are_one(rep, group, again):
    wanted = equivariant_maps(rep(group), rep(group)).dim
    for one, other in ((group, again), (again, group)):
        plan = equivariant_maps(rep(one), rep(other))
        assert (plan.dim, plan.group) == (wanted, one)
        assert rep(other)(one) == rep(one)
        assert (rep(one) + rep(other)).size == 2 * rep(one).size
        assert equivariant_maps(rep(one) * rep(other), Scalar).dim == equivariant_maps(rep(one), rep(one).T).dim


def test_leaves_that_remember_their_elements_take_those_of_an_equal_group():
    for group, again in ((S(3), SWAPS), (SWAPS, S(3)), (S(3), ORDERED), (C(4), QUARTER)):
        assert equivariant_maps(V(again), regular(group)).dim == group.d
        assert equivariant_maps(regular(again), regular(group)).dim == regular(group).size
    mixed = V(S(3)) * V(SO(3)) + V(SWAPS) * V(TWO_TURNS)
    assert mixed == 2 * (V(S(3)) * V(SO(3)))
    assert (V(SO(3)) + V(TWO_TURNS * SWAPS)).group == SO(3) * SWAPS


def test_a_plan_says_which_groups_it_could_not_tell_apart():
    with pytest.warns(UserWarning, match=r"took .* for different groups, .*; if they are one, write restrict\(rep, g"):
        plan = equivariant_maps(V(SHEARS[0]), V(SHEARS[1]))
    assert plan.group == DirectProduct(SHEARS)
    assert equivariant_maps(restrict(V(SHEARS[0]), SHEARS[1]), V(SHEARS[1])).dim == 2
    assert equivariant_maps(V(SO(3)), V(O(3))).group == SO(3) * O(3)
