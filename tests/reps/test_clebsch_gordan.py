"""The solver and e3nn's Clebsch-Gordan coefficients derive each other: one map for each triangle, the same one."""

import itertools

import e3nn_jax as e3nn
import numpy as np
import pytest

from symjax.reps import Irreps
from symjax.solver import equivariant_maps

DEGREES = range(5)
PAIRS = list(itertools.product(DEGREES, DEGREES))


@pytest.mark.parametrize(("l1", "l2"), PAIRS)
def test_the_solver_finds_the_coefficients_of_e3nn(l1, l2):
    product = Irreps(f"{l1}e") * Irreps(f"{l2}e")
    for l3 in DEGREES:
        plan = equivariant_maps(product, Irreps(f"{l3}e"))
        assert plan.dim == (abs(l1 - l2) <= l3 <= l1 + l2)
        if plan.dim:
            wanted = np.asarray(e3nn.clebsch_gordan(l1, l2, l3), float).transpose(2, 0, 1).reshape(2 * l3 + 1, -1)
            wanted = wanted / np.linalg.norm(wanted)
            assert plan.residual < 1e-12
            assert np.allclose(abs(plan.coefficients(wanted)), 1, rtol=0, atol=1e-12)
            assert np.allclose(plan.project(wanted), wanted, rtol=0, atol=1e-12)


def test_parity_selects():
    for p1, p2, p3 in itertools.product("eo", repeat=3):
        plan = equivariant_maps(Irreps(f"1{p1}") * Irreps(f"1{p2}"), Irreps(f"2{p3}"))
        assert plan.dim == ((p1 == p2) == (p3 == "e"))
