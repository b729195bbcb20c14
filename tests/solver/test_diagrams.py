"""Diagrams of the classical groups, against theory, the dense referee and their own matrices."""

import jax
import jax.extend
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.groups import GL, O13, SL, SO, SU, D, GeneratedGroup, O, S, SO11p, SO13p, Sp, U
from symjax.reps import Det, Scalar, T, V
from symjax.solver import equivariant_maps
from symjax.solver.bases import Unsolved
from symjax.solver.methods import dense, diagrams
from symjax.solver.methods.invariant_theory import pairings, set_partitions, spanning_diagrams
from tests.solver.theory import dim_maps, invariants

CASES = [
    (O(3), (2, 0), (2, 0)),
    (O(3), (1, 0), (2, 0)),  # nothing
    (O(2), (3, 0), (3, 0)),  # 15 pairings of rank 10
    (SO(3), (1, 0), (2, 0)),
    (SO(3), (2, 0), (3, 0)),
    (SO(2), (2, 0), (2, 0)),  # the volume form is a pair too
    (SO(5), (2, 0), (3, 0)),
    (O13(), (1, 0), (2, 1)),
    (O13(), (0, 2), (1, 1)),
    (SO13p(), (1, 1), (0, 2)),
    (SO13p(), (2, 0), (2, 0)),
    (SO11p(), (2, 0), (1, 1)),
    (Sp(1), (3, 0), (1, 2)),
    (Sp(2), (2, 0), (2, 0)),
    (Sp(2), (1, 1), (0, 2)),
    (Sp(2), (0, 1), (1, 0)),
    (U(2), (3, 0), (3, 0)),  # Catalan numbers
    (U(3), (1, 1), (1, 1)),
    (GL(3), (2, 1), (1, 0)),
    (GL(2), (1, 0), (2, 0)),  # nothing
    (SL(3), (2, 0), (0, 1)),
    (SL(2), (0, 2), (0, 0)),
    (SU(3), (0, 0), (4, 1)),
    (SU(2), (2, 1), (1, 0)),
    (S(3), (2, 0), (2, 0)),  # fewer things than indices
    (S(4), (3, 0), (2, 0)),
    (S(5), (0, 0), (2, 0)),
    (SO(3), (0, 0), (0, 0)),
]
SMALL = [case for case in CASES if case[0].d ** sum(case[1] + case[2]) <= 300]


def random(shape, *, is_real=True, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal(shape) + (0 if is_real else 1j * rng.standard_normal(shape))


@pytest.mark.parametrize(("group", "rep_in", "rep_out"), CASES, ids=str)
def test_diagrams_are_all_equivariant_maps(group, rep_in, rep_out):
    source, target = T(*rep_in)(group), T(*rep_out)(group)
    basis = diagrams.solve(source, target)
    assert basis.dim == dim_maps(repr(group), rep_in, rep_out)
    w = basis.matrix(np.eye(basis.dim))
    np.testing.assert_allclose(np.einsum("roi,soi->rs", w, w), np.eye(basis.dim), atol=1e-12)
    for x, y in [(target.drho(a), source.drho(a)) for a in group.lie_algebra]:
        np.testing.assert_allclose(x @ w, w @ y, atol=1e-10)
    for x, y in [(target.rho(h), source.rho(h)) for h in group.generators]:
        np.testing.assert_allclose(x @ w, w @ y, atol=1e-10)


@pytest.mark.parametrize(("group", "rep_in", "rep_out"), CASES, ids=str)
def test_apply_and_coefficients_follow_the_matrix(group, rep_in, rep_out):
    source, target = T(*rep_in)(group), T(*rep_out)(group)
    basis, is_real = diagrams.solve(source, target), group.is_real
    c, x = random((basis.dim,), is_real=is_real), random((2, 3, source.size), is_real=is_real)
    np.testing.assert_allclose(basis.apply(c, x), x @ basis.matrix(c).T, atol=1e-12)
    batch = random((2, 2, basis.dim), is_real=is_real, seed=1)
    matrices = basis.matrix(batch)
    assert matrices.shape == (2, 2, target.size, source.size)
    np.testing.assert_allclose(basis.coefficients(matrices), batch, atol=1e-11)
    w = random((target.size, source.size), is_real=is_real, seed=2)
    residue = w - basis.matrix(basis.coefficients(w))
    np.testing.assert_allclose(basis.coefficients(residue), 0, atol=1e-11)


@pytest.mark.parametrize(("group", "rep_in", "rep_out"), SMALL, ids=str)
def test_the_dense_referee_finds_the_same_space(group, rep_in, rep_out):
    source, target = T(*rep_in)(group), T(*rep_out)(group)
    referee = dense.solve(source, target)
    cosines = diagrams.solve(source, target).coefficients(referee.maps)
    assert np.sum(np.abs(cosines) ** 2) == pytest.approx(referee.dim, abs=1e-9)
    np.testing.assert_allclose(np.sum(np.abs(cosines) ** 2, axis=-1), 1, atol=1e-9)


@pytest.mark.parametrize(
    ("group", "longest"), [(O(3), 8), (SO(3), 7), (SO(4), 6), (Sp(2), 8), (SO(2), 6), (S(4), 6), (S(10), 6)], ids=str
)
def test_dimensions_of_long_tensors(group, longest):
    """The rank of the loop counts alone: of 105 pairings of 8 vectors 91 are independent in three dimensions."""
    for k in range(longest + 1):
        target, source = T(k - k // 2)(group), T(0, k // 2)(group)
        assert diagrams.solve(source, target).dim == invariants(repr(group), k)


@pytest.mark.parametrize("group", [O(3), SO(3), O13(), Sp(2), SL(3), S(3)], ids=str)
def test_inner_products_count_loops(group):
    """The Gram matrix without tensors equals that of the tensors, made here slot by slot."""
    form = getattr(group, "form", np.eye(group.d))
    volume = np.array([[[np.linalg.det(np.eye(3)[[i, j, k]]) for k in range(3)] for j in range(3)] for i in range(3)])
    slots = [True, False, True, True] if group == SL(3) else [True, False, False, True]
    ups = [*slots, True, False] if group != SO(3) else [*slots, True]
    diagrams_, gram, _ = spanning_diagrams(group, ups)
    tensors = []
    for diagram in diagrams_:
        terms = [(form, pair) for pair in diagram.forms] + [(volume, diagram.volume)] * bool(diagram.volume)
        for part in diagram.equal:
            equal = np.zeros((group.d,) * len(part))
            np.fill_diagonal(equal, 1) if len(part) > 1 else equal.fill(1)
            terms.append((equal, part))
        operands = [value for array, labels in terms for value in (array, list(labels))]
        tensors.append(np.einsum(*operands, list(range(len(ups))), optimize=True).ravel())
    np.testing.assert_allclose(gram, np.array(tensors) @ np.array(tensors).T, atol=1e-9)


def test_compiled_in_single_precision():
    basis = diagrams.solve(T(2)(SO(3)), T(3)(SO(3)))
    c, x = random((basis.dim,)), random((4, 9))
    single = jax.jit(basis.apply)(jnp.asarray(c, jnp.float32), jnp.asarray(x, jnp.float32))
    assert single.dtype == jnp.float32
    np.testing.assert_allclose(single, basis.apply(c, x), atol=1e-5)
    as_argument = jax.jit(lambda basis, c, x: (basis.apply(c, x), basis.coefficients(basis.matrix(c))))
    y, again = as_argument(basis, jnp.asarray(c), jnp.asarray(x))
    np.testing.assert_allclose(y, basis.apply(c, x), atol=1e-12)
    np.testing.assert_allclose(again, c, atol=1e-12)


def largest_intermediate(jaxpr):
    inner = [sub for eqn in jaxpr.eqns for sub in jax.extend.core.jaxprs_in_params(eqn.params)]
    sizes = [var.aval.size for eqn in jaxpr.eqns for var in eqn.outvars]
    return max([*sizes, *map(largest_intermediate, inner)], default=0)


@pytest.mark.parametrize("group", [O(3), S(4), U(3)], ids=str)
def test_a_layer_never_makes_its_matrix(group):
    rep = T(4 if group != S(4) else 2)(group)
    basis = diagrams.solve(rep, rep)
    dtype = jnp.float64 if group.is_real else jnp.complex128
    shapes = jax.ShapeDtypeStruct((basis.dim,), dtype), jax.ShapeDtypeStruct((rep.size,), dtype)
    jaxpr = jax.make_jaxpr(basis.apply)(*shapes).jaxpr
    assert largest_intermediate(jaxpr) < rep.size**2
    assert largest_intermediate(jax.make_jaxpr(basis.matrix)(shapes[0]).jaxpr) >= rep.size**2


@pytest.mark.parametrize("method", ["diagrams", "isotypic"])
def test_a_plan_of_a_few_large_tensors_never_makes_its_matrix(method):
    rep = (2 * T(4) + V)(O(3))
    plan = equivariant_maps(rep, rep, method=method)
    shapes = jax.ShapeDtypeStruct((plan.dim,), jnp.float64), jax.ShapeDtypeStruct((2, rep.size), jnp.float64)
    assert largest_intermediate(jax.make_jaxpr(plan.apply)(*shapes).jaxpr) < rep.size**2
    c, x = (np.random.default_rng(0).standard_normal(shape.shape) for shape in shapes)
    np.testing.assert_allclose(plan.apply(c, x), x @ plan.matrix(c).T, atol=1e-12)
    np.testing.assert_allclose(jax.jit(plan.apply)(c, x), x @ plan.matrix(c).T, atol=1e-12)


@pytest.mark.parametrize(
    ("source", "target", "reason"),
    [
        (V(D(3)), V(D(3)), "not known as diagrams"),
        ((V + Scalar)(O(3)), V(O(3)), "neither V nor V.T"),
        (Det(O(3)), Scalar(O(3)), "neither V nor V.T"),
        (Scalar(SU(2)), T(4)(SU(2)), "more than one volume form"),
        (T(6)(O(3)), T(6)(O(3)), "more than 2000 diagrams"),
    ],
    ids=str,
)
def test_what_diagrams_do_not_solve(source, target, reason):
    with pytest.raises(Unsolved, match=reason):
        diagrams.solve(source, target)


def test_a_group_is_known_by_its_generators():
    again = GeneratedGroup(lie_algebra=SO(3).lie_algebra, name="turns")
    assert diagrams.solve(T(2)(again), T(2)(again)).dim == 3


def test_enumerations():
    assert [len(list(pairings(range(k)))) for k in range(9)] == [1, 0, 1, 0, 3, 0, 15, 0, 105]
    assert [len(list(set_partitions(range(k), k))) for k in range(1, 7)] == [1, 2, 5, 15, 52, 203]
    assert len(set(set_partitions(range(5), 2))) == 16
