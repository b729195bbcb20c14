"""Conjugates, real forms, parts: spinors and vectors of the same transformations."""

import jax
import numpy as np
import pytest

from symjax.groups import SL2C, SO, SU, GeneratedGroup, U
from symjax.reps import Scalar, V, conjugate, in_parts, irreps, real_form, symmetric
from symjax.solver import equivariant_maps, irreps_of

SPINORS = V(SL2C())
METRIC = np.diag([1.0, -1, -1, -1])


def sampled(group, seed=0):
    with jax.enable_x64(True):
        return np.asarray(group.sample(jax.random.key(seed)))


def test_weyl_spinors_make_four_vectors():
    four = real_form(SPINORS * conjugate(SPINORS))
    g = sampled(SL2C())
    boosted = four.rho(g)
    assert boosted.dtype == np.float64
    np.testing.assert_allclose(boosted.T @ METRIC @ boosted, METRIC, atol=1e-12)
    assert boosted[0, 0] >= 1
    pauli = np.array([np.eye(2), [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
    x = np.array([2.0, 0.3, -0.5, 0.7])
    seen = g @ np.tensordot(x, pauli, 1) @ g.conj().T
    np.testing.assert_allclose(np.einsum("iab,ba->i", pauli, seen).real / 2, boosted @ x, atol=1e-12)
    assert equivariant_maps(SPINORS * conjugate(SPINORS), four).dim == 1
    assert equivariant_maps(SPINORS, conjugate(SPINORS)).dim == 0
    assert equivariant_maps(SPINORS, SPINORS.T).dim == 1  # by the volume form
    assert conjugate(conjugate(SPINORS)) == SPINORS


def test_conjugates_of_unitary_and_real_groups_are_known():
    assert conjugate(V(SU(3))) == V(SU(3)).T
    assert conjugate(V(SO(3))) == V(SO(3))
    assert conjugate(V + V.T)(U(2)) == (V.T + V)(U(2))
    phases = GeneratedGroup(lie_algebra=[[[1j]]])
    assert equivariant_maps(V(phases), conjugate(V(phases))).dim == 0


def test_real_forms_of_spins():
    turn = real_form(symmetric(V, 2)(SU(2))).rho(sampled(SU(2)))
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(turn), 1)
    both = real_form((V * V + Scalar)(SU(2)))
    assert [irrep.multiplicity for irrep in irreps_of(both)] == [2, 1]
    assert np.isrealobj(both.rho(sampled(SU(2), 1)))
    assert real_form(V(SU(3)) * V(SU(3)).T).size == 9
    np.testing.assert_allclose(real_form(V(SO(3))).rho(sampled(SO(3))), sampled(SO(3)), atol=1e-12)


@pytest.mark.parametrize("rep", [V(SU(2)), V(SU(3)), irreps("3/2", SU(2)), SPINORS], ids=repr)
def test_what_has_no_real_form_has_parts(rep):
    with pytest.raises(ValueError, match=r"has no real form that can be told; take in_parts\(rep\)"):
        real_form(rep)
    parts, g = in_parts(rep), sampled(rep.group)
    x = np.random.default_rng(0).normal(size=(2, rep.size))
    moved = rep.rho(g) @ (x[0] + 1j * x[1])
    np.testing.assert_allclose(parts.rho(g) @ x.ravel(), np.concatenate([moved.real, moved.imag]), atol=1e-12)
