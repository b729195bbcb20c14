import operator

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.groups import (
    GL,
    O13,
    SE,
    SO,
    SU,
    Amplitude,
    D,
    E,
    GeneratedGroup,
    Group,
    Motion,
    O,
    Offsets,
    S,
    TimeShifts,
    Translations,
)

KEY = jax.random.key(0)


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_orthogonal_samples_are_orthogonal_with_the_determinant_of_their_component(n):
    for component, determinant in enumerate([1, -1]):
        q = O(n).sample(KEY, component)
        np.testing.assert_allclose(q @ q.T, np.eye(n), atol=1e-14)
        np.testing.assert_allclose(np.linalg.det(q), determinant)
    np.testing.assert_allclose(np.linalg.det(SO(n).sample(KEY)), 1)


def test_motions_turn_and_shift():
    assert [np.linalg.det(E(3).sample(KEY, c).rotation).round(9) for c in range(2)] == [1, -1]
    np.testing.assert_allclose(np.linalg.det(SE(3).sample(KEY).rotation), 1)
    for group in (E(3), SE(3), Translations(3)):
        assert isinstance(group.sample(KEY), Motion)
        assert jnp.abs(group.sample(KEY).translation).min() > 0
    np.testing.assert_array_equal(Translations(3).sample(KEY).rotation, np.eye(3))


@pytest.mark.parametrize("n", [1, 2, 6])
def test_permutations_are_never_the_identity_unless_there_is_no_other(n):
    for seed in range(4):
        g = S(n).sample(jax.random.key(seed))
        np.testing.assert_array_equal(jnp.sort(g), np.arange(n))
        assert (g != jnp.arange(n)).any() == (n > 1)
        shift = TimeShifts(n).sample(jax.random.key(seed))
        assert (0 < shift < n) or n == 1


@pytest.mark.parametrize("make", [O, SO, E, SE, Translations, S, TimeShifts, Amplitude, Offsets])
def test_groups_compare_by_content_and_sample_under_jit(make):
    group = make(3)
    assert isinstance(group, Group)
    assert {group: 1}[make(3)] == 1
    assert group != make(2)
    assert repr(group) == f"{make.__name__}(3)"
    component = group.components - 1
    jitted = jax.jit(lambda key: group.sample(key, component))(KEY)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-12), jitted, group.sample(KEY, component))


def test_groups_of_one_size_are_not_one_group():
    assert len({O(3), SO(3), E(3), SE(3), Translations(3), S(3), TimeShifts(3)}) == 7


MIXED = GeneratedGroup(generators=[[[0, 1], [1, 0]], [[1j, 0], [0, 1]]])


@pytest.mark.parametrize(
    "group", [O(3), SO(2), E(3), SE(3), O13(), GL(2), D(4), SU(2), S(4), TimeShifts(5), O(2) * D(3), MIXED], ids=repr
)
def test_samples_are_of_all_components_in_turn(group):
    """Element i is what `sample` draws of component i modulo their number, with the key i of those split."""
    n = group.components + 3
    together = jax.jit(lambda key: group.samples(key, n))(KEY)
    for i in (0, 1, group.components - 1, n - 1):
        alone = group.sample(jax.random.split(KEY, n)[i], i % group.components)
        one = jax.tree.map(operator.itemgetter(i), together)
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-12), one, alone)
    assert {leaf.shape[0] for leaf in jax.tree.leaves(group.samples(KEY, 1))} == {1}


def test_samples_reflect_and_may_be_none():
    signs = np.linalg.det(O(3).samples(KEY, 6)).round(12)
    np.testing.assert_array_equal(signs, [1, -1, 1, -1, 1, -1])
    assert O(3).samples(KEY, 0).shape == (0, 3, 3)
    with pytest.raises(ValueError, match="at least 0, got -1"):
        O(3).samples(KEY, -1)
