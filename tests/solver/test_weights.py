"""The solver for any group of matrices, against theory, exact elimination and the dense referee."""

import numpy as np
import pytest
import scipy.linalg

from symjax.groups import GL, O13, SL, SO, SU, D, GeneratedGroup, O, S, Scaling, Sp, Trivial, U
from symjax.reps import Det, Scalar, T, V, symmetric
from symjax.solver import equivariant_maps
from symjax.solver.bases import Unsolved
from symjax.solver.linalg import null_space, real_span
from symjax.solver.methods import dense, weights
from symjax.solver.methods.jordan import eigenspaces, turn_and_stretch
from tests.solver.theory import dim_maps, nullity_over_a_prime_field


def unit(n, *places):
    matrix = np.zeros((n, n))
    for place in places:
        matrix[place] = 1
    return matrix


def homogeneous(tangent):
    """A tangent of SO(n) as a motion in homogeneous coordinates."""
    return np.pad(tangent, ((0, 1), (0, 1)))


SE2 = (homogeneous(SO(2).lie_algebra[0]), unit(3, (0, 2)), unit(3, (1, 2)))
SE3 = (*map(homogeneous, SO(3).lie_algebra), *(unit(4, (i, 3)) for i in range(3)))
SHIFTS = tuple(unit(4, (i, 3)) for i in range(3))
UPPER2 = (unit(2, (0, 0)), unit(2, (0, 1)), unit(2, (1, 1)))
UPPER3 = tuple(unit(3, (i, j)) for i in range(3) for j in range(i, 3))
AFFINE = (unit(2, (0, 0)), unit(2, (0, 1)))
HEISENBERG = (unit(3, (0, 1)), unit(3, (1, 2)), unit(3, (0, 2)))
JORDAN = (2 * np.eye(3) + np.eye(3, k=1),)
NILPOTENT = (np.eye(5, k=1),)
TWO_BLOCKS = (np.diag([1.0, 1, 2, 2]) + unit(4, (0, 1), (2, 3)),)
NON_REDUCTIVE = {
    "SE2": SE2,
    "SE3": SE3,
    "shifts": SHIFTS,
    "upper2": UPPER2,
    "upper3": UPPER3,
    "affine": AFFINE,
    "Heisenberg": HEISENBERG,
    "Jordan": JORDAN,
    "nilpotent": NILPOTENT,
    "two blocks": TWO_BLOCKS,
}


def assert_same_span(found, expected):
    """Orthonormal bases of one space: all squared cosines add up to its dimension."""
    assert found.dim == expected.dim
    gram = np.einsum("roi,soi->rs", found.maps.conj(), found.maps)
    np.testing.assert_allclose(gram, np.eye(found.dim), atol=1e-12)
    cosines = np.einsum("roi,soi->rs", found.maps.conj(), expected.maps)
    assert np.sum(np.abs(cosines) ** 2) == pytest.approx(found.dim, abs=1e-9)


def assert_equivariant(basis, rep_in, rep_out):
    group = rep_in.group
    pairs = [(rep_out.drho(a), rep_in.drho(a)) for a in group.lie_algebra]
    pairs += [(rep_out.rho(h), rep_in.rho(h)) for h in group.generators]
    for x, y in pairs:
        np.testing.assert_allclose(x @ basis.maps, basis.maps @ y, atol=1e-10)


@pytest.mark.parametrize(
    ("group", "rep_in", "rep_out"),
    [
        (SO(3), (2, 0), (2, 0)),
        (SO(3), (3, 0), (3, 0)),
        (SO(2), (2, 0), (2, 0)),  # one tangent says it all
        (O(3), (2, 0), (1, 0)),
        (O(3), (2, 0), (2, 0)),
        (O13(), (1, 0), (2, 1)),
        (O13(), (2, 0), (2, 0)),
        (GL(2), (1, 1), (1, 1)),
        (SL(2), (2, 0), (2, 0)),
        (SL(3), (2, 0), (0, 1)),
        (Sp(2), (2, 0), (2, 0)),
        (Sp(1), (1, 1), (0, 2)),
        (U(2), (2, 0), (2, 0)),
        (SU(3), (2, 1), (2, 1)),
        (SU(3), (3, 0), (0, 0)),
        (D(4), (2, 0), (2, 0)),
        (D(4), (3, 0), (3, 0)),
        (S(4), (2, 0), (2, 0)),
        (Scaling(3), (1, 0), (1, 0)),
        (Trivial(2), (1, 0), (1, 0)),
        (SO(3), (0, 0), (0, 0)),
    ],
    ids=str,
)
def test_reductive_groups(group, rep_in, rep_out):
    source, target = T(*rep_in)(group), T(*rep_out)(group)
    basis = weights.solve(source, target)
    assert basis.dim == dim_maps(repr(group), rep_in, rep_out)
    assert_equivariant(basis, source, target)
    assert np.iscomplexobj(basis.maps) != group.is_real
    if source.size * target.size <= 300:
        assert_same_span(basis, dense.solve(source, target))


@pytest.mark.parametrize("name", NON_REDUCTIVE)
@pytest.mark.parametrize(
    ("rep_in", "rep_out"), [((0, 1), (1, 0)), ((1, 0), (1, 0)), ((1, 1), (0, 0)), ((1, 0), (2, 0))]
)
def test_groups_that_are_not_reductive(name, rep_in, rep_out):
    """The integer tangents are eliminated exactly; eigenvectors alone would not suffice for half of these groups."""
    tangents = NON_REDUCTIVE[name]
    group = GeneratedGroup(lie_algebra=tangents)
    source, target = T(*rep_in)(group), T(*rep_out)(group)
    basis = weights.solve(source, target)
    integers = [tangent.astype(np.int64) for tangent in tangents]
    assert basis.dim == nullity_over_a_prime_field(integers, rep_out[0] + rep_in[1], rep_out[1] + rep_in[0])
    assert_equivariant(basis, source, target)
    if name != "Jordan":  # the referee squares the smallest singular values, and gives up
        assert_same_span(basis, dense.solve(source, target))


def test_the_plane_in_homogeneous_coordinates():
    plane = GeneratedGroup(lie_algebra=SE2)
    found = [weights.solve(Scalar(plane), T(*pq)(plane)).dim for pq in [(2, 0), (0, 2), (2, 2)]]
    assert found == [2, 1, 4]


@pytest.mark.parametrize("generators", [[[[1, 1], [0, 1]]], [[[1, 1], [0, 1]], [[0, -1], [1, 0]]], [[[2, 1], [1, 1]]]])
def test_infinite_discrete_groups(generators):
    group = GeneratedGroup(generators=generators)
    for rep_in, rep_out in [((1, 0), (1, 0)), ((1, 0), (0, 1)), ((2, 0), (1, 1))]:
        source, target = T(*rep_in)(group), T(*rep_out)(group)
        basis = weights.solve(source, target)
        assert_equivariant(basis, source, target)
        assert_same_span(basis, dense.solve(source, target))


def test_a_change_of_basis_does_not_matter():
    """Conjugated, the group has complex or oblique generators, and the same number of maps."""
    rng = np.random.default_rng(1)
    turn, _ = np.linalg.qr(rng.standard_normal((2, 2)) + 1j * rng.standard_normal((2, 2)))
    spin = GeneratedGroup(lie_algebra=[turn @ a @ turn.conj().T for a in SU(2).lie_algebra])
    oblique = np.eye(3) + 0.3 * rng.standard_normal((3, 3))
    motions = GeneratedGroup(lie_algebra=[oblique @ a @ np.linalg.inv(oblique) for a in SE2])
    for group, rep, dim in [
        (spin, T(2), 2),
        (spin, T(1, 1), 2),
        (spin, T(2, 1), 5),
        (motions, T(2), 4),
        (motions, V, 1),
    ]:
        basis = weights.solve(rep(group), rep(group))
        assert basis.dim == dim
        assert_same_span(basis, dense.solve(rep(group), rep(group)))


def test_sums_determinants_and_products_of_groups():
    group = O(2)
    source, target = (V + Det * V + 2 * Scalar)(group), (V**2 + Det)(group)
    assert_same_span(weights.solve(source, target), dense.solve(source, target))
    both = T(2)(SO(3)) * V(S(3))
    assert weights.solve(both, both).dim == 3 * 2


def test_motions_of_high_tensors_take_few_projectors():
    motions = GeneratedGroup(lie_algebra=SE3)
    assert weights.solve(symmetric(V, 4)(motions), V(motions)).dim == 1


def test_too_many_survivors_are_refused():
    shift = T(6)(GeneratedGroup(lie_algebra=[unit(2, (0, 1))]))
    with pytest.raises(Unsolved, match="4096 unknowns survive"):
        weights.solve(shift, shift)


def test_eigenspaces_of_hidden_jordan_blocks():
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.standard_normal((6, 6)))[0] @ np.diag([1, 2, 1, 0.5, 1, 1])
    blocks = np.diag([2.0, 2, 2, -1, -1, 0]) + unit(6, (0, 1), (1, 2), (3, 4))
    values, slack, _, spaces = eigenspaces(basis @ blocks @ np.linalg.inv(basis))
    assert 1e-9 < slack < 1e-2
    np.testing.assert_allclose(np.sort(values), [-1, -1, 0, 2, 2, 2], atol=1e-9)
    within = np.linalg.inv(spaces) @ basis @ blocks @ np.linalg.inv(basis) @ spaces
    np.testing.assert_allclose(within[values[:, None] != values], 0, atol=1e-9)


@pytest.mark.parametrize(
    ("g", "stretch"),
    [
        (np.diag([1e8, -1e-8, 3.0]), [8 * np.log(10), -8 * np.log(10), np.log(3)]),
        (np.array([[2.0, 1e6], [0, 2]]), [np.log(2), np.log(2)]),
        (np.array([[0.0, -2, 1], [2, 0, 5], [0, 0, 1]]), [np.log(2), np.log(2), 0]),
        (np.array([[0, 1.0], [1, 1]]), [np.log(1.25**0.5 + 0.5), -np.log(1.25**0.5 + 0.5)]),
        (np.array([[1j, 3], [0, 2]]), [0, np.log(2)]),
        (np.kron(np.array([[0.6, -0.8], [0.8, 0.6]]), 3 * np.eye(2)) + np.eye(4, k=2), None),
    ],
)
def test_an_element_is_a_turn_times_a_stretch(g, stretch):
    turning, logarithm = turn_and_stretch(g)
    assert np.iscomplexobj(turning) == np.iscomplexobj(g)
    scale = np.linalg.norm(g)
    np.testing.assert_allclose(turning @ scipy.linalg.expm(logarithm), g, atol=1e-12 * scale)
    np.testing.assert_allclose(turning @ logarithm, logarithm @ turning, atol=1e-12 * scale)
    np.testing.assert_allclose(np.abs(np.linalg.eigvals(turning)), 1, atol=1e-9)
    values = np.sort_complex(np.linalg.eigvals(logarithm))
    np.testing.assert_allclose(values.imag, 0, atol=1e-6)
    if stretch is not None:
        np.testing.assert_allclose(values.real, np.sort(stretch), atol=1e-6)


@pytest.mark.parametrize("size", [30, 42])
def test_long_jordan_blocks_have_logarithms(size):
    g = scipy.linalg.block_diag([[200.0]], scipy.linalg.expm(np.eye(size, k=1)))
    turning, logarithm = turn_and_stretch(g)
    np.testing.assert_allclose(turning @ scipy.linalg.expm(logarithm), g, atol=1e-7)


def boost(rapidity):
    """A boost along the first of three axes, time first."""
    g = np.eye(4)
    g[:2, :2] = [[np.cosh(rapidity), np.sinh(rapidity)], [np.sinh(rapidity), np.cosh(rapidity)]]
    return g


def motion(angle, shift):
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, shift], [s, c, 0], [0, 0, 1]])


TURN = np.kron(np.diag([0.0, 1]), [[0.0, -1], [1, 0]]) + np.diag([1.0, 1, 0, 0])


@pytest.mark.parametrize(
    ("generators", "rep_in", "rep_out", "dim"),
    [
        ([boost(8)], V, V, 1 + 1 + 2**2),
        ([boost(8)], T(2), Scalar, 2 + 2**2),
        ([boost(5)], T(2), T(2), 1 + 4**2 + 6**2 + 4**2 + 1),
        ([boost(5), TURN], T(2), T(2), 38),
        ([np.diag([100, 0.01])], T(3), T(3), 1 + 3**2 + 3**2 + 1),
        ([np.diag([1e3, 1e-3])], T(2), T(2), 1 + 2**2 + 1),
        ([np.diag([1e13, 1])], T(2), Scalar, 1),
        ([[[1, 1e6], [0, 1]]], T(2), T(2), 6),
        ([motion(1.0, 0), motion(2.0, 100)], T(2), T(2), 4),
        ([motion(1.0, 0), motion(0, 100)], T(2), T(2), 4),
        ([motion(1.0, 0), motion(0, 100)], T(2), Scalar, 1),
    ],
)
def test_elements_with_entries_of_any_size(generators, rep_in, rep_out, dim):
    group = GeneratedGroup(generators=generators)
    plan = equivariant_maps(rep_in(group), rep_out(group), method="weights")
    assert plan.dim == dim
    assert plan.residual < 1e-10


OBLIQUE = np.array([[3, -2], [-1, 1.0]]), np.array([[1, 2], [1, 3.0]])
SYMMETRIC = symmetric(V, 2)


@pytest.mark.parametrize(
    ("tangents", "generators", "rep_in", "rep_out", "dim"),
    [
        ([[[0.1, 1, 0], [0, 0.2, 1], [0, 0, -0.3]]], [], Det, Scalar, 1),  # traceless but for rounding
        ([], [2.0**-20 * np.array([[2, 1], [-1, 0]])], V**2, Det, 2),
        ([], [1e-6 * np.array([[2, 1], [-1, 0]])], V**2, V**2, 6),
        ([], [1e-3 * np.array([[1, 1], [0, 1]])], V**3, V**3, 20),
        ([], [OBLIQUE[0] @ np.diag([1e3, 1e-3]) @ OBLIQUE[1]], V**2, SYMMETRIC, 4),
        ([], [[[5.998046875, 14.994140625], [-1.9990234375, -4.9970703125]]], Det, SYMMETRIC, 1),
        ([], [[[5.998046875, 14.994140625], [-1.9990234375, -4.9970703125]]], V.T**2, symmetric(V.T, 2), 4),
        ([], [[[1, 1e3], [0, 1e-3]]], V**2, SYMMETRIC, 4),
        (
            [[[27j, -117j], [6j, -26j]], -2j * np.eye(2)],
            [[[-47 - 86j, 202 + 362j], [-10 - 19j, 43 + 80j]]],
            V**2,
            SYMMETRIC,
            1,
        ),
        ([], [np.diag([1e-100, 1])], V, V, 2),
        ([], [np.diag([1e60, 1])], V, V, 2),
        ([[[0, 1e160], [-1e160, 0]]], [], V, V, 2),
        ([[[0, 1e-300], [-1e-300, 0]]], [], V, V, 2),
        ([], [np.diag([1e-4, 2e-4])], V**3, V**3, 20),
    ],
)
def test_spaces_that_rounding_hides(tangents, generators, rep_in, rep_out, dim):
    """Dimensions counted by exact elimination."""
    group = GeneratedGroup(lie_algebra=tangents, generators=generators)
    source, target = rep_in(group), rep_out(group)
    assert equivariant_maps(source, target).dim == dim
    assert equivariant_maps(source, target, method="dense").dim == dim


@pytest.mark.parametrize("shear", [2.0**20, 1e8])
def test_eigenvectors_that_cannot_be_told_apart_are_refused(shear):
    group = GeneratedGroup(generators=[[[1, shear], [0, 1 / shear]]])
    with pytest.raises(ValueError, match=r"weights: eigenvalues from .* in one element are too uncertain"):
        equivariant_maps((V * V.T)(group), SYMMETRIC(group))


def test_a_small_shear_beside_a_large_stretch_is_not_overlooked():
    """Three maps keep it and six do not, though these are wrong by 1e-7 of the element only."""
    element = np.diag([2.0**11, 2.0**11, 2.0**-11])
    element[0, 1] = 2.0**-11
    group = GeneratedGroup(generators=[element])
    with pytest.raises(ValueError, match="weights: the residual on the generators is"):
        equivariant_maps(V(group), V(group))


SMALL = 1e-7
NEAR_ONE = [
    ([[1, SMALL], [0, 1]], 3),
    ([[np.cosh(SMALL), np.sinh(SMALL)], [np.sinh(SMALL), np.cosh(SMALL)]], 0),
    ([[np.cos(SMALL), -np.sin(SMALL)], [np.sin(SMALL), np.cos(SMALL)]], 0),
]


@pytest.mark.parametrize(("generator", "to_vectors"), NEAR_ONE, ids=["shear", "boost", "turn"])
def test_elements_near_the_identity_have_the_maps_of_their_logarithms(generator, to_vectors):
    group = GeneratedGroup(generators=[generator])
    assert equivariant_maps(V(group), V(group)).dim == 2
    assert equivariant_maps(T(2)(group), V(group)).dim == to_vectors


def test_large_elements_have_the_maps_of_small_ones():
    large, small = (GeneratedGroup(generators=[boost(r), TURN]) for r in (5, 1))
    found, referee = weights.solve(T(2)(large), V(large)), dense.solve(T(2)(small), V(small))
    assert_same_span(found, referee)


def test_an_unclear_rank_is_refused():
    with pytest.raises(Unsolved, match="no gap"):
        null_space(np.diag([0.0, 3e-11, 1.0]))
    with pytest.raises(Unsolved, match="conjugates"):
        real_span(np.array([[1.0], [1j]]) / np.sqrt(2))
