"""Representations of several groups at once: which groups count as one."""

import numpy as np

from symjax.groups import SO, C, DirectProduct, O, S, Z
from symjax.reps import V, alternating, pullback, restrict
from symjax.solver import equivariant_maps


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
