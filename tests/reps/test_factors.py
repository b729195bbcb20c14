"""Representations of several groups at once: which groups count as one."""

from symjax.groups import SO, DirectProduct, S
from symjax.reps import V


def test_equal_groups_are_one_whatever_their_hashes():
    first, second = SO(3), SO(3)
    vars(second)["_hash"] = hash(first) + 1
    assert (V(first) + V(second)).group == SO(3)
    assert (V(first) * V(second)).size == 9
    assert (V(first) * V(S(2)) * V(second)).group == DirectProduct((SO(3), S(2)))
