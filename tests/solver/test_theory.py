"""The theory of `theory.py` against closed forms, published sequences and brute force."""

import itertools
import math

import numpy as np
import pytest

from tests.solver import theory
from tests.solver.dimension_table import LARGE, ROWS
from tests.solver.theory import dim_maps, invariants

SEQUENCES = {  # dimension of the invariants of V^k, k = 0, 1, ...
    "SO(3)": [1, 0, 1, 1, 3, 6, 15, 36, 91, 232, 603, 1585, 4213],  # Riordan numbers, OEIS A005043
    "O(3)": [1, 0, 1, 0, 3, 0, 15, 0, 91, 0, 603, 0, 4213],
    "SO(2)": [1, 0, 2, 0, 6, 0, 20, 0, 70],  # central binomial coefficients
    "O(2)": [1, 0, 1, 0, 3, 0, 10, 0, 35],
    "SO(4)": [1, 0, 1, 0, 4, 0, 25, 0, 196],  # squares of the Catalan numbers
    "O(4)": [1, 0, 1, 0, 3, 0, 15, 0, 105],
    "SO(5)": [1, 0, 1, 0, 3, 1, 15, 15, 105],
    "SO13p()": [1, 0, 1, 0, 4, 0, 25, 0, 196],
    "SO13()": [1, 0, 1, 0, 4, 0, 25, 0, 196],
    "O13()": [1, 0, 1, 0, 3, 0, 15, 0, 105],
    "Sp(1)": [1, 0, 1, 0, 2, 0, 5, 0, 14, 0, 42],  # Catalan numbers
    "SU(2)": [1, 0, 1, 0, 2, 0, 5, 0, 14, 0, 42],
    "SL(2)": [1, 0, 1, 0, 2, 0, 5, 0, 14, 0, 42],
    "Sp(2)": [1, 0, 1, 0, 3, 0, 14, 0, 84, 0, 594],
    "Sp(3)": [1, 0, 1, 0, 3, 0, 15, 0, 104],
    "SU(3)": [1, 0, 0, 1, 0, 0, 5, 0, 0, 42],
    "SU(4)": [1, 0, 0, 0, 1],
    "S(4)": [1, 1, 2, 5, 15, 51, 187, 715],
    "S(5)": [1, 1, 2, 5, 15, 52, 202, 855],
    "S(10)": [1, 1, 2, 5, 15, 52, 203],  # Bell numbers
    "Alt(4)": [1, 1, 2, 6, 22, 86],
    "Z(7)": [1, 1, 7, 49],
    "Cube()": [1, 1, 3, 12, 60, 336, 1968],
    "RubiksCube()": [1, 2, 9, 51, 350, 2799],
    "C(8)": [1, 0, 2, 0, 6],
    "C(4)": [1, 0, 2, 0, 8],
    "C(3)": [1, 0, 2, 2, 6],
    "D(8)": [1, 0, 1, 0, 3],
    "D(4)": [1, 0, 1, 0, 4, 0, 16],
    "D(3)": [1, 0, 1, 1, 3],
}


@pytest.mark.parametrize("group", SEQUENCES)
def test_published_sequences(group):
    assert [invariants(group, k) for k in range(len(SEQUENCES[group]))] == SEQUENCES[group]


@pytest.mark.parametrize(("group", "expected"), [("U(2)", [1, 1, 2, 5, 14]), ("SU(3)", [1, 1, 2, 6, 23, 103])])
def test_as_many_duals_as_vectors(group, expected):
    """U(n) and SU(n): permutations without a decreasing subsequence longer than n."""
    assert [invariants(group, k, k) for k in range(len(expected))] == expected


@pytest.mark.parametrize("n", [3, 5, 6])
def test_closed_forms_at_low_rank(n):
    for k in range(0, min(2 * n, 8) + 1, 2):
        assert invariants(f"O({n})", k) == math.prod(range(1, k, 2))  # pairings
    for k in range(4):
        assert invariants(f"U({n})", k, k) == invariants(f"GL({n})", k, k) == math.factorial(k)
    for k in range(6):
        assert invariants(f"S({n})", k) == sum(stirling(k, j) for j in range(n + 1))
        twice = sum(stirling(k, j) * (1 + (j >= n - 1)) for j in range(n + 1))
        assert invariants(f"Alt({n})", k) == twice


def stirling(k, j):
    if k == 0 or j == 0:
        return int(k == j)
    return j * stirling(k - 1, j) + stirling(k - 1, j - 1)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_permutations_one_by_one(n):
    """Burnside over every element, the even ones alone too."""
    matrices = [np.eye(n, dtype=int)[list(order)] for order in itertools.permutations(range(n))]
    even = [g for g in matrices if round(np.linalg.det(g)) == 1]
    for k in range(6):
        assert invariants(f"S({n})", k) == theory.mean_power([g.trace() for g in matrices])(k, 0)
        assert invariants(f"Alt({n})", k) == theory.mean_power([g.trace() for g in even])(k, 0)


def test_wreath_products_against_orbits():
    """S(3) wr S(4) on 12 points: orbits of tuples, counted by what an orbit keeps, the pattern of equalities."""

    def pattern(points):
        blocks, named = {}, []
        for block, point in points:
            part, inner = blocks.setdefault(block, (len(blocks), {}))
            named.append((part, inner.setdefault(point, len(inner))))
        return tuple(named)

    count = theory.wreath(lambda b: invariants("S(3)", b), 4)
    for k in range(4):
        tuples = itertools.product(itertools.product(range(4), range(3)), repeat=k)
        assert count(k) == len({pattern(points) for points in tuples})


def so(n):
    unit = np.eye(n, dtype=np.int64)
    return [np.outer(unit[i], unit[j]) - np.outer(unit[j], unit[i]) for i in range(n) for j in range(i)]


def sl(n):
    unit = np.eye(n, dtype=np.int64)
    return [np.outer(unit[i], unit[j]) for i in range(n) for j in range(n) if i != j]


@pytest.mark.parametrize(
    ("group", "tangents"), [("SO(3)", so(3)), ("SO(4)", so(4)), ("SL(2)", sl(2)), ("SL(3)", sl(3))]
)
def test_elimination_agrees_with_walks(group, tangents):
    for p, q in [(1, 0), (2, 0), (1, 1), (3, 0), (2, 1), (2, 2)]:
        assert theory.nullity_over_a_prime_field(tangents, p, q) == invariants(group, p, q)


def test_the_table_has_every_published_row():
    assert len(set(ROWS)) == len(ROWS) == 75
    sizes = [row.size for row in ROWS]
    assert (min(sizes), max(sizes)) == (4, 10**6)
    assert sum(row.dim for row in ROWS) == 3288
    assert {row.dim for row in LARGE} >= {603, 4213, 105, 196, 23, 103, 15, 203, 1024, 2, 350}


def test_maps_are_invariants_of_out_times_the_dual_of_in():
    assert dim_maps("SU(3)", (2, 0), (0, 1)) == invariants("SU(3)", 0, 3) == 1
    assert dim_maps("U(2)", (1, 0), (0, 1)) == 0
    assert dim_maps("Scaling(3)", (1, 0), (1, 0)) == 9
