"""The solver against theory: every space has the dimension that characters and combinatorics give, and is lawful."""

import re

import numpy as np
import pytest

from symjax import groups
from symjax.reps import T
from symjax.solver import equivariant_maps
from tests.solver import theory
from tests.solver.dimension_table import LARGE, OTHER_GROUPS, ROWS, SMALLEST_GROUPS, Row


def group_of(text: str) -> groups.MatrixGroup:
    """Read `"SO(3)"`."""
    name, *numbers = re.findall(r"[A-Za-z]\w*|\b\d+", text)
    return getattr(groups, name)(*map(int, numbers))


def unit(n: int, i: int, j: int) -> np.ndarray:
    matrix = np.zeros((n, n), np.int64)
    matrix[i, j] = 1
    return matrix


@pytest.mark.parametrize("row", [*ROWS, *OTHER_GROUPS, *SMALLEST_GROUPS, *LARGE], ids=str)
def test_dimension_is_the_one_of_theory(row: Row):
    group = group_of(row.group)
    rep_in, rep_out = T(*row.rep_in)(group), T(*row.rep_out)(group)
    assert rep_in.size * rep_out.size == row.size
    plan = equivariant_maps(rep_in, rep_out)
    assert plan.dim == row.dim
    assert plan.residual <= 1e-10


SMALL = [row for row in [*ROWS, *OTHER_GROUPS, *SMALLEST_GROUPS] if row.size <= 256]


@pytest.mark.parametrize("method", ["weights", "isotypic", "dense"])
def test_each_method_alone_finds_the_whole_space(method):
    for row in SMALL:
        group = group_of(row.group)
        plan = equivariant_maps(T(*row.rep_in)(group), T(*row.rep_out)(group), method=method)
        assert (str(row), plan.dim, plan.residual <= 1e-10) == (str(row), row.dim, True)


TURN = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 0]])
RISE = np.array([[0, 1, 0], [0, 0, 1], [0, 0, 0]])
NOT_REDUCTIVE = {
    "rigid motions of the plane": [TURN, unit(3, 0, 2), unit(3, 1, 2)],
    "Heisenberg": [unit(3, 0, 1), unit(3, 1, 2), unit(3, 0, 2)],
    "upper triangular 2 x 2": [unit(2, 0, 0), unit(2, 1, 1), unit(2, 0, 1)],
    "one nilpotent block": [RISE],
    "one shear, sheared": [np.array([[1, -1, 0], [1, -1, 0], [2, -2, 0]])],
}


@pytest.mark.parametrize("name", NOT_REDUCTIVE)
def test_groups_without_complements_of_invariant_subspaces(name: str):
    tangents = NOT_REDUCTIVE[name]
    group = groups.GeneratedGroup(lie_algebra=tangents)
    for rep_in, rep_out in [((1, 0), (1, 0)), ((0, 0), (2, 0)), ((1, 0), (0, 1)), ((1, 0), (2, 0)), ((2, 0), (2, 0))]:
        plan = equivariant_maps(T(*rep_in)(group), T(*rep_out)(group))
        p, q = rep_out[0] + rep_in[1], rep_out[1] + rep_in[0]
        assert plan.dim == theory.nullity_over_a_prime_field(tangents, p, q)
        assert plan.residual <= 1e-10


def test_factors_of_a_product_that_act_on_their_own_parts():
    rotations, permutations = groups.SO(3), groups.S(5)
    rep = T(2)(rotations) * T(1)(permutations)
    assert equivariant_maps(rep, rep).dim == theory.invariants("SO(3)", 4) * theory.invariants("S(5)", 2) == 6
    rep = T(1)(rotations) + T(1)(permutations)
    assert equivariant_maps(rep, rep).dim == theory.invariants("SO(3)", 2) + theory.invariants("S(5)", 2) == 3


def test_permutations_of_blocks_of_points():
    """S(3) wr S(4) on 12 points: swap two points, turn a block, swap two blocks, turn all blocks."""
    swap, turn = [1, 0, *range(2, 12)], [1, 2, 0, *range(3, 12)]
    swap_blocks, turn_blocks = [3, 4, 5, 0, 1, 2, *range(6, 12)], [*range(3, 12), 0, 1, 2]
    by_hand = groups.GeneratedGroup(generators=[swap, turn, swap_blocks, turn_blocks])
    orbits = theory.wreath(lambda b: theory.invariants("S(3)", b), 4)
    for group in (by_hand, groups.Wreath(groups.S(3), groups.S(4))):
        for k, m in [(1, 1), (1, 2), (2, 2)]:
            assert equivariant_maps(T(k)(group), T(m)(group)).dim == orbits(k + m)


def test_turns_and_reflections_as_a_semidirect_product():
    """C(4) and a reflection, put together, are D(4); as a group with one tangent, SO(2) and a reflection are O(2)."""
    mirror = groups.GeneratedGroup(generators=[np.diag([-1.0, 1.0])])
    for normal, whole in [(groups.C(4), "D(4)"), (groups.SO(2), "O(2)")]:
        group = groups.SemiDirectProduct(normal, mirror)
        for k, m in [(1, 1), (1, 2), (2, 2), (1, 3)]:
            assert equivariant_maps(T(k)(group), T(m)(group)).dim == theory.invariants(whole, k + m)


def test_symmetries_of_a_cube_moving_its_axes():
    elements = theory.signed_permutations(3)
    group = groups.GeneratedGroup(generators=elements[:8] + elements[-3:])
    dimension = theory.mean_power([int(g.trace()) for g in elements])
    assert [dimension(2 * k, 0) for k in range(4)] == [1, 1, 4, 31]
    for k, m in [(1, 1), (1, 2), (2, 2), (3, 3)]:
        assert equivariant_maps(T(k)(group), T(m)(group)).dim == dimension(k + m, 0)
