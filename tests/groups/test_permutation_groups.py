"""Permutation groups: exact orders, membership and uniform elements, against known groups and plain enumeration."""

import collections
import math
import re

import jax
import jaxtyping
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from symjax.groups import Alt, C, Cube, Group, PermutationGroup, RubiksCube, S, Wreath, Z, ZksZnxZn

KEY = jax.random.key(5)
NAMED = [
    (S(1), 1),
    (S(2), 2),
    (S(5), 120),
    (Alt(1), 1),
    (Alt(2), 1),
    (Alt(3), 3),
    (Alt(4), 12),
    (Alt(6), 360),
    (Z(1), 1),
    (Z(6), 6),
    (Cube(), 24),
    (RubiksCube(), 43252003274489856000),
    (ZksZnxZn(1, 3), 9),
    (ZksZnxZn(2, 2), 8),
    (ZksZnxZn(4, 3), 36),
    (Wreath(S(3), S(4)), 6**4 * 24),
    (Wreath(Z(2), PermutationGroup([[1, 0, 2, 4, 3]])), 2**5 * 2),
    (Wreath(Z(2), Wreath(Z(3), Z(2))), 2**6 * 18),
]


def from_cycles(n, *cycles):
    row = list(range(n))
    for cycle in cycles:
        for a, b in zip(cycle, [*cycle[1:], cycle[0]], strict=True):
            row[a - 1] = b - 1
    return row


def enumerate_group(generators):
    """All products of the generators, by breadth-first search."""
    identity = tuple(range(len(generators[0])))
    found, fresh = {identity}, [identity]
    while fresh:
        g = fresh.pop()
        for h in generators:
            product = tuple(g[i] for i in h)
            if product not in found:
                found.add(product)
                fresh.append(product)
    return found


def orbits_of_pairs(generators):
    """The dimension of the space of equivariant maps V -> V: the number of orbits on pairs of places."""
    n = len(generators[0])
    pairs = np.arange(n * n).reshape(n, n)
    edges = np.concatenate([np.stack([pairs.ravel(), pairs[np.ix_(h, h)].ravel()]) for h in generators], axis=1)
    graph = coo_array((np.ones(edges.shape[1]), tuple(edges)), shape=(n * n, n * n))
    return connected_components(graph, directed=False)[0]


def many(sample, count):
    """Independent samples [count, n], from one compilation."""
    return np.asarray(jax.jit(jax.vmap(sample))(jax.random.split(KEY, count)))


@pytest.mark.parametrize(("group", "order"), NAMED, ids=[repr(row[0]) for row in NAMED])
def test_orders_and_membership(group, order):
    assert isinstance(group, Group)
    assert group.order == group.chain.order == order
    assert group.components == 1
    assert group.is_orthogonal
    assert group == PermutationGroup(group.permutations)
    assert all(h.dtype == np.int64 for h in group.generators)
    samples = many(group.sample, 64)
    assert all(group.chain.contains(g) for g in samples[:5])
    moved = (samples != np.arange(group.d)).any(axis=1)
    assert moved.all() == (order > 1), "the identity only where there is no other"


def test_a_swap_behind_many_fixed_places():
    assert PermutationGroup([[*range(1200), 1201, 1200]]).order == 2


def test_the_chain_finds_the_mathieu_groups():
    eleven = from_cycles(11, range(1, 12)), from_cycles(11, (3, 7, 11, 8), (4, 10, 5, 6))
    assert PermutationGroup(eleven).order == 7920
    twelve = [[*row, 11] for row in eleven]
    swaps = from_cycles(12, (1, 12), (2, 11), (3, 6), (4, 8), (5, 9), (7, 10))
    assert PermutationGroup([*twelve, swaps]).order == 95040


@given(st.integers(1, 6).flatmap(lambda n: st.lists(st.permutations(range(n)), min_size=1, max_size=3)))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_chain_agrees_with_enumeration(generators):
    group, everyone = PermutationGroup(generators), enumerate_group(generators)
    assert group.order == len(everyone)
    assert group.chain.contains(np.array(generators[-1]))
    for row in np.random.default_rng(0).permuted(np.tile(np.arange(group.d), (5, 1)), axis=1):
        assert group.chain.contains(row) == (tuple(row.tolist()) in everyone)


SMALL = [
    Cube(),
    S(4),
    PermutationGroup(S(4).permutations),
    Alt(4),
    ZksZnxZn(4, 2),
    Wreath(Z(2), Alt(3)),
    PermutationGroup([(1, 0, 3, 2), (0, 1, 3, 2)]),
]


@pytest.mark.parametrize("group", SMALL, ids=repr)
def test_every_element_is_equally_likely(group):
    each = 250
    samples = many(group.uniform, each * group.order)
    counts = collections.Counter(map(tuple, samples.tolist()))
    assert set(counts) == enumerate_group(group.permutations)
    assert max(abs(count - each) for count in counts.values()) < 5 * math.sqrt(each)


def test_the_rubiks_cube_is_the_true_one():
    cube = RubiksCube()
    assert cube.d == 48
    assert len(cube.generators) == 6
    for turn in cube.generators:
        assert (turn != np.arange(48)).sum() == 20
        np.testing.assert_array_equal(turn[turn][turn][turn], np.arange(48))
    assert orbits_of_pairs(cube.generators) == 9
    assert len(set(many(cube.uniform, 480)[:, 0].tolist())) == 24, "stickers of corners stay on corners"


def test_taking_a_rubiks_cube_apart_is_no_move():
    chain, identity = RubiksCube().chain, np.arange(48)
    two_stickers = np.array([1, 0, *range(2, 48)])
    assert not chain.contains(two_stickers)
    first, second = RubiksCube().generators[0], RubiksCube().generators[2]
    assert chain.contains(first[second])
    by_corner = np.flatnonzero((first != identity) & (second != identity) & (RubiksCube().generators[4] != identity))
    assert len(by_corner) == 3
    twisted = identity.copy()
    twisted[by_corner] = np.roll(by_corner, 1)
    assert not chain.contains(twisted), "one corner cannot turn alone"


def test_cube_and_lattice_have_the_maps_that_theory_counts():
    assert orbits_of_pairs(Cube().generators) == 3
    assert orbits_of_pairs(Wreath(S(3), S(4)).generators) == 3
    for k, n in [(1, 2), (2, 3), (4, 2), (4, 3)]:
        assert orbits_of_pairs(ZksZnxZn(k, n).generators) == k * n * n, "the regular representation"


def test_two_generators_give_all_permutations():
    for n in range(2, 8):
        assert len(S(n).generators) <= 2
        assert PermutationGroup(S(n).permutations).order == math.factorial(n)
    assert S(0).sample(KEY).shape == (0,)


def test_alternating_samples_are_even():
    np.testing.assert_allclose(np.linalg.det(np.eye(6)[many(Alt(6).uniform, 50)]), 1)


def test_permutation_groups_compare_by_what_they_do():
    fours, still = PermutationGroup([(1, 2, 3, 0)]), PermutationGroup([(0, 1, 2, 3)])
    assert fours != still
    assert len({fours, still, S(4), Alt(4), Z(4)}) == 5
    assert PermutationGroup([(0, 1, 2), (1, 0, 2), (1, 0, 2)]) == PermutationGroup([np.array([1, 0, 2])])
    assert repr(Wreath(S(3), Z(4))) == "Wreath(S(3), Z(4))"


@pytest.mark.parametrize("rows", [[(0, 0)], [(0, 1), (0, 1, 2)], [(1, 2)], [(0.5, 1.0)], [[[0, 1], [1, 0]]]])
def test_what_does_not_permute_is_refused(rows):
    with pytest.raises(ValueError, match=r"expected every generator to permute 0, ..., "):
        PermutationGroup(rows)


@pytest.mark.parametrize(("inner", "outer"), [(C(3), S(2)), (S(2), C(3))])
def test_layers_are_groups_of_permutations(inner, outer, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(TypeError, match="^" + re.escape(f"expected groups of permutations, got {inner} and {outer}")):
        Wreath(inner, outer)


def test_no_permutation_at_all_is_refused():
    with pytest.raises(ValueError, match="expected at least one permutation"):
        PermutationGroup([])
    with pytest.raises(ValueError, match="k = 1, 2 or 4"):
        ZksZnxZn(3, 2)


@pytest.mark.parametrize("group", [*SMALL, S(0), S(1), Z(6)], ids=repr)
def test_every_number_gives_another_element(group):
    elements = np.asarray(jax.jit(jax.vmap(group.element))(np.arange(group.order + 1)))
    assert set(map(tuple, elements.tolist())) == enumerate_group(group.permutations)
    np.testing.assert_array_equal(elements[-1], elements[0])


def test_too_many_elements_have_no_numbers():
    assert S(12).chain.contains(np.asarray(S(12).element(S(12).order - 1)))
    with pytest.raises(ValueError, match=r"at most 2\^31 elements .* S\(13\) of 6227020800; `uniform` draws"):
        S(13).element(0)
