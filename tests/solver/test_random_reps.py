"""Random groups and random representations: what the solver chooses spans what the dense referee spans."""

import numpy as np
import scipy.linalg
from hypothesis import assume, given, settings, strategies as st

from symjax.groups import GL, O13, SL, SO, SU, C, D, GeneratedGroup, O, Sp, U
from symjax.reps import Det, Scalar, V, alternating, symmetric
from symjax.solver import equivariant_maps
from tests.reps.recipes import RECIPES, build

LARGEST = 14
PERMUTED = [V, V, Scalar, Det, symmetric(V, 2), alternating(V, 2)]
TENSORS = [V, V.T, Scalar, Det, V * V]
COMPLEX = [V, V.T, Scalar, V * V]
some = settings(max_examples=15, deadline=None, derandomize=True, database=None)


def assert_as_the_referee_says(rep_in, rep_out):
    group = rep_in.group
    found, referee = equivariant_maps(rep_in, rep_out), equivariant_maps(rep_in, rep_out, method="dense")
    assert found.dim == referee.dim
    assert found.residual <= 1e-10
    assert "dense" not in found.method
    shape = rep_out.size, rep_in.size
    units = np.eye(np.prod(shape)).reshape(-1, *shape)
    np.testing.assert_allclose(found.project(units), referee.project(units), atol=1e-9)
    assert np.iscomplexobj(found.project(units)) <= (not group.is_real)


def both(recipes, leaves, group):
    rep_in, rep_out = (build(recipe, leaves)(group) for recipe in recipes)
    assume(0 < rep_in.size <= LARGEST and 0 < rep_out.size <= LARGEST)
    return rep_in, rep_out


@some
@given(
    generators=st.integers(3, 5).flatmap(lambda n: st.lists(st.permutations(range(n)), min_size=1, max_size=2)),
    recipes=st.tuples(RECIPES, RECIPES),
)
def test_permutations(generators, recipes):
    assert_as_the_referee_says(*both(recipes, PERMUTED, GeneratedGroup(generators=generators)))


@some
@given(
    signed=st.lists(
        st.tuples(st.permutations(range(3)), st.tuples(*[st.sampled_from([-1.0, 1.0])] * 3)), min_size=1, max_size=2
    ),
    seed=st.integers(0, 3),
    recipes=st.tuples(RECIPES, RECIPES),
)
def test_finite_groups_in_a_random_frame(signed, seed, recipes):
    """Signed permutations, seen as they are (seed 0) or turned, so that no entry is 0 or 1 any more."""
    turn = scipy.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0] if seed else np.eye(3)
    generators = [turn @ np.diag(signs)[list(perm)] @ turn.T for perm, signs in signed]
    assert_as_the_referee_says(*both(recipes, TENSORS, GeneratedGroup(generators=generators)))


GROUPS = [SO(2), SO(3), O(2), SL(2), GL(2), Sp(1), O13(), D(3), C(5)]
COMPLEX_GROUPS = [SU(2), U(2), SU(3)]


@some
@given(which=st.integers(0, len(GROUPS) - 1), seed=st.integers(0, 3), recipes=st.tuples(RECIPES, RECIPES))
def test_named_groups_in_a_random_frame(which, seed, recipes):
    """Orthogonal frames keep what is orthogonal, so closed under the adjoint; seed 3 is oblique."""
    group, rng = GROUPS[which], np.random.default_rng(seed)
    frame = rng.normal(size=(group.d, group.d))
    frame = np.eye(group.d) + 0.2 * frame if seed == 3 else scipy.linalg.qr(frame)[0]
    turned = [[frame @ a @ np.linalg.inv(frame) for a in of] for of in (group.lie_algebra, group.generators)]
    conjugate = GeneratedGroup(lie_algebra=turned[0], generators=turned[1])
    assert_as_the_referee_says(*both(recipes, TENSORS, conjugate))


@settings(some, max_examples=8)
@given(which=st.integers(0, len(COMPLEX_GROUPS) - 1), seed=st.integers(0, 3), recipes=st.tuples(RECIPES, RECIPES))
def test_complex_groups_in_a_random_frame(which, seed, recipes):
    group, rng = COMPLEX_GROUPS[which], np.random.default_rng(seed)
    frame = scipy.linalg.qr(rng.normal(size=(group.d,) * 2) + 1j * rng.normal(size=(group.d,) * 2))[0]
    turned = GeneratedGroup(lie_algebra=[frame @ a @ frame.conj().T for a in group.lie_algebra])
    assert_as_the_referee_says(*both(recipes, COMPLEX, turned))
