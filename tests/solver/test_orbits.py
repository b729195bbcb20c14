"""Orbits of entries under signed permutations, against the dense referee and by counting."""

import numpy as np
import pytest

from symjax.groups import SO, Alt, C, Cube, D, GeneratedGroup, O, S, Trivial, Z
from symjax.reps import Det, Scalar, V, alternating, quotient, regular, restrict
from symjax.solver.bases import Unsolved
from symjax.solver.methods import dense, orbits
from tests.solver.theory import dim_maps

OCTAHEDRAL = GeneratedGroup(generators=[np.eye(3)[[1, 2, 0]], np.eye(3)[[1, 0, 2]], np.diag([-1.0, 1, 1])])
CASES = [
    (V(S(4)), (V**2)(S(4))),
    ((Det * V)(S(4)), (V + Det)(S(4))),
    ((V**2)(C(4)), (V**2)(C(4))),
    (V(C(4)), (V + Scalar)(C(4))),
    ((V**2)(D(4)), (Det + V**2)(D(4))),
    ((V**2)(OCTAHEDRAL), (V**2)(OCTAHEDRAL)),
    (alternating(V, 2)(OCTAHEDRAL), (V * V)(OCTAHEDRAL)),
    (alternating(V, 2)(S(4)), (V**2)(S(4))),
    (V(Cube()), (V**2)(Cube())),
    (regular(D(3)), quotient(D(3), C(3))),
    (V(S(3)) * V(C(4)), V(S(3)) + V(C(4))),
    (V(Trivial(2)), V(Trivial(2))),
    (Scalar(SO(3)), Scalar(SO(3))),
]


@pytest.mark.parametrize(("rep_in", "rep_out"), CASES, ids=str)
def test_orbits_span_what_the_dense_solution_spans(rep_in, rep_out):
    (rep_in, rep_out) = (rep + 0 * other for rep, other in ((rep_in, rep_out), (rep_out, rep_in)))
    basis, referee = orbits.solve(rep_in, rep_out), dense.solve(rep_in, rep_out)
    assert basis.dim == referee.dim
    maps = basis.matrix(np.eye(basis.dim))
    np.testing.assert_allclose(np.einsum("roi,soi->rs", maps, maps), np.eye(basis.dim), atol=1e-12)
    np.testing.assert_allclose(referee.matrix(referee.coefficients(maps)), maps, atol=1e-10)
    w = np.random.default_rng(0).normal(size=(3, rep_out.size, rep_in.size))
    np.testing.assert_allclose(basis.coefficients(basis.matrix(basis.coefficients(w))), basis.coefficients(w))


@pytest.mark.parametrize(("group", "k", "m"), [(Z(64), 1, 1), (S(8), 2, 2), (Alt(5), 2, 2), (S(3), 3, 2)], ids=repr)
def test_counts(group, k, m):
    basis = orbits.solve((V**k)(group), (V**m)(group))
    assert basis.dim == dim_maps(repr(group), (k, 0), (m, 0))
    assert basis.signs is None
    assert basis.sizes.sum() == group.d ** (k + m)


def test_orbits_are_numbered_by_their_first_entries():
    basis = orbits.solve(V(Z(3)), V(Z(3)))
    np.testing.assert_array_equal(basis.orbits, [[0, 1, 2], [2, 0, 1], [1, 2, 0]])
    signed = orbits.solve(V(C(4)), V(C(4)))
    np.testing.assert_array_equal(signed.orbits * signed.signs, [[0, 1], [-1, 0]])


def test_an_entry_that_meets_its_negative_is_on_no_orbit():
    """Under all permutations and signs of two axes, nothing but multiples of the identity is left."""
    basis = orbits.solve(V(D(4)), V(D(4)))
    np.testing.assert_array_equal(basis.orbits, [[0, -1], [-1, 0]])
    np.testing.assert_array_equal(basis.matrix(np.sqrt([2.0])), np.eye(2))
    assert orbits.solve(Scalar(D(4)), V(D(4))).dim == 0
    assert orbits.solve(Scalar(D(4)), V(D(4))).matrix(np.zeros(0)).shape == (2, 1)


@pytest.mark.parametrize("rep", [V(SO(2)), V(C(3)), V(O(3)), restrict(V(O(2)), SO(2))], ids=repr)
def test_other_motions_are_refused(rep):
    with pytest.raises(Unsolved, match="permute coordinates and change signs"):
        orbits.solve(rep, rep)
