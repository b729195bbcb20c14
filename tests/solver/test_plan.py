"""Plans: an orthonormal basis of lawful maps as a value, in numpy and in compiled code."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.groups import SO, SU, D, GeneratedGroup, O, S, Z
from symjax.reps import Det, Irreps, Scalar, V, alternating
from symjax.solver import Plan, equivariant_maps, solve
from symjax.solver.bases import IsotypicBasis, TiledBasis
from tests.reps.elements import element

SE2 = GeneratedGroup(
    lie_algebra=[[[0, -1, 0], [1, 0, 0], [0, 0, 0]], [[0, 0, 1], [0, 0, 0], [0, 0, 0]], [[0, 0, 0], [0, 0, 1], [0] * 3]]
)
QI = np.kron(np.eye(2), [[0, -1], [1, 0]])
QJ = np.array([[0.0, 0, -1, 0], [0, 0, 0, 1], [1, 0, 0, 0], [0, -1, 0, 0]])
SPIN = GeneratedGroup(lie_algebra=[QI, QJ, QI @ QJ])
PAIRS = {
    "rotations": ((2 * V + V**2 + Scalar)(SO(3)), (V**2 + 3 * V)(SO(3))),
    "one large tensor": ((V**3)(SO(3)), (V**2)(SO(3))),
    "permutations": ((V**2 + 2 * V)(S(4)), (V + Scalar + V)(S(4))),
    "signs": ((Det + V * V)(D(4)), (Det * V * V + V)(D(4))),
    "complex": ((V * V.T + V)(SU(2)), (V.T + V.T * V + Scalar)(SU(2))),
    "many copies": ((40 * Scalar + 20 * V + 4 * V**2)(O(3)), (30 * V + 5 * V**2 + Det)(O(3))),
    "many copies of complex irreps": ((20 * V + 6 * V * V)(SO(2)), (16 * V + 40 * Scalar + V**2)(SO(2))),
    "many copies of a spinor": ((20 * V + 6 * V**2)(SU(2)), (20 * V.T + 4 * Scalar + 8 * V * V)(SU(2))),
    "many copies of quaternions": ((20 * V)(SPIN), (10 * V + 3 * V * V)(SPIN)),
    "irreps": (Irreps("2x1o+1e+0e"), Irreps("1e+3x1o+0o")),
    "motions": ((V + V.T)(SE2), (V + Scalar)(SE2)),
    "two groups": (V(SO(3)) + 2 * V(S(3)), V(SO(3)) * V(S(3)) + V(S(3))),
    "nothing": (V(O(3)), Scalar(O(3))),
}
pairs = pytest.mark.parametrize("name", PAIRS)


def solved(name):
    return equivariant_maps(*PAIRS[name])


def drawn(plan, rng, *shape):
    x = rng.normal(size=shape)
    return x if plan.rep_in.group.is_real else x + 1j * rng.normal(size=shape)


@pairs
def test_coefficients_and_matrices_are_inverse(name):
    plan, rng = solved(name), np.random.default_rng(0)
    c = drawn(plan, rng, 2, 3, plan.dim)
    w = plan.matrix(c)
    assert w.shape == (2, 3, plan.rep_out.size, plan.rep_in.size)
    np.testing.assert_allclose(plan.coefficients(w), c, atol=1e-12)
    np.testing.assert_allclose(plan.matrix(c[0, 1]), w[0, 1], atol=1e-12)
    np.testing.assert_allclose(np.sum(np.abs(w) ** 2, (-2, -1)), np.sum(np.abs(c) ** 2, -1), atol=1e-11)


@pairs
def test_projecting_is_orthogonal(name):
    plan, rng = solved(name), np.random.default_rng(1)
    v, w = drawn(plan, rng, 2, plan.rep_out.size, plan.rep_in.size)
    p = plan.project(w)
    np.testing.assert_allclose(plan.project(p), p, atol=1e-12)
    np.testing.assert_allclose(np.vdot(v, p), np.vdot(plan.project(v), w), atol=1e-11)


@pairs
def test_maps_are_lawful_for_sampled_elements(name):
    plan, rng = solved(name), np.random.default_rng(2)
    w, x = plan.matrix(drawn(plan, rng, plan.dim)), drawn(plan, rng, 4, plan.rep_in.size)
    for _ in range(3):
        g = element(plan.rep_in.group, rng)
        moved = plan.rep_out.act(g, x @ w.T)
        np.testing.assert_allclose(plan.rep_in.act(g, x) @ w.T, moved, atol=1e-10)
    assert plan.residual <= 1e-10


@pytest.mark.parametrize("name", [name for name in PAIRS if name.startswith("many copies")])
def test_mixing_irreps_and_tiles_are_the_same_maps(name, monkeypatch, tmp_path):
    """Also after a round trip through a file, and with coefficients that give each tensor the same size."""
    plan, rng = solved(name), np.random.default_rng(5)
    assert isinstance(plan.basis, IsotypicBasis)
    monkeypatch.setattr(solve, "MANY", 10**9)
    tiled = solve._plan.__wrapped__(*PAIRS[name], "auto", None)
    assert isinstance(tiled.basis, TiledBasis)
    assert tiled.dim == plan.dim
    np.testing.assert_array_equal(np.sort(tiled.scales), np.sort(plan.scales))
    w = drawn(plan, rng, plan.rep_out.size, plan.rep_in.size)
    np.testing.assert_allclose(plan.project(w), tiled.project(w), atol=1e-12)
    monkeypatch.undo()
    equivariant_maps(*PAIRS[name], store=tmp_path)
    solve._plan.cache_clear()
    assert equivariant_maps(*PAIRS[name], store=tmp_path) == plan


@pairs
def test_applying_is_multiplying_with_the_matrix(name):
    """Also where fewer vectors come than numbers, and more: two ways to compute it."""
    plan, rng = solved(name), np.random.default_rng(3)
    c = drawn(plan, rng, plan.dim)
    for shape in [(), (2,), (3, 30), (0,)]:
        x = drawn(plan, rng, *shape, plan.rep_in.size)
        np.testing.assert_allclose(plan.apply(c, x), x @ plan.matrix(c).T, atol=1e-12)


@pytest.mark.parametrize("name", [name for name in PAIRS if name != "nothing"])
def test_in_compiled_code_in_either_precision(name):
    """As an argument in double precision, as a constant in single."""
    plan, rng = solved(name), np.random.default_rng(4)
    c, x = drawn(plan, rng, plan.dim), drawn(plan, rng, 2, plan.rep_in.size)
    single = np.complex64 if np.iscomplexobj(c) else np.float32

    def everything(plan, c, x):
        w = plan.matrix(c)
        return plan.apply(c, x), w, plan.coefficients(w)

    expected = everything(plan, c, x)
    for got, wanted in zip(jax.jit(everything)(plan, c, x), expected, strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-12)
    for compiled in (jax.jit(lambda c, x: everything(plan, c, x)), lambda c, x: everything(plan, c, x)):
        for got, wanted in zip(compiled(c.astype(single), x.astype(single)), expected, strict=True):
            assert got.dtype == single
            np.testing.assert_allclose(got, wanted, atol=2e-5)


@pytest.mark.parametrize("name", ["rotations", "one large tensor", "many copies"])
def test_half_precision_stays(name):
    plan = solved(name)
    c, x = jnp.ones(plan.dim, jnp.bfloat16), jnp.ones((2, plan.rep_in.size), jnp.bfloat16)
    for made in (plan.matrix(c), plan.project(plan.matrix(c)), plan.apply(c, x), jax.jit(plan.apply)(c, x)):
        assert made.dtype == jnp.bfloat16


def test_gradients_and_batches():
    plan, rng = solved("signs"), np.random.default_rng(6)
    c, x = rng.normal(size=(2, plan.dim)), rng.normal(size=(2, 5, plan.rep_in.size))
    batched = jax.jit(jax.vmap(plan.apply))(c, x)
    np.testing.assert_allclose(batched[1], plan.apply(c[1], x[1]), atol=1e-12)
    assert plan.coefficients(np.zeros((0, plan.rep_out.size, plan.rep_in.size))).shape == (0, plan.dim)
    v = rng.normal(size=(plan.rep_out.size, plan.rep_in.size))
    slope = jax.jit(jax.grad(lambda c: jnp.sum(plan.matrix(c) * v)))(c[0])
    np.testing.assert_allclose(slope, plan.coefficients(v), atol=1e-12)


@pytest.mark.parametrize("name", ["rotations", "permutations", "complex", "nothing"])
def test_a_plan_is_a_pytree_and_compares_by_content(name):
    plan = solved(name)
    leaves, structure = jax.tree.flatten(plan)
    assert all(isinstance(leaf, np.ndarray) for leaf in leaves)
    again = jax.tree.unflatten(structure, leaves)
    assert isinstance(again, Plan)
    assert again == plan
    assert hash(again) == hash(plan)
    assert plan != solved("signs")
    other = jax.tree.map(lambda x: 2 * x, plan)
    assert (other == plan) == (plan.dim == 0)
    assert jax.jit(lambda p: p == plan)(plan) == (plan.dim == 0)
    assert f"dim {plan.dim}, " + (f"{plan.method}, residual" if plan.dim else "no part of one") in repr(plan)


@pytest.mark.parametrize(
    ("rep_in", "rep_out"),
    [
        (V(O(3)), Scalar(O(3))),
        ((0 * V)(SO(3)), V(SO(3))),
        (V(SO(3)), (0 * V)(SO(3))),
        ((0 * V)(Z(3)), (0 * V)(Z(3))),
        (alternating(V, 3)(D(3)), V(D(3))),
        (V(SO(2)), alternating(V, 4)(SO(2))),
    ],
    ids=str,
)
def test_spaces_with_no_map_but_zero(rep_in, rep_out):
    plan = equivariant_maps(rep_in, rep_out)
    shape = rep_out.size, rep_in.size
    assert (plan.dim, plan.method, plan.residual) == (0, "none", 0.0)
    assert plan.coefficients(np.ones((2, *shape))).shape == (2, 0)
    assert plan.scales.shape == (0,)
    for array in (np.asarray, jnp.asarray):
        np.testing.assert_array_equal(plan.matrix(array(np.zeros((2, 0)))), np.zeros((2, *shape)))
        np.testing.assert_array_equal(
            plan.apply(array(np.zeros(0)), array(np.ones((5, shape[1])))), np.zeros((5, shape[0]))
        )


def test_a_plan_says_how_it_was_found():
    plan = equivariant_maps((V + Scalar)(S(3)), (V + Det)(S(3)))
    assert plan.dim == sum(tile.dim for tile in plan.basis.tiles) == 3
    assert plan.method == "orbits"
    assert plan.group == S(3)


@pytest.mark.parametrize("name", ["rotations", "one large tensor", "permutations", "nothing"])
def test_arrays_of_a_wrong_shape_are_refused(name):
    plan = solved(name)
    n, m, r = plan.rep_out.size, plan.rep_in.size, plan.dim
    c, x = np.zeros(r), np.zeros((2, m))
    for wrong in (r + 1, max(0, r - 1) if r else 2):
        with pytest.raises(ValueError, match=rf"coefficients of shape \[..., {r}\]"):
            plan.matrix(np.zeros((2, wrong)))
        with pytest.raises(ValueError, match=rf"coefficients of shape \[..., {r}\]"):
            plan.apply(np.zeros(wrong), x)
    with pytest.raises(ValueError, match="coefficients of one map"):
        plan.apply(np.zeros((2, r)), x)
    for wrong in (m - 1, m + 1):
        with pytest.raises(ValueError, match=rf"vectors of shape \[..., {m}\]"):
            plan.apply(c, np.zeros((2, wrong)))
        with pytest.raises(ValueError, match=rf"matrices of shape \[..., {n}, {m}\]"):
            plan.coefficients(np.zeros((n, wrong)))
