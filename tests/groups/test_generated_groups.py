"""Groups made from the generators that a user gives: what they keep, how they are sampled, what they refuse."""

import copy
import dataclasses
import pickle

import jax
import numpy as np
import pytest

from symjax.groups import C, GeneratedGroup, O, S, Trivial, finite_elements

KEY = jax.random.key(4)
TURN = C(7).generators[0]


def sampled(group):
    return jax.jit(lambda key: [group.sample(key, c) for c in range(group.components)])(KEY)


def test_generators_make_the_group_whoever_writes_them():
    mine = GeneratedGroup(lie_algebra=[[[0, -1], [1, 0]]], generators=[[[-1, 0], [0, 1]]], name="mirror")
    assert mine == O(2)
    assert hash(mine) == hash(O(2))
    assert repr(mine) == "mirror"
    assert mine.is_orthogonal
    assert mine.lie_algebra[0].dtype == mine.generators[0].dtype == np.float64
    assert mine.components == 2
    assert [round(float(np.linalg.det(g)), 12) for g in sampled(mine)][1] == -1
    assert GeneratedGroup(d=3) == Trivial(3)
    assert GeneratedGroup(generators=S(4).generators) == S(4)


def test_groups_of_one_name_are_told_apart_by_their_generators():
    four_cycle = GeneratedGroup(generators=[[1, 2, 3, 0]], name="mine")
    still = GeneratedGroup(generators=[[0, 1, 2, 3]], name="mine")
    assert four_cycle != still
    assert len({four_cycle, still}) == 2
    same = GeneratedGroup(generators=[[1, 2, 3, 0]], name="another")
    assert same == four_cycle


def test_what_the_user_changes_later_is_not_seen():
    tangent = np.array([[0.0, -1.0], [1.0, 0.0]])
    group = GeneratedGroup(lie_algebra=[tangent])
    before = hash(group)
    tangent[0, 0] = 7
    assert group.lie_algebra[0][0, 0] == 0
    assert hash(group) == before == hash(GeneratedGroup(lie_algebra=[[[0, -1], [1, 0]]]))
    assert group == GeneratedGroup(lie_algebra=[[[-0.0, -1], [1, -0.0]]])


def test_samples_are_words_of_the_generators():
    turn = np.array([[0, -1], [1, 0]])
    quarter_turns = GeneratedGroup(generators=[turn])
    powers = [np.linalg.matrix_power(turn, k) for k in range(4)]
    word, generator = sampled(quarter_turns)
    assert any(np.allclose(word, power) for power in powers)
    np.testing.assert_array_equal(generator, turn)
    word, first, second = sampled(GeneratedGroup(generators=[[1, 2, 3, 0], [1, 0, 2, 3]]))
    assert sorted(word.tolist()) == [0, 1, 2, 3]
    np.testing.assert_array_equal(first, [1, 2, 3, 0])
    np.testing.assert_array_equal(second, [1, 0, 2, 3])


def test_permutations_become_matrices_beside_matrices():
    group = GeneratedGroup(lie_algebra=[np.diag([1, -1])], generators=[[1, 0]])
    np.testing.assert_array_equal(group.generators[0], [[0, 1], [1, 0]])
    stretch, swap = map(np.asarray, sampled(group))
    np.testing.assert_allclose(abs(np.linalg.det(stretch)), 1)
    np.testing.assert_allclose(np.diag(swap), 0, atol=1e-15)


def test_complex_generators_stay_complex():
    quaternions = GeneratedGroup(generators=[[[1j, 0], [0, -1j]], [[0, 1], [-1, 0]]])
    assert not quaternions.is_real
    assert quaternions.is_unitary
    assert [h.dtype for h in quaternions.generators] == [np.complex128, np.float64]
    assert GeneratedGroup(lie_algebra=[np.zeros((2, 2), complex)]).is_real
    mixed = GeneratedGroup(lie_algebra=[[[1j]]], generators=[[[-1.0]]])
    np.testing.assert_allclose(np.abs(sampled(mixed)[1]), 1)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "neither tangents nor generators nor `d`"),
        ({"d": -1}, "expected an integer d of at least 0, got .*d=-1"),
        ({"generators": ["a"]}, "expected generator 0 to be a square matrix of numbers, got 'a'"),
        ({"generators": [[[1, 0], [0]]]}, "expected generator 0 to be a square matrix of numbers, got"),
        ({"generators": [[[1, 2], [2, 4]]]}, "expected generator 0 to be invertible, got a matrix that is singular"),
        ({"lie_algebra": [np.ones((2, 3))]}, r"expected tangent 0 to be a square matrix, got shape \(2, 3\)"),
        ({"lie_algebra": [np.eye(2)], "generators": [np.eye(3)]}, r"got sizes \[2, 3\]"),
        ({"generators": [[1, 0], [0, 1, 2]]}, r"got sizes \[2, 3\]"),
        ({"lie_algebra": [np.eye(2)], "d": 3}, r"got sizes \[2, 3\]"),
        ({"lie_algebra": [[[np.nan]]]}, "tangent 0 to hold finite numbers only"),
        ({"generators": [np.eye(2), np.full((2, 2), np.inf)]}, "generator 1 to hold finite numbers only"),
        ({"generators": [np.ones((2, 2))]}, "expected generator 0 to be invertible"),
        ({"generators": [np.zeros((2, 2))]}, "expected generator 0 to be invertible"),
        ({"generators": [[0, 0]]}, "generator 0 to be a matrix or a permutation of 0, ..., 1"),
        ({"generators": [[0.0, 1.0]]}, "generator 0 to be a matrix or a permutation of 0, ..., 1"),
        ({"lie_algebra": [[0, 1]]}, r"expected tangent 0 to be a square matrix, got shape \(2,\); give a list"),
        ({"lie_algebra": [[0.0, -1], [1, 0]]}, r"got shape \(2,\); give a list of matrices"),
        ({"generators": [[1.0, 0], [0, -1]]}, "`generators` is a list of them"),
        ({"generators": [[[0, 1], [1, 0]], TURN.astype(np.float32)]}, "generator 1 that is orthogonal only to .e-08"),
        ({"generators": [np.exp(1j) * TURN.astype(np.float32)]}, "generator 0 that is unitary only to .e-08"),
    ],
    ids=str,
)
def test_bad_generators_are_refused_in_one_sentence(given, sentence):
    with pytest.raises(ValueError, match=sentence):
        GeneratedGroup(**given)


SMALL = 1e-6
NEAR_ONE = {
    "shear": [[1, 1e-7], [0, 1]],
    "shear of a power of two": np.array([[1, 2.0**-20], [0, 1]], np.float32),
    "boost": [[np.cosh(SMALL), np.sinh(SMALL)], [np.sinh(SMALL), np.cosh(SMALL)]],
    "stretch": np.diag([1 + 1e-9, 1.0]),
    "scaling": (1 + 1e-8) * np.eye(3),
    "translation": [[1, 0, 1e-6], [0, 1, -1e-8], [0, 0, 1]],
    "mirror and shear": [[-1, 0, 0], [0, 1, 1e-7], [0, 0, 1]],
    "swap and shear": [[0, 1], [1, 1e-6]],
    "complex": [[1, 1e-7j], [0, 1]],
}


@pytest.mark.parametrize("generator", NEAR_ONE.values(), ids=NEAR_ONE)
def test_generators_that_are_nearly_unitary_are_what_they_are(generator):
    group = GeneratedGroup(generators=[generator])
    assert not group.is_unitary
    with pytest.raises(ValueError, match="finite group"):
        finite_elements(group.generators, group.d)


def test_tangents_that_are_nearly_antisymmetric_are_what_they_are():
    assert not GeneratedGroup(lie_algebra=[[[0, -1], [1, 1e-7]]]).is_unitary  # a spiral


def test_rotations_of_single_precision_are_refused_also_small_ones():
    for angle in (1e-3, 1e-1, 3.0):
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        GeneratedGroup(generators=[turn])
        with pytest.raises(ValueError, match="orthogonal only to"):
            GeneratedGroup(generators=[turn.astype(np.float32)])


def test_tangents_of_single_precision_draw_a_warning():
    tangent = TURN @ np.diag([1.0, -2]) @ np.array([[0, 1.0], [1, 0]])
    skew = (tangent - tangent.T).astype(np.float32)
    assert GeneratedGroup(lie_algebra=[skew]).is_orthogonal, "rounding keeps antisymmetry"
    with pytest.warns(UserWarning, match="tangent 0 is anti-Hermitian only to 1e-08; give float64 values"):
        GeneratedGroup(lie_algebra=[skew / skew.max() + 1e-8 * np.array([[0, 0], [1, 0]])])
    assert not GeneratedGroup(lie_algebra=[np.zeros((2, 2)), [[0, 1], [0, 0]]]).is_orthogonal


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda group: pickle.loads(pickle.dumps(group))])
@pytest.mark.parametrize(
    "group", [GeneratedGroup(lie_algebra=[[[0, -1], [1, 0]]], generators=[TURN]), O(2), S(3)], ids=repr
)
def test_copies_compute_their_own_hash(group, duplicate):
    """What is derived from the fields stays behind, since another process hashes it otherwise."""
    group = duplicate(group)
    hash(group), group.is_unitary, group.directions
    fields = {field.name for field in dataclasses.fields(group)}
    assert set(vars(group)) > set(group.__getstate__()) == fields
    again = duplicate(group)
    assert set(vars(again)) == fields
    assert again == group
    assert hash(again) == hash(group)
    for array in (*again.lie_algebra, *again.generators):
        assert not array.flags.writeable
