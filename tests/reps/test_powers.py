"""Symmetric and alternating powers: they sit in tensors, and their traces are the elementary formulas."""

import math

import jaxtyping
import numpy as np
import pytest

from symjax.groups import GL, SU, D, O, S
from symjax.reps import Det, Scalar, T, V, alternating, symmetric
from symjax.solver import equivariant_basis, equivariant_maps
from tests.reps.elements import element

GROUPS = [GL(3), O(3), SU(2), S(4), D(4)]
each_group = pytest.mark.parametrize("group", GROUPS, ids=repr)


@each_group
def test_sizes_and_traces(group):
    """The traces are complete homogeneous and elementary symmetric polynomials of the eigenvalues."""
    g = element(group, np.random.default_rng(0))
    eigenvalues = np.linalg.eigvals(V(group).rho(g))
    elementary = np.poly(-eigenvalues)
    complete = [1.0]
    for k in range(1, 4):
        terms = [(-1) ** (j + 1) * elementary[j] * complete[k - j] for j in range(1, min(k, group.d) + 1)]
        complete.append(sum(terms))
        for power, trace, size in [
            (symmetric(V, k)(group), complete[k], math.comb(group.d + k - 1, k)),
            (alternating(V, k)(group), elementary[k] if k <= group.d else 0, math.comb(group.d, k)),
        ]:
            assert power.rho(g).shape == (size, size) == (power.size,) * 2
            np.testing.assert_allclose(np.trace(power.rho(g)), trace, atol=1e-12)


@each_group
def test_the_top_power_is_the_determinant(group):
    g = element(group, np.random.default_rng(1))
    np.testing.assert_allclose(alternating(V, group.d)(group).rho(g), Det(group).rho(g), atol=1e-12)


@each_group
def test_the_second_powers_are_the_whole_square(group):
    """Both parts together have as many maps to the square as it has itself; orthogonal groups keep length."""
    square, parts = (V**2)(group), (symmetric(V, 2) + alternating(V, 2))(group)
    assert square.size == parts.size
    assert equivariant_maps(parts, square).dim == equivariant_maps(square, square).dim
    if group.is_unitary:
        rho = parts.rho(element(group, np.random.default_rng(2)))
        np.testing.assert_allclose(rho @ rho.conj().T, np.eye(parts.size), atol=1e-12)


def test_powers_of_sums_and_of_duals():
    group = S(3)
    rep = V + Scalar
    expanded = symmetric(V, 2) + V + Scalar
    g = element(group, np.random.default_rng(3))
    np.testing.assert_allclose(np.trace(symmetric(rep, 2)(group).rho(g)), np.trace(expanded(group).rho(g)), atol=1e-12)
    assert symmetric(V.T, 2)(GL(2)) == symmetric(V, 2)(GL(2)).T
    assert symmetric(V, 1)(group).size == 3
    assert equivariant_basis(symmetric(V, 2)(group)).dim == 2
    assert equivariant_basis(alternating(V, 2)(group)).dim == 0
    assert equivariant_basis(symmetric(V, 4)(O(3))).dim == 1


def test_a_power_below_one_is_refused():
    with pytest.raises(ValueError, match="at least 1, got 0"):
        symmetric(V, 0)


def test_a_power_that_would_fill_the_memory_is_refused():
    power = symmetric(V, 9)(S(8))
    assert power.size == math.comb(16, 9)
    sentence = r"symmetric\(V, 9\)\(S\(8\)\), 8\^9 numbers each, .* take 1.14e\+04 GiB, expected at most 2 GiB"
    with pytest.raises(ValueError, match=sentence):
        power.rho(np.arange(8))


def test_ranks_are_integers(monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    assert T(np.int64(2), 1) == T(2, 1)
    with pytest.raises(TypeError, match=r"^expected integers p and q of at least 0, got T\(1.5, 0\)$"):
        T(1.5)
