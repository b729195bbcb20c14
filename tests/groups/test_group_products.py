"""Direct and semidirect products and embeddings: every factor acts as it does alone."""

import jax
import numpy as np
import pytest

from symjax.groups import (
    SO,
    SU,
    D,
    DirectProduct,
    DkeR3,
    Embed,
    GeneratedGroup,
    O,
    O2eR3,
    S,
    SemiDirectProduct,
    SO2eR3,
    Trivial,
    Z,
)

KEY = jax.random.key(2)
SHIFTS = GeneratedGroup(lie_algebra=[[[0, 0, 1], [0, 0, 0], [0, 0, 0]], [[0, 0, 0], [0, 0, 1], [0, 0, 0]]], name="R^2")
FLIPS = GeneratedGroup(generators=[np.diag([-1, 1, 1]), np.diag([1, -1, 1]), np.diag([1, 1, -1])], name="flips")


def sampled(group):
    return jax.jit(lambda key: [group.sample(key, c) for c in range(group.components)])(KEY)


def test_a_direct_product_moves_one_factor_at_a_time():
    group = SO(3) * S(4) * O(1)
    assert (group.d, group.components, len(group.lie_algebra), len(group.generators)) == (12, 2, 3, 3)
    assert group.is_orthogonal
    for tangent, own in zip(group.lie_algebra, SO(3).lie_algebra, strict=True):
        assert [part.shape for part in tangent] == [(3, 3), (4, 4), (1, 1)]
        np.testing.assert_array_equal(tangent[0], own)
        assert not tangent[1].any()
        assert not tangent[2].any()
    moved = [
        [not np.array_equal(part, still) for part, still in zip(h, group.identity, strict=True)]
        for h in group.generators
    ]
    assert moved == [[False, True, False], [False, True, False], [False, False, True]]
    for component, (turn, places, sign) in enumerate(sampled(group)):
        np.testing.assert_allclose(np.linalg.det(turn), 1)
        assert places.shape == (4,)
        assert sign == 1 - 2 * component


def test_direct_products_flatten_and_compare_by_their_factors():
    group = SO(3) * S(5) * O(2)
    assert group == SO(3) * (S(5) * O(2)) == DirectProduct([SO(3), S(5), O(2)])
    assert hash(group) == hash(SO(3) * (S(5) * O(2)))
    assert repr(group) == "SO(3) * S(5) * O(2)"
    assert len({group, S(5) * SO(3) * O(2), SO(3) * S(5), SO(30), DirectProduct((SO(3),)), SO(3)}) == 6
    assert len({Trivial(2) * Trivial(3), Trivial(3) * Trivial(2), Trivial(6)}) == 3
    assert not (SO(2) * SU(2)).is_real
    assert (SO(2) * SU(2)).is_unitary
    with pytest.raises(TypeError):
        SO(2) * 3
    with pytest.raises(ValueError, match="at least one group"):
        DirectProduct(())


def test_every_pair_of_components_is_sampled():
    signs = {(round(float(np.linalg.det(a))), round(float(np.linalg.det(b)))) for a, b in sampled(O(1) * O(2))}
    assert len(signs) == 4


def test_translations_and_rotations_make_the_rigid_motions_of_the_plane():
    group = SemiDirectProduct(SHIFTS, O2eR3())
    assert (group.d, group.components, len(group.lie_algebra), len(group.generators)) == (3, 2, 3, 1)
    assert not group.is_unitary
    for component, g in enumerate(map(np.asarray, sampled(group))):
        np.testing.assert_allclose(g[:2, :2] @ g[:2, :2].T, np.eye(2), atol=1e-14)
        np.testing.assert_allclose(np.linalg.det(g), 1 - 2 * component)
        np.testing.assert_array_equal(g[2], [0, 0, 1])
        assert np.abs(g[:2, 2]).min() > 0


def test_reversals_and_permutations_make_the_signed_permutations():
    group = SemiDirectProduct(FLIPS, S(3))
    assert group.is_orthogonal
    for g in map(np.asarray, sampled(group)):
        np.testing.assert_array_equal(np.abs(g).sum(axis=0), 1)
        np.testing.assert_array_equal(np.abs(g).sum(axis=1), 1)
    places, swap = S(3).generators[0], np.eye(3)[S(3).generators[0]]
    np.testing.assert_array_equal(group.generators[3], swap)
    np.testing.assert_array_equal(group.generators[3] @ np.arange(3.0), np.arange(3.0)[places])


@pytest.mark.parametrize(
    ("normal", "complement", "reason"),
    [
        (SO2eR3(), SHIFTS, "does not map"),
        (SO(3), O(3), "overlap"),
        (GeneratedGroup(generators=[np.diag([-1, 1, 1])]), S(3), "does not map"),
        (FLIPS, SO(3), "does not map"),
        (SHIFTS, SO(2), "on one space"),
        (SHIFTS, SO(3) * O(1), "on one space"),
        (O2eR3(), Trivial(3), "connected or finite"),
        (GeneratedGroup(generators=[[[1, 1], [0, 1]]]), Z(2), "at most 10000 elements"),
    ],
    ids=lambda value: str(value),
)
def test_what_is_no_semidirect_product_is_refused(normal, complement, reason):
    with pytest.raises(ValueError, match=reason):
        SemiDirectProduct(normal, complement)


def test_embedded_permutations_stay_permutations():
    group = Embed(S(4), 7, 2)
    places = np.array([0, 1, *(2 + S(4).generators[0]), 6])
    np.testing.assert_array_equal(group.generators[0], places)
    (g,) = sampled(group)
    assert sorted(g.tolist()) == list(range(7))
    np.testing.assert_array_equal(g[np.array([0, 1, 6])], [0, 1, 6])
    assert Embed(Z(4), 4) == Z(4)


@pytest.mark.parametrize("group", [SO2eR3(), O2eR3(), DkeR3(4), Embed(SU(2), 4, 1), Embed(O(1), 3, 2)], ids=repr)
def test_embedded_matrices_leave_the_other_coordinates_alone(group):
    here = slice(group.start, group.start + group.group.d)
    others = np.r_[: here.start, here.stop : group.d]
    assert group.is_real == group.group.is_real
    assert group.is_unitary
    assert group.components == group.group.components
    for tangent, own in zip(group.lie_algebra, group.group.lie_algebra, strict=True):
        np.testing.assert_array_equal(tangent[here, here], own)
        assert not tangent[others].any()
        assert not tangent[:, others].any()
    for h, own in zip(
        [*group.generators, *sampled(group)], [*group.group.generators, *sampled(group.group)], strict=True
    ):
        np.testing.assert_allclose(h[here, here], own, atol=1e-15)
        np.testing.assert_array_equal(h[others], np.eye(group.d)[others])
        np.testing.assert_array_equal(h[:, others], np.eye(group.d)[:, others])


def test_the_embeddings_in_space_act_on_its_first_plane():
    assert repr(SO2eR3()) == "Embed(SO(2), 3, 0)"
    assert DkeR3(4) == Embed(D(4), 3)
    assert len(O2eR3().lie_algebra) == len(O2eR3().generators) == 1


def test_embeddings_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="cannot act on the coordinates 2 to 4 of 4"):
        Embed(SO(3), 4, 2)
    with pytest.raises(ValueError, match="expected an integer start of at least 0"):
        Embed(SO(3), 4, -1)
    with pytest.raises(TypeError, match="direct product"):
        Embed(SO(3) * S(2), 9)
