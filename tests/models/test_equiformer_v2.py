"""EquiformerV2 where frames have no smooth choice: edges along the pole, and next to it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.laws import random_params
from symjax.models.atoms import EquiformerV2
from tests.cases.inputs import atoms
from tests.cases.models import EXACT, TINY_V2

MODEL = EquiformerV2(2, 3.0, **EXACT, **TINY_V2)
POLE = np.array([(0.0, 0.0, 0.0), (0.0, 1.1, 0.0), (0.0, -1.3, 0.0), (0.9, 0.2, 0.4)])
GRAPH = jax.tree.map(jnp.asarray, atoms(POLE))
PARAMS = random_params(MODEL, GRAPH, key=jax.random.key(0))


@jax.jit
def energy(positions):
    return jnp.sum(MODEL.apply(PARAMS, GRAPH._replace(nodes=GRAPH.nodes._replace(positions=positions))).array)


gradient, hessian = jax.jit(jax.grad(energy)), jax.jit(jax.hessian(energy))


def test_energies_and_forces_are_continuous_across_the_pole():
    at, slope = energy(POLE), gradient(POLE)
    for step in (1e-3, 1e-6, 1e-12):
        for axis in (0, 2):
            moved = POLE.copy()
            moved[1:3, axis] += step
            assert abs(energy(moved) - at) < 10 * step + 1e-13
            assert jnp.abs(gradient(moved) - slope).max() < 10 * step + 1e-11


@pytest.mark.parametrize("step", [0.0, 1e-3, 1e-6])
def test_forces_are_differences_of_energies_and_second_derivatives_symmetric(step):
    places = POLE.copy()
    places[1:3, 0] += step
    direction = np.random.default_rng(1).standard_normal(POLE.shape)
    change = (energy(places + 1e-5 * direction) - energy(places - 1e-5 * direction)) / 2e-5
    np.testing.assert_allclose(jnp.sum(gradient(places) * direction), change, rtol=1e-6)
    second = hessian(places).reshape(12, 12)
    np.testing.assert_allclose(second, second.T, atol=1e-8 * jnp.abs(second).max())
    assert jnp.abs(second).max() > 1e-4


def test_what_cannot_be():
    with pytest.raises(ValueError, match="mmax of at most lmax, 2, got 3"):
        EquiformerV2(2, 3.0, **(TINY_V2 | {"mmax": 3}))
    with pytest.raises(ValueError, match="natural parity"):
        EquiformerV2(2, 3.0, outputs="1x1e", **TINY_V2)
