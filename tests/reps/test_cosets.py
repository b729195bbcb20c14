"""Induced representations of finite groups: Frobenius reciprocity, regular representations, cosets."""

import jax.numpy as jnp
import numpy as np
import pytest

from symjax.groups import SO, Alt, C, D, GeneratedGroup, O, S, Scaling, Trivial, Z
from symjax.reps import Det, Scalar, V, induced, permutes, quotient, regular, restrict
from symjax.solver import equivariant_maps
from tests.reps.elements import element

PAIRS = [
    (D(4), C(4), V + Det),
    (D(4), GeneratedGroup(generators=[np.diag([-1.0, 1.0])]), V + Scalar),
    (S(4), Alt(4), V + Det),
    (S(4), GeneratedGroup(generators=[[1, 0, 2, 3], [0, 1, 3, 2]]), Scalar + Det),
    (C(6), C(2), V),
    (S(3), Trivial(3), Scalar),
]


@pytest.mark.parametrize(("group", "subgroup", "rep"), PAIRS, ids=str)
def test_maps_from_what_is_induced_are_maps_of_the_subgroup(group, subgroup, rep):
    """Frobenius: Hom_G(Ind W, U) = Hom_H(W, U)."""
    small = rep(subgroup)
    for big in (V(group), (V**2 + Det)(group)):
        upstairs = equivariant_maps(induced(small, group), big).dim
        assert upstairs == equivariant_maps(small, restrict(big, subgroup)).dim


@pytest.mark.parametrize(("group", "order"), [(D(3), 6), (S(3), 6), (C(5), 5), (Z(4), 4), (Alt(4), 12)], ids=repr)
def test_the_regular_representation(group, order):
    rep = regular(group)
    assert rep.size == order
    assert equivariant_maps(rep, rep).dim == order
    assert equivariant_maps(rep, V(group)).dim == group.d
    g = element(group, np.random.default_rng(0))
    moved = rep.rho(g)
    fixes_all = np.array_equal(np.asarray(V(group).rho(g)), np.eye(group.d))
    assert np.trace(moved) == (order if fixes_all else 0)
    perm, sign = rep.monomial(g)
    np.testing.assert_array_equal(np.eye(order)[perm], moved)
    assert (sign == 1).all()


def test_cosets_of_a_point_stabiliser_are_the_points():
    fixes_last = GeneratedGroup(generators=[[1, 0, 2, 3], [1, 2, 0, 3]])
    points = quotient(S(4), fixes_last)
    assert points.size == 4
    g = element(S(4), np.random.default_rng(1))
    assert np.trace(points.rho(g)) == np.trace(V(S(4)).rho(g))
    assert equivariant_maps(points, V(S(4))).dim == 2
    assert quotient(S(4), S(4)).size == 1


@pytest.mark.parametrize("group", [C(2) * C(3), S(3) * D(2), C(3) * C(3) * Z(2)], ids=repr)
def test_direct_products_have_regular_representations_too(group):
    """Each irrep occurs as often as its dimension, and traces are zero but for the identity."""
    rep = regular(group)
    order = np.prod([regular(part).size for part in group.groups])
    assert rep.size == order == equivariant_maps(rep, rep).dim
    assert equivariant_maps(rep, V(group)).dim == V(group).size
    assert permutes(rep)
    traces = [np.trace(rep.rho(element(group, np.random.default_rng(seed)))) for seed in range(5)]
    assert set(traces) <= {0.0, order}


def test_cosets_of_products_are_pairs_of_cosets():
    group = S(3) * D(4)
    swap = GeneratedGroup(generators=[[1, 0, 2]])
    points = quotient(group, swap * C(4))
    assert points.size == 3 * 2
    assert equivariant_maps(points, points).dim == 2 * 2
    assert quotient(group, group).size == 1
    assert equivariant_maps(quotient(S(3) * C(2), swap * C(2)), V(S(3))).dim == 2


def test_complex_elements_are_told_from_real_ones():
    quarter_turns = GeneratedGroup(generators=[[[1j]]])
    assert regular(quarter_turns).size == 4
    assert quotient(quarter_turns, GeneratedGroup(generators=[[[-1.0]]])).size == 2


def test_elements_in_single_precision_are_recognised():
    rep, g = regular(D(7)), np.linalg.multi_dot([*D(7).generators, D(7).generators[0]])
    exact, rounded = rep.rho(g), g.astype(np.float32)
    np.testing.assert_array_equal(rep.rho(rounded.astype(float)), exact)
    np.testing.assert_array_equal(rep.rho(jnp.asarray(rounded)), exact)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: regular(S(8)), "at most 10000 elements"),
        (lambda: regular(GeneratedGroup(generators=[[[1, 1], [0, 1]]])), "at most 10000 elements"),
        (lambda: regular(GeneratedGroup(generators=[[[2.0]]])), "stretches"),
        (lambda: regular(GeneratedGroup(generators=[[[0.5]]])), "stretches"),
        (lambda: regular(SO(2)), r"a finite group .* got SO\(2\)"),
        (lambda: regular(Scaling(2)), "a finite group"),
        (lambda: regular(C(2) * SO(3)), r"a finite group .* got SO\(3\)"),
        (lambda: induced(Scalar(C(2) * C(1)), C(2) * C(3)), "a finite group"),
        (lambda: quotient(C(2) * C(3), C(2)), r"a product of subgroups of the factors of C\(2\) \* C\(3\), got C\(2\)"),
        (lambda: quotient(C(4) * C(2), C(3) * C(2)), r"C\(3\) is no subgroup of C\(4\)"),
        (lambda: quotient(C(4), C(3)), r"C\(3\) is no subgroup of C\(4\)"),
        (lambda: quotient(S(5), Z(4)), r"Z\(4\) is no subgroup of S\(5\)"),
        (lambda: quotient(S(3), S(4)), r"S\(4\) is no subgroup of S\(3\)"),
        (lambda: induced(V, C(4)), "no group yet"),
        (lambda: induced(V(O(2)), C(4)), r"a finite group .* got O\(2\)"),
        (lambda: regular(C(4)).rho(C(8).generators[0]), r"no element of C\(4\)"),
    ],
)
def test_what_cannot_be_listed_is_refused_at_once(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()
