"""Generators and samples of the matrix groups obey the equations that define the groups, and span all they should."""

import dataclasses
import functools
import itertools

import jax
import jaxtyping
import numpy as np
import pytest

from symjax.groups import (
    GL,
    O11,
    O13,
    SE,
    SL,
    SO,
    SO11,
    SO13,
    SU,
    Alt,
    Amplitude,
    C,
    D,
    E,
    Group,
    MatrixGroup,
    O,
    Offsets,
    Parity,
    S,
    Scaling,
    SO11p,
    SO13p,
    Sp,
    TimeReversal,
    TimeShifts,
    Translations,
    Trivial,
    U,
    Z,
)

KEY = jax.random.key(11)
ETA4, ETA2 = np.diag([1.0, -1, -1, -1]), np.diag([1.0, -1])


def symplectic(m):
    return np.block([[np.zeros((m, m)), np.eye(m)], [-np.eye(m), np.zeros((m, m))]])


# group, the form that g^H form g = form preserves, dimension of the Lie algebra, sign of the determinant per component
CLASSICAL = [
    (SO(1), np.eye(1), 0, [1]),
    (O(1), np.eye(1), 0, [1, -1]),
    (SO(2), np.eye(2), 1, [1]),
    (SO(4), np.eye(4), 6, [1]),
    (O(3), np.eye(3), 3, [1, -1]),
    (SU(1), np.eye(1), 0, [1]),
    (SU(2), np.eye(2), 3, [1]),
    (SU(3), np.eye(3), 8, [1]),
    (U(1), np.eye(1), 1, None),
    (U(3), np.eye(3), 9, None),
    (Sp(1), symplectic(1), 3, [1]),
    (Sp(2), symplectic(2), 10, [1]),
    (SO13p(), ETA4, 6, [1]),
    (SO13(), ETA4, 6, [1, 1]),
    (O13(), ETA4, 6, [1, -1, -1, 1]),
    (SO11p(), ETA2, 1, [1]),
    (SO11(), ETA2, 1, [1, 1]),
    (O11(), ETA2, 1, [1, -1, -1, 1]),
    (SL(1), None, 0, [1]),
    (SL(3), None, 8, [1]),
    (GL(1), None, 1, None),
    (GL(2), None, 4, None),
    (Scaling(2), None, 1, None),
    (Trivial(2), np.eye(2), 0, [1]),
    (C(1), np.eye(2), 0, [1]),
    (C(5), np.eye(2), 0, [1]),
    (D(1), np.eye(2), 0, [1, -1]),
    (D(4), np.eye(2), 0, [1, -1]),
    (Parity(), ETA4, 0, [1, -1]),
    (TimeReversal(), ETA4, 0, [1, -1]),
]
GROUPS = [row[0] for row in CLASSICAL]


@functools.cache
def sampled(group):
    """One element of every component, from one compilation."""
    return jax.tree.map(np.asarray, jax.jit(lambda key: [group.sample(key, c) for c in range(group.components)])(KEY))


def rank(matrices):
    return np.linalg.matrix_rank([np.r_[m.real.ravel(), m.imag.ravel()] for m in matrices]) if len(matrices) else 0


@pytest.mark.parametrize(("group", "form", "dimension", "signs"), CLASSICAL, ids=map(repr, GROUPS))
def test_generators_and_samples_obey_the_defining_equations(group, form, dimension, signs):
    samples = sampled(group)
    assert len(group.lie_algebra) == rank(group.lie_algebra) == dimension
    brackets = [a @ b - b @ a for a, b in itertools.combinations(group.lie_algebra, 2)]
    assert rank([*group.lie_algebra, *brackets]) == dimension, "closed under the bracket"
    assert all(matrix.shape == (group.d, group.d) for matrix in [*group.lie_algebra, *group.generators, *samples])
    if form is not None:
        for a in group.lie_algebra:
            np.testing.assert_allclose(a.conj().T @ form + form @ a, 0, atol=1e-15)
        for g in [*group.generators, *samples]:
            np.testing.assert_allclose(g.conj().T @ form @ g, form, atol=1e-13)
    if signs is not None:
        np.testing.assert_allclose([np.linalg.det(g) for g in samples], signs, atol=1e-13)
        assert {1.0, *np.linalg.det(group.generators or [np.eye(1)]).round(12)} <= set(map(float, signs))


@pytest.mark.parametrize("group", GROUPS, ids=repr)
def test_every_group_is_frozen_and_bounded(group):
    assert isinstance(group, Group)
    assert isinstance(group, MatrixGroup)
    again = type(group)(*(getattr(group, field.name) for field in dataclasses.fields(group)))
    assert group == again
    assert hash(group) == hash(again)
    for g in sampled(group):
        assert np.iscomplexobj(g) != group.is_real
        assert np.abs(g).max() < np.exp(2), "bounded"
    for array in [*group.lie_algebra, *group.generators]:
        assert array.dtype in (np.float64, np.complex128)
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_which_groups_are_real_orthogonal_or_unitary():
    orthogonal = {group for group in GROUPS if group.is_orthogonal}
    unitary = {group for group in GROUPS if group.is_unitary}
    assert unitary - orthogonal == {SU(2), SU(3), U(1), U(3)}
    bent = {Sp(1), Sp(2), SO13p(), SO13(), O13(), SO11p(), SO11(), O11(), SL(3), GL(1), GL(2), Scaling(2)}
    assert set(GROUPS) - unitary == bent


def test_components_of_the_linear_and_lorentz_groups():
    for n in (1, 2):
        assert [np.sign(np.linalg.det(g)) for g in sampled(GL(n))] == [1, -1]
    for group, directions in [(O13(), [1, 1, -1, -1]), (SO13(), [1, -1]), (SO13p(), [1]), (O11(), [1, 1, -1, -1])]:
        assert [np.sign(g[0, 0]) for g in sampled(group)] == directions
    (scaled,) = sampled(Scaling(2))
    np.testing.assert_allclose(scaled, scaled[0, 0] * np.eye(2), atol=1e-15)
    assert scaled[0, 0] > 0


def test_forms_are_exposed():
    np.testing.assert_array_equal(Sp(2).form, symplectic(2))
    np.testing.assert_array_equal(O13().form, ETA4)
    np.testing.assert_array_equal(SO11p().form, ETA2)


def many(sample, count):
    """Independent samples [count, ...], from one compilation."""
    return np.asarray(jax.jit(jax.vmap(sample))(jax.random.split(KEY, count)))


def characters(group):
    samples = many(group.sample, 4000)
    return np.trace(samples, axis1=1, axis2=2), np.linalg.det(samples)


def test_unitary_samples_have_the_moments_of_the_uniform_distribution():
    trace, determinant = characters(U(2))
    np.testing.assert_allclose([abs(trace.mean()), abs(determinant.mean())], 0, atol=0.06)
    np.testing.assert_allclose([(abs(trace) ** k).mean() for k in (2, 4)], [1, 2], atol=0.15)
    trace, determinant = characters(SU(2))
    np.testing.assert_allclose(determinant, 1)
    np.testing.assert_allclose([(trace.real**k).mean() for k in (1, 2, 3, 4)], [0, 1, 0, 2], atol=0.15)


def test_rotations_have_the_moments_of_the_uniform_distribution():
    trace, _ = characters(SO(3))
    np.testing.assert_allclose([(trace**k).mean() for k in (1, 2, 3, 4)], [0, 1, 1, 3], atol=0.2)
    reflected = np.trace(many(functools.partial(O(3).sample, component=1), 4000), axis1=1, axis2=2)
    np.testing.assert_allclose([(reflected**k).mean() for k in (1, 2, 3, 4)], [0, 1, -1, 3], atol=0.2)


@pytest.mark.parametrize("k", [1, 2, 5])
def test_polygons_are_turned_and_reflected_uniformly(k):
    steps = np.arange(k) * 2 * np.pi / k

    def frequencies(sample):
        samples = many(sample, 2000)
        angles = np.arctan2(-samples[:, 0, 1], samples[:, 1, 1])
        return np.mean(np.cos(angles[:, None] - steps) > 1 - 1e-12, axis=0)

    np.testing.assert_allclose(frequencies(C(k).uniform), 1 / k, atol=0.05)
    np.testing.assert_allclose(frequencies(functools.partial(D(k).sample, component=1)), 1 / k, atol=0.05)
    assert (frequencies(C(k).sample)[0] == 0) == (k > 1), "a rotation, not the identity"
    np.testing.assert_allclose(np.linalg.det(many(D(k).uniform, 2000)).mean(), 0, atol=0.07)


def test_every_rotation_of_a_polygon_is_a_power_of_the_generator():
    (turn,) = C(5).generators
    np.testing.assert_allclose(np.linalg.matrix_power(turn, 5), np.eye(2), atol=1e-14)
    turned = {tuple(np.linalg.matrix_power(turn, k).round(9).ravel()) for k in range(5)}
    assert len(turned) == 5
    assert tuple(sampled(C(5))[0].round(9).ravel()) in turned


def test_groups_are_equal_where_their_generators_are():
    assert SO(1) == SU(1) == Trivial(1) == SL(1)
    assert hash(SO(1)) == hash(SU(1))
    assert D(1) != C(2) != Trivial(2)
    assert len({SO13p(), SO13(), O13(), SO(4), O(4), Trivial(4), Parity(), TimeReversal(), Sp(2), SL(4), GL(4)}) == 11
    assert O(3) != "O(3)"


@pytest.mark.parametrize("make", [O, SO, SL, GL, U, SU, Sp, Scaling, Trivial, C, D])
def test_groups_that_act_on_nothing_are_refused(make):
    with pytest.raises(ValueError, match=r"expected .*at least .* got \w+\(0\)"):
        make(0)


@pytest.mark.parametrize(
    "make", [SO, O, U, Sp, Scaling, Trivial, D, E, SE, Translations, TimeShifts, S, Alt, Z, Amplitude, Offsets]
)
def test_sizes_are_integers(make, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    for wrong in (2.5, 2.0, "3", None):
        with pytest.raises(TypeError, match=rf"^expected an integer \w+ of at least [01], got \w+\({wrong!r}\)$"):
            make(wrong)
    with pytest.raises(ValueError, match=r"^expected an integer \w+ of at least [01], got \w+\(-1\)$"):
        make(-1)
    assert repr(make(np.int64(3))) == repr(make(3))
    assert make(np.int64(3)) == make(3)
