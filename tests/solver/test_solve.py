"""The solver: methods, checks and retries, what is remembered, groups of all sorts."""

import json
import re
import time
import warnings

import jax
import numpy as np
import pytest
import scipy.linalg

from symjax.groups import SL, SO, SU, D, GeneratedGroup, O, S, Trivial, Z
from symjax.layers.matrix import EquivariantLinear
from symjax.math import memory, waiting
from symjax.reps import Det, Irreps, Scalar, T, V, pullback, restrict
from symjax.solver import equivariant_basis, equivariant_maps, linalg, solve
from symjax.solver.bases import DenseBasis, Unsolved, load_basis
from symjax.solver.methods import dense
from tests.reps.elements import element


def fresh(seed):
    """A group that nobody has solved before: a random reflection of the plane."""
    a = np.random.default_rng(seed).normal()
    return GeneratedGroup(generators=[[[np.cos(a), np.sin(a)], [np.sin(a), -np.cos(a)]]])


@pytest.fixture
def method(monkeypatch):
    """Put a solver in the place of "weights"."""

    def put(solver):
        monkeypatch.setattr(solve, "SOLVERS", {**solve.SOLVERS, "weights": solver})
        return "weights"

    return put


@pytest.mark.parametrize("method", [name for name in solve.SOLVERS if name != "diagrams"])
def test_each_method_by_name(method):
    group = S(3)
    plan = equivariant_maps((V + V**2)(group), V(group), method=method)
    assert (plan.dim, plan.method) == (2 + 5, method)


def test_the_first_method_that_applies_is_taken():
    assert equivariant_maps(V(S(4)), V(S(4))).method == "orbits"
    assert equivariant_maps((V + Det)(D(4)), V(D(4))).method == "orbits"
    mixed = equivariant_maps((V * V + Scalar)(SO(3)), (V * V + Scalar)(SO(3)))
    assert "orbits" in mixed.method.split("+")
    assert len(mixed.method.split("+")) == 2
    large = T(2)(O(65))  # 4225 numbers: too many for eigenvectors
    assert (equivariant_maps(large, large).method, equivariant_maps(large, large).dim) == ("diagrams", 3)
    shear = GeneratedGroup(lie_algebra=[[[0, 1], [0, 0]]])
    assert equivariant_maps(V(shear), V(shear)).dim == 2


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (lambda: equivariant_maps(V(SO(2)), V(SO(2)), method="orbits"), ValueError, "orbits: some element does more"),
        (lambda: equivariant_maps(T(8)(SL(3)), T(1)(SL(3)), method="dense"), ValueError, "dense: 19683 unknowns"),
        (lambda: equivariant_maps(V, V), ValueError, "V and V have no group yet"),
        (lambda: equivariant_maps(3, V(S(3))), TypeError, "rep"),
        (lambda: equivariant_basis(T(2)), ValueError, "no group yet"),
        (lambda: equivariant_maps(T(9)(S(9)), T(9)(S(9))), ValueError, "GiB"),
    ],
)
def test_what_cannot_be_solved_is_refused(wrong, error, message):
    with pytest.raises(error, match=message):
        wrong()


def test_a_space_without_maps_says_why_and_what_to_try():
    strangers = equivariant_maps(V(O(3)), V(D(3)))
    assert "different factors of the group move them" in repr(strangers)
    assert "add scalars or products such as T(2)" in repr(equivariant_maps(V(O(3)), Scalar(O(3))))


def test_equal_groups_keep_their_own_names():
    rotations = SO(2)
    mine = GeneratedGroup(lie_algebra=rotations.lie_algebra, name="mine")
    assert repr(equivariant_maps(V(rotations), V(rotations))).startswith("Plan(V(SO(2)) -> V(SO(2)): dim 2")
    assert repr(equivariant_maps(V(mine), V(mine))).startswith("Plan(V(mine) -> V(mine): dim 2")


def test_an_unknown_method_is_refused():
    with pytest.raises((ValueError, TypeError), match="method"):
        equivariant_maps(V(S(3)), V(S(3)), method="magic")


def test_a_method_that_fails_once_is_asked_again(method):
    asked = []

    def moody(rep_in, rep_out, seed):
        asked.append(seed)
        if len(asked) < 3:
            raise Unsolved("not today")
        return dense.solve(rep_in, rep_out)

    group = fresh(0)
    assert equivariant_maps(V(group), V(group), method=method(moody)).dim == 2
    assert asked == [0, 1, 2]


def test_a_wrong_map_is_never_returned(method):
    """Slightly or grossly wrong, and right for some seeds: only what passes on every generator comes back."""

    def off_by(size):
        def solver(rep_in, rep_out, seed):
            maps = dense.solve(rep_in, rep_out).maps.copy()
            maps[0, 0, 1] += size if seed < 2 else 0.0
            return DenseBasis(maps)

        return solver

    for seed, size in enumerate((1.0, 1e-6, 1e-9)):
        group = fresh(10 + seed)
        plan = equivariant_maps(V(group), V(group), method=method(off_by(size)))
        assert (plan.dim, plan.residual <= 1e-10) == (2, True)


def test_where_every_method_fails_every_reason_is_said(monkeypatch):
    def never(rep_in, rep_out, seed):
        raise Unsolved("a rainy day")

    def wrong(rep_in, rep_out, seed):
        return DenseBasis(np.eye(4).reshape(4, 2, 2)[1:2])

    monkeypatch.setattr(solve, "SOLVERS", dict.fromkeys(solve.SOLVERS, never) | {"dense": wrong})
    with pytest.raises(ValueError, match=r"no basis .* was found \(.*orbits: a rainy day.*; dense: the residual .* is"):
        equivariant_maps(V(fresh(20)), V(fresh(20)))


def test_groups_of_one_name_and_other_generators_are_not_confused():
    """Four points turned in a cycle, and left alone: 4 maps and 16."""
    cycle = GeneratedGroup(generators=[[1, 2, 3, 0]], name="Mine")
    nothing = GeneratedGroup(d=4, name="Mine")
    assert repr(cycle) == repr(nothing)
    assert equivariant_maps(V(cycle), V(cycle)).dim == 4
    assert equivariant_maps(V(nothing), V(nothing)).dim == 16
    assert equivariant_maps(V(cycle), V(cycle)).dim == 4


def test_equal_content_is_solved_once():
    first = equivariant_maps((V * V)(Z(5)), V(Z(5)))
    again = GeneratedGroup(generators=[np.roll(np.arange(5), 1)])
    assert equivariant_maps((V * V)(again), V(again)).basis is first.basis


@pytest.mark.parametrize("wide", [True, False])
def test_while_tracing_and_in_single_precision(wide):
    """A plan made inside a compiled function is the one made outside, in float64."""
    with jax.enable_x64(wide):
        group = GeneratedGroup(lie_algebra=[np.array([[0.0, -1 - wide], [1 + wide, 0.0]])])
        rep = (V * V + V)(group)

        @jax.jit
        def layer(c, x):
            values, vectors = linalg.eigh(np.diag([1 / 3, 1.0]))
            assert {values.dtype, vectors.dtype} == {np.dtype(float)}
            return equivariant_maps(rep, rep).apply(c, x)

        dim = 6 + 2
        c, x = (np.ones(n, np.float64 if wide else np.float32) for n in (dim, rep.size))
        y = layer(c, x)
        plan = equivariant_maps(rep, rep)
    assert plan.dim == dim
    assert all(isinstance(leaf, np.ndarray) for leaf in jax.tree.leaves(plan))
    assert {leaf.dtype for leaf in jax.tree.leaves(plan) if leaf.dtype.kind == "f"} == {np.dtype(float)}
    assert plan.residual <= 1e-10
    np.testing.assert_allclose(y, plan.apply(c.astype(float), x.astype(float)), atol=1e-12 if wide else 1e-5)


@pytest.mark.parametrize(
    ("rep_in", "rep_out", "dim"),
    [
        (V(SO(3)) * V(S(5)), V(SO(3)) * V(S(5)), 2),
        (T(2)(SO(3)) * V(S(5)), T(2)(SO(3)) * V(S(5)), 6),
        (V(S(5)) + V(SO(3) * S(5)), V(S(5)) + V(SO(3) * S(5)), 4),
        (V(SO(3)), V(SO(3)) + V(S(5)), 1),
        (V(SO(3)) * V(SO(3)), Scalar, 1),
        (V(SO(2) * SO(2)), V(SO(2) * SO(2)), 4),
        (pullback(V(SO(2)), SO(2) * SO(2), factor=0), pullback(V(SO(2)), SO(2) * SO(2), factor=0), 2),
        (pullback(V(SO(2)), SO(2) * SO(2), factor=0), pullback(V(SO(2)), SO(2) * SO(2), factor=1), 0),
        (restrict(V(O(3)), SO(3)), restrict((Det * V)(O(3)), SO(3)), 1),
        (V(SU(2)) * V(S(3)), V(SU(2)).T * V(S(3)), 2),
    ],
    ids=str,
)
def test_products_of_groups(rep_in, rep_out, dim):
    """Each factor acts on its own part; the same factor twice acts twice."""
    plan = equivariant_maps(rep_in, rep_out)
    assert plan.dim == dim
    rng = np.random.default_rng(0)
    g, w = element(plan.group, rng), plan.matrix(rng.normal(size=plan.dim))
    np.testing.assert_allclose(plan.rep_out.rho(g) @ w, w @ plan.rep_in.rho(g), atol=1e-10)


def test_invariants_are_maps_from_a_scalar():
    basis = equivariant_basis(T(2)(SO(3)))
    assert basis.dim == 1
    np.testing.assert_allclose(np.abs(basis.matrix(np.ones(1))[:, 0].reshape(3, 3)), np.eye(3) / np.sqrt(3), atol=1e-12)
    assert equivariant_basis(T(2, 2)(SL(2))).dim == equivariant_maps(T(2)(SL(2)), T(2)(SL(2))).dim == 2


@pytest.mark.parametrize("method", ["auto", "dense"])
@pytest.mark.parametrize("which", ["spins", "two phases"])
def test_complex_spaces_have_hermitian_projectors(which, method):
    """In a rotated basis the maps are complex, for two phases so is the projector, which is orthogonal all the same."""
    tangents, dims = {"spins": (SU(2).lie_algebra, (2, 2)), "two phases": ([np.diag([1j, 2j])], (6, 0))}[which]
    rng = np.random.default_rng(0)
    turn, _ = np.linalg.qr(rng.normal(size=(2, 2)) + 1j * rng.normal(size=(2, 2)))
    group = GeneratedGroup(lie_algebra=[turn @ a @ turn.conj().T for a in tangents])
    for rep_in, dim in zip((T(1, 1)(group), T(2)(group)), dims, strict=True):
        plan = equivariant_maps(rep_in, T(1, 1)(group), method=method)
        projector = plan.project(np.eye(16).reshape(16, 4, 4)).reshape(16, 16).T
        np.testing.assert_allclose(projector @ projector, projector, atol=1e-12)
        np.testing.assert_allclose(projector, projector.conj().T, atol=1e-12)
        assert plan.dim == round(np.trace(projector).real) == dim
        if which == "two phases" and dim:
            assert np.abs(projector.imag).max() > 0.01


def test_duals_of_sums():
    group = SL(2)
    rep = (V + 2 * V.T + Scalar)(group)
    assert (V.T + 2 * V + Scalar)(group) == rep.T
    assert equivariant_maps(rep, rep.T).dim == equivariant_maps(rep, rep).dim == 10


def test_smallest_groups_and_representations():
    assert equivariant_maps(V(Trivial(1)), (V * V)(Trivial(1))).dim == 1
    assert equivariant_maps(V(S(1)), (2 * V)(S(1))).dim == 2
    assert equivariant_maps(V(O(1)), Scalar(O(1))).dim == 0
    assert equivariant_maps(V(SU(1)), V(SU(1))).dim == 1
    assert equivariant_maps(Irreps("0o"), Irreps("3x0o+0e")).dim == 3


def test_no_size_is_cut_off():
    """Spaces of more maps than any rank one would guess: all of them come back, in double precision."""
    plan = equivariant_maps((V**2)(Trivial(5)), (V**2)(Trivial(5)))
    assert plan.dim == 625
    cyclic = equivariant_maps((V**2)(Z(8)), (V**2)(Z(8)))
    assert cyclic.dim == 512
    assert cyclic.residual < 1e-14
    tiny = 1e-4  # a generator this close to the identity still counts
    near = GeneratedGroup(generators=[[[np.cos(tiny), -np.sin(tiny)], [np.sin(tiny), np.cos(tiny)]]])
    assert equivariant_maps(V(near), V(near)).dim == 2


def _turning(*charges, size):
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    return GeneratedGroup(lie_algebra=[size * scipy.linalg.block_diag(*(q * turn for q in charges))])


def test_small_generators_are_told_apart_on_disk(tmp_path):
    """Tangents in small units are no smaller a symmetry."""
    for charges, dim in (((1, 2), 4), ((1, 1), 8)):
        group = _turning(*charges, size=1e-8)
        assert equivariant_maps(V(group), V(group), store=tmp_path).dim == dim


@pytest.mark.parametrize("method", ["auto", "isotypic", "weights", "dense"])
@pytest.mark.parametrize("size", [1e-12, 1e6])
def test_the_size_of_a_generator_means_nothing(method, size):
    first, second, _ = SO(3).lie_algebra
    group = GeneratedGroup(lie_algebra=[first, size * second])
    assert equivariant_maps(T(2)(group), T(2)(group), method=method).dim == 3


def test_damage_anywhere_in_a_stored_basis_is_noticed(tmp_path):
    rep, c = T(3)(SO(3)), np.arange(15.0)
    wanted = equivariant_maps(rep, rep, store=tmp_path).matrix(c)
    [path] = tmp_path.iterdir()
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for place in rng.integers(len(whole), size=40):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = load_basis(path)
        assert found is None or np.allclose(found.matrix(c), wanted)


def test_a_stored_basis_with_a_block_left_out_is_noticed(tmp_path):
    rep = T(3)(SO(3))
    assert equivariant_maps(rep, rep, store=tmp_path).dim == 15
    [path] = tmp_path.iterdir()
    with np.load(path) as file:
        layout, arrays = json.loads(str(file["layout"])), dict(file)
    layout["fields"]["kinds"]["tuple"].pop()
    np.savez_compressed(path, **arrays | {"layout": np.array(json.dumps(layout))})
    with pytest.warns(UserWarning, match="not what was written"):
        assert load_basis(path) is None


def test_what_would_not_fit_is_refused_first():
    motions = np.zeros((3, 3, 3))
    motions[0, 0, 1], motions[0, 1, 0], motions[1, 0, 2], motions[2, 1, 2] = -1, 1, 1, 1
    group = GeneratedGroup(lie_algebra=list(motions))
    with pytest.raises(ValueError, match="weights: 59049 coordinates are more than"):
        equivariant_basis(T(10)(group))


def test_maps_beyond_the_memory_are_refused(monkeypatch):
    shear = GeneratedGroup(lie_algebra=[np.diag(np.arange(7.0), 1)])
    monkeypatch.setattr(memory, "memory_limit", lambda: 2**16)
    with pytest.raises(ValueError, match=r"\(V\*\*3\).* to \(V\*\*3\).* have 512 x 512 entries.* of the .* GiB here"):
        equivariant_maps(T(3)(shear), T(3)(shear))
    with pytest.raises(ValueError, match="weights: 64 unknowns would take about"):
        equivariant_maps(V(shear), V(shear), method="weights")
    monkeypatch.setattr(memory, "memory_limit", lambda: 2**20)
    generic = GeneratedGroup(lie_algebra=[np.random.default_rng(0).standard_normal((40, 40))])
    with pytest.raises(ValueError, match="weights: 40 maps of 40 x 40 numbers would take about"):
        equivariant_maps(V(generic), V(generic), method="weights")


def test_layers_keep_bases_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("SYMJAX_BASES", str(tmp_path))
    rep = (2 * V)(SO(5))
    jax.jit(EquivariantLinear(rep, rep, use_bias=False).init)(jax.random.key(0), np.ones(rep.size, np.float32))
    assert len(list(tmp_path.glob("*.npz"))) == 1


def test_a_store_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.warns(UserWarning, match="could not be written"):
        assert equivariant_maps(V(SO(6)), V(SO(6)), store=tmp_path / "file" / "bases").dim == 1


def test_the_store_is_a_folder(tmp_path):
    file = tmp_path / "bases"
    file.write_text("")
    with pytest.raises(ValueError, match="expected store to be a folder"):
        equivariant_maps(V(SO(2)), V(SO(2)), store=file)


def test_work_that_takes_long_says_what_it_is(monkeypatch, caplog):
    def slow(rep_in, rep_out, seed=0):
        time.sleep(0.2)
        return dense.solve(rep_in, rep_out)

    monkeypatch.setattr(solve, "SOLVERS", dict.fromkeys(solve.SOLVERS, slow))
    equivariant_maps(V(fresh(31)), V(fresh(31)))
    assert not caplog.messages
    monkeypatch.setattr(waiting, "SECONDS", 0.05)
    equivariant_maps(V(fresh(31)), Det(fresh(31)))
    [line] = caplog.messages
    assert re.fullmatch(r"solving for the maps from V.* to Det.* takes more than 0.05 seconds; still at it", line)


def test_a_refusal_with_many_reasons_ends_with_one_advice(monkeypatch):
    def never(rep_in, rep_out, seed=0):
        raise Unsolved("a rainy day")

    monkeypatch.setattr(solve, "SOLVERS", dict.fromkeys(solve.SOLVERS, never))
    for rep, method, advice in [
        (V(fresh(32)), "auto", "give the generators in float64"),
        (T(7)(fresh(32)), "auto", "take tensors of lower rank"),
        (V(fresh(32)), "weights", "leave the choice of the method to 'auto'"),
    ]:
        with pytest.raises(ValueError, match=rf"no basis .* was found \(.*a rainy day\); {advice}[^;]*$"):
            equivariant_maps(rep, rep, method=method)
