"""Maps by irreps: dimensions from theory, the same span as the dense referee, and every check that can refuse."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg

from symjax.groups import O13, SO, SU, C, D, GeneratedGroup, MatrixGroup, O, S, Sp
from symjax.reps import LinearRep, Scalar, T, V
from symjax.solver import irreps_of, shared_irreps
from symjax.solver.bases import Unsolved
from symjax.solver.linalg import eigh
from symjax.solver.methods import decompose, dense, isotypic
from symjax.solver.methods.algebra_words import Words

QI, QJ, QK = (
    np.array(rows, float)  # multiplications of the quaternions by i, j, k from the left
    for rows in (
        [[0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 0, -1], [0, 0, 1, 0]],
        [[0, 0, -1, 0], [0, 0, 0, 1], [1, 0, 0, 0], [0, -1, 0, 0]],
        [[0, 0, 0, -1], [0, 0, -1, 0], [0, 1, 0, 0], [1, 0, 0, 0]],
    )
)
TURN = np.array([[0.0, -1.0], [1.0, 0.0]])
SYMMETRIC = (np.diag([1.0, 0.0]), np.diag([0.0, 1.0]), np.array([[0.0, 1.0], [1.0, 0.0]]))

UNIT_QUATERNIONS = GeneratedGroup(lie_algebra=[QI, QJ, QK], name="SU(2) as real matrices")
QUATERNION_GROUP = GeneratedGroup(generators=[QI, QJ], name="Q8")
COMPACT_SP2 = GeneratedGroup(
    lie_algebra=[np.kron(h, q) for h in SYMMETRIC for q in (QI, QJ, QK)] + [np.kron(TURN, np.eye(4))],
    name="Sp(2) compact",
)
REAL_U2 = GeneratedGroup(
    lie_algebra=[np.kron(h, TURN) for h in SYMMETRIC] + [np.kron(TURN, np.eye(2))], name="U(2) as real matrices"
)
FROBENIUS = GeneratedGroup(generators=[(np.arange(7) + 1) % 7, (np.arange(7) * 2) % 7], name="7:3")
ROTATED_SU2 = GeneratedGroup(
    lie_algebra=[r @ a @ r.conj().T for r in [np.array([[3, 4j], [4j, 3]]) / 5] for a in SU(2).lie_algebra],
    generators=[np.exp(0.3j) * np.eye(2)],
    name="a rotated SU(2) and a phase",
)

# group, T(p, q) that comes in, T(p, q) that goes out, dimension by characters
CASES = [
    (SO(3), (3, 0), (3, 0), 15),
    (SO(3), (1, 0), (2, 0), 1),
    (O(3), (1, 0), (2, 0), 0),
    (O13(), (1, 0), (2, 1), 3),
    (SU(3), (2, 1), (2, 1), 6),
    (SU(3), (2, 0), (0, 1), 1),
    (Sp(2), (1, 0), (2, 1), 3),
    (C(3), (1, 0), (1, 0), 2),
    (C(3), (2, 0), (2, 0), 6),
    (D(4), (2, 0), (2, 0), 4),
    (S(4), (2, 0), (1, 0), 5),
    (UNIT_QUATERNIONS, (1, 0), (1, 0), 4),
    (UNIT_QUATERNIONS, (2, 0), (2, 0), 32),
    (UNIT_QUATERNIONS, (1, 0), (3, 0), 32),
    (QUATERNION_GROUP, (1, 0), (1, 0), 4),
    (COMPACT_SP2, (1, 0), (1, 0), 4),
    (COMPACT_SP2, (1, 0), (2, 0), 0),
    (REAL_U2, (1, 0), (1, 0), 2),
    (FROBENIUS, (1, 0), (1, 0), 3),
    (FROBENIUS, (1, 0), (2, 0), 17),
    (ROTATED_SU2, (1, 0), (1, 0), 1),
    (ROTATED_SU2, (2, 1), (2, 1), 5),
    (ROTATED_SU2, (2, 0), (0, 0), 0),
]


def reps(case) -> tuple[LinearRep, LinearRep]:
    group, rep_in, rep_out, _ = case
    return T(*rep_in)(group), T(*rep_out)(group)


def concrete(rep: LinearRep) -> MatrixGroup:
    assert rep.group is not None
    return rep.group


def normal(*shape: int, like: LinearRep) -> np.ndarray:
    rng = np.random.default_rng(0)
    real = rng.standard_normal(shape)
    return real if concrete(like).is_real else real + 1j * rng.standard_normal(shape)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_maps_are_all_lawful_and_orthonormal(case):
    rep_in, rep_out = reps(case)
    basis = isotypic.solve(rep_in, rep_out)
    assert basis.dim == case[-1]
    maps = basis.matrix(np.eye(basis.dim))
    assert maps.shape == (basis.dim, rep_out.size, rep_in.size)
    gram = np.einsum("roi,soi->rs", maps.conj(), maps)
    np.testing.assert_allclose(gram, np.eye(basis.dim), atol=1e-11)
    for a in concrete(rep_in).lie_algebra:
        np.testing.assert_allclose(rep_out.drho(a) @ maps, maps @ rep_in.drho(a), atol=1e-10)
    for h in concrete(rep_in).generators:
        np.testing.assert_allclose(rep_out.rho(h) @ maps, maps @ rep_in.rho(h), atol=1e-10)


@pytest.mark.parametrize("case", [case for case in CASES if 0 < case[-1] <= 5], ids=str)
def test_the_span_is_that_of_the_dense_referee(case):
    rep_in, rep_out = reps(case)
    ours, theirs = isotypic.solve(rep_in, rep_out), dense.solve(rep_in, rep_out)
    overlaps = ours.coefficients(theirs.maps)
    assert np.linalg.norm(overlaps) ** 2 == pytest.approx(ours.dim, abs=1e-9)
    assert theirs.dim == ours.dim


@pytest.mark.parametrize("case", [CASES[0], CASES[4], CASES[13]], ids=str)
def test_coefficients_matrix_and_application_agree_in_numpy_and_in_compiled_jax(case):
    rep_in, rep_out = reps(case)
    basis = isotypic.solve(rep_in, rep_out)
    c, x = normal(2, basis.dim, like=rep_in), normal(4, 1, rep_in.size, like=rep_in)
    w = basis.matrix(c)
    np.testing.assert_allclose(basis.coefficients(w), c, atol=1e-12)
    np.testing.assert_allclose(basis.apply(c[0], x), x @ w[0].T, atol=1e-12)
    np.testing.assert_allclose(jax.jit(basis.matrix)(jnp.asarray(c)), w, atol=1e-12)
    np.testing.assert_allclose(jax.jit(basis.coefficients)(jnp.asarray(w)), c, atol=1e-12)
    np.testing.assert_allclose(jax.jit(basis.apply)(jnp.asarray(c[0]), jnp.asarray(x)), x @ w[0].T, atol=1e-12)
    single = np.complex64 if np.iscomplexobj(c) else np.float32
    assert jax.jit(basis.matrix)(jnp.asarray(c.astype(single))).dtype == single


def test_projecting_is_the_nearest_lawful_map():
    rep = T(2)(SO(3))
    basis = isotypic.solve(rep, rep)
    w = normal(9, 9, like=rep)
    off = w - basis.matrix(basis.coefficients(w))
    np.testing.assert_allclose(basis.coefficients(off), 0, atol=1e-12)


def test_a_space_without_maps():
    basis = isotypic.solve(*reps(CASES[2]))
    assert basis.dim == 0
    assert basis.coefficients(np.ones((5, 9, 3))).shape == (5, 0)
    np.testing.assert_array_equal(basis.matrix(np.ones((5, 0))), np.zeros((5, 9, 3)))


@pytest.mark.parametrize(
    ("rep", "expected"),
    [
        (T(4)(SO(3)), [(1, 3, "real"), (3, 6, "real"), (5, 6, "real"), (7, 3, "real"), (9, 1, "real")]),
        (T(2)(C(5)), [(1, 2, "real"), (2, 1, "complex")]),
        (T(1)(FROBENIUS), [(1, 1, "real"), (6, 1, "complex")]),
        (T(3)(UNIT_QUATERNIONS), [(4, 8, "quaternionic"), (8, 4, "quaternionic")]),
        (T(1)(COMPACT_SP2), [(8, 1, "quaternionic")]),
        (T(1, 1)(SU(3)), [(1, 1, "complex"), (8, 1, "complex")]),
        (T(2)(S(5)), [(1, 2, "real"), (4, 3, "real"), (5, 1, "real"), (6, 1, "real")]),
        (T(1)(SO(3) * S(4)), [(3, 1, "real"), (9, 1, "real")]),
        (T(1)(SU(2)) * T(1)(S(3)), [(2, 1, "complex"), (4, 1, "complex")]),
    ],
    ids=str,
)
def test_irreps(rep: LinearRep, expected):
    irreps = irreps_of(rep)
    assert [(irrep.dimension, irrep.multiplicity, irrep.kind) for irrep in irreps] == expected
    assert sum(irrep.dimension * irrep.multiplicity for irrep in irreps) == rep.size
    columns = np.concatenate([irrep.vectors.reshape(rep.size, -1) for irrep in irreps], axis=1)
    np.testing.assert_allclose(columns.conj().T @ columns, np.eye(rep.size), atol=1e-11)


def test_irreps_that_two_sides_share():
    assert sorted(shared_irreps((V + T(2))(SO(3)), (2 * V + Scalar)(SO(3)))) == [(1, 1, 1), (3, 2, 2)]
    assert shared_irreps(V(SO(3)), Scalar(SO(3))) == ()
    shear = GeneratedGroup(lie_algebra=[SHEAR])
    with pytest.raises(ValueError, match=r"V.* and V.* could not be split"):
        shared_irreps(V(shear), V(shear))


SHEAR = np.array([[0.0, 1.0], [0.0, 0.0]])
SKEWED = np.array([[2.0, 1.0], [0.0, 1.0]])
MOTIONS = [np.pad(TURN, (0, 1)), np.eye(3)[:, :1] * np.eye(3)[2], np.eye(3)[:, 1:2] * np.eye(3)[2]]


@pytest.mark.parametrize(
    ("group", "reason"),
    [
        (GeneratedGroup(lie_algebra=MOTIONS, name="SE(2)"), "Lie algebra is not closed"),
        (GeneratedGroup(lie_algebra=[SHEAR], name="shears"), "Lie algebra is not closed"),
        (GeneratedGroup(generators=[np.eye(2) + SHEAR], name="a shear"), "unitary"),
        (GeneratedGroup(generators=[SKEWED @ C(3).generators[0] @ np.linalg.inv(SKEWED)], name="C3'"), "unitary"),
    ],
    ids=str,
)
def test_matrices_that_are_not_closed_under_the_adjoint_are_refused(group, reason: str):
    with pytest.raises(Unsolved, match=reason):
        isotypic.solve(T(1)(group), T(1)(group))
    with pytest.raises(ValueError, match=reason):
        irreps_of(T(1)(group))


@pytest.fixture
def no_memory():
    isotypic._certified.cache_clear()
    yield
    isotypic._certified.cache_clear()


@pytest.mark.usefixtures("no_memory")
def test_an_element_with_too_few_or_too_close_levels_is_refused_and_another_tried(monkeypatch):
    rep, generic = T(2)(SO(4)), Words.hermitian
    for blend, reason in [(0.0, "shared by several irreps|no isometry"), (1e-9, "neither equal nor apart")]:

        def degenerate(words: Words, rep: LinearRep, blend: float = blend) -> np.ndarray:
            return generic(words, rep) * (blend if words.seed == 0 else 1) + np.eye(rep.size)

        monkeypatch.setattr(Words, "hermitian", degenerate)
        isotypic._certified.cache_clear()
        with pytest.raises(Unsolved, match=reason):
            isotypic.solve(rep, rep, seed=0)
        assert isotypic.solve(rep, rep, seed=1).dim == 4
        assert len(irreps_of(rep)) == 4


@pytest.mark.usefixtures("no_memory")
def test_a_wrong_decomposition_does_not_pass(monkeypatch):
    rep, right = T(2)(SO(3)), decompose.decompose

    def swapped(rep: LinearRep, seed: int) -> decompose.Isotypic:
        found = right(rep, seed)
        one, *others = found.irreps
        mixed = dataclasses.replace(one, vectors=others[0].vectors[:, :1])
        return dataclasses.replace(found, irreps=(mixed, *others))

    monkeypatch.setattr(isotypic, "decompose", swapped)
    with pytest.raises(Unsolved, match="does not"):
        isotypic.solve(rep, rep)


def test_irreps_that_look_alike_are_not_paired():
    target = isotypic._certified(T(2)(SO(3)), 0)
    places = np.arange(9)[None]

    def paired(irreps: list[decompose.Irrep]) -> isotypic.IsotypicBasis:
        changed = dataclasses.replace(target, irreps=tuple(irreps))
        return isotypic._paired([(changed, places)], [(target, places)])

    near = [dataclasses.replace(irrep, levels=irrep.levels + 1e-8 * target.levels) for irrep in target.irreps]
    far = [dataclasses.replace(irrep, levels=irrep.levels + 1e-5 * target.levels) for irrep in target.irreps]
    other = [dataclasses.replace(irrep, links=irrep.links + 1e-3 * target.links) for irrep in target.irreps]
    with pytest.raises(Unsolved, match="neither equal nor clearly different"):
        paired(near)
    with pytest.raises(Unsolved, match="differ otherwise"):
        paired(other)
    assert paired(far).dim == 0


def test_what_takes_minutes_is_refused():
    with pytest.raises(Unsolved, match="6561 coordinates"):
        isotypic.solve(T(0)(SO(3)), T(8)(SO(3)))


def test_a_representation_is_kept_once():
    rep = T(2)(SO(3))
    basis = isotypic.solve(rep, T(2)(SO(3)))
    assert basis.source.rotations[0] is basis.target.rotations[0]


@pytest.mark.parametrize("rep", [T(2)(SO(3)), T(2)(C(3)), T(2)(SU(3))], ids=str)
def test_the_basis_does_not_depend_on_the_choices_of_the_eigensolver(rep, monkeypatch):
    """Coefficients learnt on one machine mean the same maps on another, which returns other bases of eigenspaces."""
    wanted = isotypic.solve(rep, rep)
    c = np.random.default_rng(0).standard_normal(wanted.dim)

    def other(a):
        levels, vectors = eigh(a)
        mixed = np.random.default_rng(1).standard_normal(vectors.shape).astype(vectors.dtype)
        mixed += 1j * np.random.default_rng(2).standard_normal(vectors.shape) if np.iscomplexobj(vectors) else 0
        is_one = np.abs(levels[:, None] - levels) < 1e-9 * np.abs(levels).max()
        return levels, vectors @ scipy.linalg.polar(np.where(is_one, mixed, 0))[0]

    monkeypatch.setattr(decompose, "eigh", other)
    isotypic._certified.cache_clear()
    found = isotypic.solve(rep, rep)
    isotypic._certified.cache_clear()
    assert np.allclose(found.matrix(c), wanted.matrix(c), rtol=0, atol=1e-9)
