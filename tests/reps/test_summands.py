"""The canonical form: every number belongs to one copy of one product of leaves, and is moved like it."""

import numpy as np
import pytest
from hypothesis import given, settings

from symjax.groups import GL, SO, D, O, S
from symjax.math import pick
from symjax.reps import (
    Det,
    Irreps,
    Scalar,
    Sum,
    V,
    alternating,
    places_in_order,
    pullback,
    ranks,
    regular,
    restrict,
    summands,
    symmetric,
)
from tests.reps.elements import element
from tests.reps.recipes import RECIPES, build

LEAVES = {
    GL(2): [V, V.T, Det, Scalar, symmetric(V, 2)],
    S(3): [V, Det, Scalar, alternating(V, 2)],
    SO(2) * S(2): [V, V(SO(2)), V(S(2)), Scalar],
    O(3): [V, Irreps("0o+2x1e"), Det, Scalar],
}


@pytest.mark.parametrize("group", LEAVES, ids=repr)
@settings(max_examples=15, deadline=None, derandomize=True, database=None)
@given(recipe=RECIPES)
def test_every_number_belongs_to_one_copy_and_moves_like_it(group, recipe):
    rep = build(recipe, LEAVES[group]) + 0 * V(group)
    parts = summands(rep)
    assert sorted(places_in_order(rep)) == list(range(rep.size))
    np.testing.assert_array_equal(places_in_order(rep)[ranks(rep)], np.arange(rep.size))
    assert len({part.rep for part in parts}) == len(parts)
    assert not any(isinstance(part.rep, Sum) for part in parts)
    g = element(rep.group, np.random.default_rng(0))
    left = rep.rho(g).copy()
    for part in parts:
        for places in part.places:
            np.testing.assert_allclose(left[np.ix_(places, places)], part.rep.rho(g), atol=1e-12)
            left[np.ix_(places, places)] = 0
    np.testing.assert_allclose(left, 0, atol=1e-12)


def test_products_are_distributed_sorted_and_counted():
    group = GL(2)
    parts = summands(((V + 2 * V.T) * (V + Scalar))(group))
    assert [(part.rep, len(part.places)) for part in parts] == [
        ((V * V)(group), 1),
        (V(group), 1),
        ((V * V.T)(group), 2),
        (V.T(group), 2),
    ]
    assert summands((V.T * V)(group))[0].rep == summands((V * V.T)(group))[0].rep
    np.testing.assert_array_equal(summands((V.T * V)(group))[0].places, [[0, 2, 1, 3]])


def test_equal_tensors_are_one_atom_however_they_are_written():
    group = GL(2)
    nested = summands(((V * V.T + Scalar) * V)(group))[0]
    assert nested.rep == summands((V * V * V.T)(group))[0].rep
    np.testing.assert_array_equal(nested.places, [[0, 2, 1, 3, 4, 6, 5, 7]])
    first, second = (pullback(V(SO(3)), SO(3) * SO(3), factor=i) for i in (0, 1))
    assert len(summands(first * second + second * first)) == 1


def test_irreps_open_up_under_products_and_subgroups():
    many = Irreps("2x0e+1o")
    assert [part.places.tolist() for part in summands(restrict(many(O(3)), SO(3)))] == [[[0], [1]], [[2, 3, 4]]]
    assert [part.places.shape for part in summands(V(S(2)) * many)] == [(2, 2), (1, 6)]


def test_irreps_open_up_and_what_is_empty_has_none():
    parts = summands(Irreps("2x0e+1o+0e"))
    assert [(part.rep, part.places.tolist()) for part in parts] == [
        (Irreps("0e"), [[0], [1], [5]]),
        (Irreps("1o"), [[2, 3, 4]]),
    ]
    nothing = alternating(V, 3)(D(3))
    assert summands((0 * V)(SO(3))) == summands(nothing) == summands(nothing * V(D(3))) == ()
    assert len(summands(regular(D(3)))) == 1


def test_copies_are_read_from_vectors():
    rep = (V + Scalar + 2 * V)(S(3))
    vectors, scalars = summands(rep)
    x = np.arange(20.0).reshape(2, 10)
    np.testing.assert_array_equal(vectors.read(x)[0], [[0, 1, 2], [4, 5, 6], [7, 8, 9]])
    np.testing.assert_array_equal(scalars.read(x), [[[3]], [[13]]])
    np.testing.assert_array_equal(pick(x, np.array([1, 2, 3]), -1), x[:, 1:4])
    np.testing.assert_array_equal(pick(x, np.array([1, 0]), 0), x[::-1])
