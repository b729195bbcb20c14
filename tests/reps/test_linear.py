"""The algebra of representations: every expression is one, whatever it is made of."""

import dataclasses

import jax
import numpy as np
import pytest
import scipy.linalg

from symjax.groups import GL, O13, SL, SL2C, SO, SU, C, D, E, GeneratedGroup, O, S, SO2eR3, U, Z
from symjax.reps import (
    Det,
    Irreps,
    Scalar,
    T,
    V,
    alternating,
    conjugate,
    in_parts,
    induced,
    irreps,
    monomials,
    permutes,
    pullback,
    quotient,
    real_form,
    regular,
    restrict,
    subrep,
    symmetric,
)
from symjax.solver import equivariant_maps
from tests.reps.elements import compose, element, exponential, tangent

TWICE = SO(2) * SO(2)
MIXED = SO(3) * S(3)
SHEARS = GeneratedGroup(lie_algebra=[[[0, 1], [0, 0]]], generators=[[[-1, 0], [0, 1]]], name="Shears")
REPS = [
    V(SO(3)),
    V(S(4)),
    V(O13()).T,
    V(SHEARS).T,
    T(1, 2)(SL(2)),
    T(2, 1)(SU(2)),
    V(U(2)) * V(U(2)).T,
    Det(GL(2)),
    Det(S(3)) * V(S(3)),
    (Det * V**2)(O(2)),
    (2 * V + V.T + 3 * Scalar)(GL(2)),
    ((V + Det) * (V.T + 1))(GL(2)),
    (2 * (V + Scalar) + V)(D(3)),
    symmetric(V, 3)(O(2)),
    symmetric(V + Scalar, 2)(S(3)),
    alternating(V, 2)(SL(3)),
    alternating(V, 2)(SU(3)),
    symmetric(V.T, 2)(SHEARS),
    symmetric(V, 2)(SO(2) * S(2)),
    V(MIXED),
    V(SO(3)) + V(S(3)) + 1,
    T(2)(SO(2)) * V(S(3)) * V(SU(2)),
    V(TWICE),
    pullback(V(SO(2)), TWICE, factor=0) + pullback(V(SO(2)), TWICE, factor=1),
    restrict(Irreps("1e+1o"), SO2eR3()),
    restrict(symmetric(V, 2)(GL(3)), SO(3)),
    restrict(V(GL(2)).T, SHEARS),
    restrict(V(SO(3)) * V(S(3)), SO2eR3() * Z(3)),
    Irreps("0o+2x1e+1o"),
    Irreps("2e") * V(O(3)),
    regular(D(3)),
    quotient(S(3), GeneratedGroup(generators=[[1, 0, 2]])),
    induced(V(C(2)), C(6)),
    induced((V + Det)(D(2)), D(4)).T,
    regular(GeneratedGroup(generators=[[[1j]]])),
    irreps("2x0 + 1 + 3", SO(2)),
    irreps("0o + 2x1 + 5", O(2)),
    irreps("0 + 1 + 2x2", C(4)),
    irreps("0o + 2 + 3e + 3o", D(6)),
    irreps("1/2 + 2x3/2 + 0", SU(2)),
    irreps("[4] + [2, 2] + [2, 1, 1]", S(4)),
    irreps("0 + 2x1", SO(3)),
    irreps("0o + 2x1o", O(3)),
    V(SL2C()) + 2 * conjugate(V(SL2C())).T,
    real_form(V(SL2C()) * conjugate(V(SL2C()))),
    real_form(symmetric(V, 2)(SU(2))).T,
    in_parts(V(U(2))),
    subrep((V + V**2)(SO(3)), slice(3, 12)),
    subrep(T(2)(S(3)), equivariant_maps(T(2)(S(3)), T(2)(S(3))).project(np.diag([1.0, 0, 0, 0, 1, 0, 0, 0, 1]))),
    subrep(T(1, 1)(SL2C()), np.eye(4) - np.outer(np.eye(2), np.eye(2)) / 2),
]
each_rep = pytest.mark.parametrize("rep", REPS, ids=repr)


def close(a, b, tolerance=1e-12):
    np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * max(1.0, float(np.max(np.abs(b), initial=0))))


def numbers(rep, rng, *shape):
    """Random vectors, complex where the group is."""
    x = rng.normal(size=(*shape, rep.size))
    return x if rep.group.is_real else x + 1j * rng.normal(size=x.shape)


@each_rep
def test_products_of_elements_become_products_of_matrices(rep):
    rng = np.random.default_rng(0)
    g, h = element(rep.group, rng), element(rep.group, rng)
    assert rep.rho(g).shape == (rep.size, rep.size)
    close(rep.rho(compose(g, h)), rep.rho(g) @ rep.rho(h))
    close(rep.rho(rep.group.identity), np.eye(rep.size))


@each_rep
def test_tangents_become_derivatives(rep):
    if not rep.group.lie_algebra:
        return
    a = tangent(rep.group, np.random.default_rng(1))
    assert rep.drho(a).shape == (rep.size, rep.size)
    close(scipy.linalg.expm(rep.drho(a)), rep.rho(exponential(a)))


@each_rep
def test_actions_multiply_by_the_matrix_along_the_last_axis(rep):
    rng = np.random.default_rng(2)
    g, x = element(rep.group, rng), numbers(rep, rng, 2, 3)
    close(rep.act(g, x), x @ rep.rho(g).T)
    close(rep.act(g, x[0, 0]), rep.rho(g) @ x[0, 0])
    assert rep.act(g, x[:0]).shape == (0, 3, rep.size)
    if rep.group.lie_algebra:
        a = tangent(rep.group, rng)
        close(rep.dact(a, x), x @ rep.drho(a).T)


@each_rep
def test_the_dual_keeps_the_pairing(rep):
    rng = np.random.default_rng(3)
    g, x, y = element(rep.group, rng), numbers(rep, rng), numbers(rep, rng)
    close(rep.T.act(g, y) @ rep.act(g, x), y @ x)
    close(rep.T.rho(g), np.linalg.inv(rep.rho(g)).T)
    assert rep == rep.T.T
    if rep.group.is_orthogonal:
        assert rep == rep.T


@each_rep
def test_signed_permutations_are_the_matrices(rep):
    for h in rep.group.generators:
        if (found := rep.monomial(h)) is None:
            assert not np.array_equal(np.abs(rep.rho(h).real).round(12).sum(axis=0), np.ones(rep.size))
        else:
            perm, sign = found
            close(sign[:, None] * np.eye(rep.size)[perm], rep.rho(h))


def traced(rep):
    """Everything that a representation does with an element, a tangent and vectors, and such arguments."""
    rng = np.random.default_rng(4)
    g, x = element(rep.group, rng), numbers(rep, rng, 2)
    a = tangent(rep.group, rng) if rep.group.lie_algebra else None
    return lambda g, a, x: (rep.rho(g), rep.act(g, x), *(() if a is None else (rep.drho(a), rep.dact(a, x)))), (g, a, x)


def single(leaf):
    return leaf.astype({"f": np.float32, "c": np.complex64}.get(leaf.dtype.kind, leaf.dtype))


@each_rep
def test_traced_actions_keep_the_precision(rep):
    """Without a compilation: strict promotion refuses mixed precisions already while tracing."""
    act, arguments = traced(rep)
    for arguments_there in (arguments, jax.tree.map(single, arguments)):
        for found, size in zip(jax.eval_shape(act, *arguments_there), (rep.size, 2, rep.size, 2), strict=False):
            assert found.shape == (size, rep.size)
        assert jax.eval_shape(act, *arguments_there)[1].dtype == arguments_there[2].dtype


@pytest.mark.parametrize(
    "rep", [(V + Det * V.T)(GL(2)), V(SO(3)) * V(S(3)), symmetric(V, 2)(SU(2)), regular(S(3))], ids=repr
)
def test_compiled_actions_agree_with_numpy(rep):
    act, arguments = traced(rep)
    for found, expected in zip(jax.jit(act)(*arguments), act(*arguments), strict=True):
        close(found, expected)


@each_rep
def test_matrices_that_are_shared_cannot_be_written_into(rep):
    g = element(rep.group, np.random.default_rng(5))
    first = rep.rho(g)
    expected = first.copy()
    if first.flags.writeable and not any(np.shares_memory(first, leaf) for leaf in jax.tree.leaves(g)):
        first[:] = 0
    close(rep.rho(g), expected)


def test_whole_numbers_are_scalars_and_multiplicities():
    group = SL(2)
    assert (V + 2)(group) == V(group) + 2 * Scalar
    assert V + Scalar + Scalar == V + 2
    assert 2 * Scalar + V == 2 + V
    assert 3 * V == V * 3 == V + V + V
    assert V * V * V == V**3 == T(3)
    assert V**0 == Scalar == T(0)
    assert V + 0 * V == V
    assert [(V >> V.T), (V << V), (V >> Scalar)] == [V.T * V.T, V * V.T, V.T]
    assert (V >> 2 * V)(group).size == 8
    assert (V + V * V)(group) == V(group) + V**2 == V + (V**2)(group)


def test_equal_expressions_of_equal_groups_are_equal():
    again = GeneratedGroup(lie_algebra=SO(3).lie_algebra, name="Another name")
    for rep in (T(2), 2 * V + Scalar, symmetric(V, 2), Det * V):
        assert rep(again) == rep(SO(3))
        assert hash(rep(again)) == hash(rep(SO(3)))
        assert rep(SO(3)) != rep(O(3)) != rep
    assert T(1, 1)(SO(3)) == T(2)(SO(3))
    assert T(1, 1)(SL(3)) != T(2)(SL(3))
    assert len({V(S(3)), V(Z(3)), Det(S(3)), symmetric(V, 2)(S(3)), alternating(V, 2)(S(3))}) == 5


def test_giving_a_group_returns_a_new_value():
    """A scalar, shared by everyone, does not remember the group that someone gave it last."""
    tensors = Scalar(SO(3)), T(2)(SO(3))
    Scalar(S(4))
    T(2)(S(4))
    assert [rep.group for rep in tensors] == [SO(3), SO(3)]
    assert Scalar.group is V.group is T(2).group is None
    for frozen in (Scalar, V, 2 * V, V * V, V.T, Det, symmetric(V, 2), Irreps("1o"), regular(C(2)), V(TWICE)):
        with pytest.raises(dataclasses.FrozenInstanceError):
            frozen.group = SO(3)


@pytest.mark.parametrize(
    ("rep", "text"),
    [
        (2 * V + V.T * V**2 + 1, "2*V+V.T*V**2+Scalar"),
        ((V + 1) * V.T, "(V+Scalar)*V.T"),
        (2 * (V + Scalar), "2*(V+Scalar)"),
        (0 * V, "0"),
        (T(1, 1)(SO(3)), "(V**2)(SO(3))"),
        ((Det * V)(O(2)), "(Det*V)(O(2))"),
        (symmetric(V, 2)(S(3)), "symmetric(V, 2)(S(3))"),
        (V(SO(3)) + V(S(5)), "(V(SO(3))+V(S(5)))(SO(3) * S(5))"),
        (restrict(Irreps("1e"), SO(3)), 'Irreps("1x1e")(SO(3))'),
        (induced(V(C(2)), C(4)), "induced(V(C(2)), C(4))"),
    ],
)
def test_text(rep, text):
    assert repr(rep) == text


def test_representations_of_different_groups_meet_in_the_direct_product():
    rotations, permutations = V(SO(3)), V(S(5))
    both = rotations * permutations + permutations
    assert both.group == SO(3) * S(5)
    g, h = element(SO(3), np.random.default_rng(0)), np.array([1, 0, 2, 4, 3])
    close(both.rho((g, h)), scipy.linalg.block_diag(np.kron(g, permutations.rho(h)), permutations.rho(h)))
    assert permutations + V(SO(3) * S(5)) == pullback(permutations, SO(3) * S(5)) + V(SO(3) * S(5))
    assert (permutations + V(SO(3) * S(5))).group == SO(3) * S(5)
    assert (V(S(5) * SO(3)) + V(SO(3) * S(5))).group == S(5) * SO(3)


def test_equal_factors_stay_apart():
    pair = V(TWICE) * V(S(3))
    assert pair.group == SO(2) * SO(2) * S(3)
    rng = np.random.default_rng(0)
    a, b, p = element(pair.group, rng)
    close(pair.rho((a, b, p)), np.kron(np.kron(a, b), V(S(3)).rho(p)))
    second = pullback(V(SO(2)), TWICE, factor=1)
    close(second.rho((a, b)), b)
    close((second + V(S(3))).rho((a, b, p))[:2, :2], b)


def test_single_coordinates_are_permuted_or_not():
    assert permutes((V * V + 2 * V + Scalar)(S(4)))
    assert permutes(regular(C(5)))
    assert permutes(Scalar(SO(3)))
    assert not permutes(V(SO(3)))
    assert not permutes((V + Det)(S(3)))
    assert monomials((V + Det)(S(3))) is not None
    assert monomials(V(C(4))) is not None
    assert monomials(V(C(3))) is None


def test_directions_of_whole_numbers_are_turned_like_any_other():
    quarter = C(4).generators[0]
    np.testing.assert_allclose(V(C(8)).act(C(8).generators[0], np.array([1, 0])), [0.5**0.5, 0.5**0.5])
    np.testing.assert_allclose((V * V + V)(C(4)).act(quarter, np.arange(6)), [3, -2, -1, 0, -5, 4], atol=1e-15)


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (lambda: T(2).size, ValueError, "V has no group yet"),
        (lambda: V.act(np.eye(3), np.ones(3)), ValueError, "V has no group yet"),
        (lambda: V(SO(3))(O(3)), ValueError, r"V\(SO\(3\)\) has a group already"),
        (lambda: Scalar(3), TypeError, "^"),
        (lambda: (Det * V)(E(3)), TypeError, "^"),
        (lambda: Det(SO(3) * O(3)), ValueError, "a determinant for each factor"),
        (lambda: V(SO(3)).act(np.eye(3), np.ones((2, 4))), ValueError, r"acts on 3 numbers .* has \(2, 4\)"),
        (lambda: T(2)(SO(3)).act(np.eye(3), np.ones((3, 3))), ValueError, r"acts on 9 numbers .* has \(3, 3\)"),
        (lambda: (V + 1)(SO(3)).act(np.eye(3), np.ones(3)), ValueError, "acts on 4 numbers"),
        (lambda: (V + 1)(S(3)).act(np.arange(3), np.ones(3)), ValueError, "acts on 4 numbers"),
        (lambda: -1 * V, ValueError, "at least 0, got -1"),
        (lambda: V**-1, ValueError, "at least 0, got -1"),
        (lambda: 0.5 * V, TypeError, "^"),
        (lambda: V + SO(3), TypeError, "^"),
        (lambda: pullback(V(SO(2)), SO(3) * S(3)), ValueError, r"SO\(2\) to be one factor of SO\(3\) \* S\(3\)"),
        (lambda: pullback(V(SO(3)), O(3)), ValueError, r"SO\(3\) to be one factor of a direct product"),
        (lambda: pullback(V(SO(2)), TWICE), ValueError, "factor= to say which"),
        (lambda: V(SO(2)) + V(TWICE), ValueError, "factor= to say which"),
        (lambda: pullback(V(SO(2)), SO(2) * S(3), factor=1), ValueError, r"SO\(2\) to be one factor"),
        (lambda: pullback(V(SO(2)), TWICE, factor=2), ValueError, r"SO\(2\) to be one factor"),
        (lambda: restrict(V, SO(3)), ValueError, "V has no group yet"),
        (lambda: restrict(V(SO(3)), SO(2)), ValueError, r"SO\(2\) is no subgroup of SO\(3\)"),
        (lambda: restrict(V(O(3)), SL(3)), ValueError, r"SL\(3\) is no subgroup of O\(3\)"),
        (lambda: restrict(V(O(2)), U(2)), ValueError, r"U\(2\) is no subgroup of O\(2\)"),
        (lambda: restrict(V(S(3)), SO(3)), ValueError, r"SO\(3\) is no subgroup of S\(3\)"),
        (lambda: restrict(V(SO(2)) * V(S(3)), O(6)), ValueError, r"O\(6\) is no subgroup"),
        (lambda: restrict(V(SO(3)), O(3)), ValueError, "a generator of it is no element of the group"),
        (lambda: restrict(V(Z(4)), S(4)), ValueError, "a generator of it is no element of the group"),
        (
            lambda: restrict(V(GeneratedGroup(generators=Z(4).generators)), S(4)),
            ValueError,
            "a generator of it is no element of the group",
        ),
        (lambda: restrict(V(C(4)), D(4)), ValueError, "a generator of it is no element of the group"),
        (lambda: restrict(V(SL(2)), GeneratedGroup(generators=[2 * np.eye(2)])), ValueError, "no element of the group"),
        (lambda: (V + 0.5)(SO(3)), TypeError, "^"),
        (lambda: V**2.0, TypeError, "^"),
        (lambda: symmetric(V, 1.5), TypeError, "^"),
        (lambda: restrict(regular(C(4)), C(3)).rho(C(3).generators[0]), ValueError, r"no element of C\(4\)"),
        (lambda: Irreps(""), ValueError, "at least one irrep"),
    ],
)
def test_wrong_use_gets_one_clear_sentence(wrong, error, message):
    with pytest.raises(error, match=message):
        wrong()
