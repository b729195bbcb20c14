"""Symmetric and alternating powers: they sit in tensors, and their traces are the elementary formulas."""

import itertools
import math
import time
import tracemalloc

import jaxtyping
import numpy as np
import pytest

from symjax.groups import GL, SO, SU, C, D, O, S
from symjax.reps import Det, Scalar, T, V, alternating, powers, symmetric
from symjax.solver import equivariant_basis, equivariant_maps
from tests.reps.elements import element, tangent

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


@pytest.mark.parametrize(
    ("n", "power", "make"), [(3, 4, symmetric), (2, 5, symmetric), (4, 3, alternating), (4, 4, alternating)]
)
def test_powers_sit_in_tensors_by_symmetrised_products(n, power, make):
    """The slow way: sum the tensors over all orders of their slots."""
    sign = 1 if make is symmetric else -1
    choose = itertools.combinations_with_replacement if sign > 0 else itertools.combinations
    frame = []
    for indices in choose(range(n), power):
        tensor = np.zeros((n,) * power)
        for order in itertools.permutations(range(power)):
            tensor[tuple(indices[i] for i in order)] += np.linalg.det(np.eye(power)[list(order)]) if sign < 0 else 1
        frame.append(tensor.ravel() / np.linalg.norm(tensor))
    frame, rep, rng = np.array(frame), make(V, power)(GL(n)), np.random.default_rng(0)
    g, a = element(GL(n), rng), tangent(GL(n), rng)
    np.testing.assert_allclose(rep.rho(g), frame @ T(power)(GL(n)).rho(g) @ frame.T, atol=1e-12)
    np.testing.assert_allclose(rep.drho(a), frame @ T(power)(GL(n)).drho(a) @ frame.T, atol=1e-12)


def test_high_powers_are_solved_at_once():
    """Degree 12 holds the spins 0, 2, ..., 12, and degree 4 those up to 4; spins are told from traces."""
    began = time.process_time()
    assert equivariant_maps(symmetric(V, 12)(SO(3)), symmetric(V, 4)(SO(3))).dim == 3
    assert time.process_time() - began < 8  # slow machines; it took minutes
    assert equivariant_maps(symmetric(V, 30)(SO(2)), symmetric(V, 30)(SO(2))).dim == 31
    assert equivariant_basis(alternating(V, 8)(O(10))).dim == 0
    assert equivariant_basis(symmetric(V, 9)(S(8))).dim == sum(1 for _ in partitions(9, 8))


def partitions(n, most):
    """Ways to write n as a sum of at most so many positive numbers: orbits of the monomials of degree n."""
    if n == 0:
        yield ()
    for largest in range(1, n + 1) if most else ():
        yield from ((largest, *rest) for rest in partitions(n - largest, most - 1) if not rest or rest[0] <= largest)


@pytest.mark.parametrize("rep", [V(S(4)), V(D(4)), (V + Det)(D(2)), (Det * V)(S(3)), V(C(4))], ids=repr)
@pytest.mark.parametrize(("power", "make"), [(3, symmetric), (2, alternating), (3, alternating)])
def test_permutations_of_vectors_permute_their_powers(rep, power, make):
    power = make(rep, power)
    for h in rep.group.generators:
        perm, sign = power.monomial(h)
        np.testing.assert_allclose(sign[:, None] * np.eye(power.size)[perm], power.rho(h), atol=1e-12)
        x = np.random.default_rng(0).normal(size=(2, power.size))
        np.testing.assert_allclose(power.act(h, x), x @ power.rho(h).T, atol=1e-12)


@pytest.mark.parametrize(("n", "power", "sign"), [(3, 12, 1), (8, 4, 1), (40, 2, 1), (12, 4, -1)])
def test_what_is_asked_of_the_memory_is_what_is_taken(n, power, sign, monkeypatch):
    rep, asked = powers.Power(V(GL(n)), power, sign), []
    rep.rho(np.eye(n))
    monkeypatch.setattr(powers, "require_memory", lambda need, what: asked.append(need))
    for matrix in (rep.rho, rep.drho):
        tracemalloc.start()
        matrix(np.eye(n))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert 0.4 * asked[-1] < peak < 1.1 * asked[-1]


@pytest.mark.parametrize("use", ["rho", "drho", "monomial"])
def test_a_power_that_would_fill_the_memory_is_refused(use):
    power = symmetric(V, 20)(S(40))
    with pytest.raises(ValueError, match=r"would take about .* GiB of the .* GiB here"):
        getattr(power, use)(np.arange(40) if use != "drho" else np.zeros((40, 40)))


def test_ranks_are_integers(monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    assert T(np.int64(2), 1) == T(2, 1)
    with pytest.raises(TypeError, match=r"^expected integers p and q of at least 0, got T\(1.5, 0\)$"):
        T(1.5)
