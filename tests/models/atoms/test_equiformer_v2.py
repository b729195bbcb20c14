"""EquiformerV2 where frames of edges have no smooth choice: on the pole, and next to it."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.laws import random_params
from symjax.models.atoms import EquiformerV2
from symjax.potentials import energy_and_forces, scaled_energy
from tests.cases.inputs import atoms
from tests.cases.models import EXACT, TINY_V2

MODEL = EquiformerV2(2, 3.0, **EXACT, **TINY_V2)
POLE = np.array([(0.0, 0.0, 0.0), (0.0, 1.3, 0.0), (0.6, -0.9, 0.4)])  # y, where frames of edges change their chart


def graph(positions):
    return jax.tree.map(jnp.asarray, atoms(positions))


@functools.cache
def learnt():
    return random_params(MODEL, graph(POLE), key=jax.random.key(3)), jax.jit(energy_and_forces(_energy))


def _energy(params, x):
    return scaled_energy(MODEL, 1.0)(params, x)


def predict(positions):
    params, function = learnt()
    return function(params, graph(positions))


def test_edges_on_the_pole_are_no_exception():
    """Energies and forces have a limit where edges turn to the pole, y, from any side."""
    on = predict(POLE)
    for distance in (1e-6, 1e-9, 1e-12):
        for side in ((1.0, 0.0), (-0.6, 0.8)):
            near = POLE.copy()
            near[1, [0, 2]] += distance * np.array(side)
            found = predict(near)
            np.testing.assert_allclose(found.energy, on.energy, atol=100 * distance + 1e-12)
            np.testing.assert_allclose(found.forces, on.forces, atol=1000 * distance + 1e-11)


@pytest.mark.parametrize("distance", [0.0, 1e-12, 1e-6, 1e-3])
def test_forces_near_the_pole_are_differences_of_energies(distance):
    start, step = POLE + distance * np.array([(0, 0, 0), (1, 0, 0.5), (0, 0, 0)]), 1e-4
    moved = np.zeros((2, 3, 3))
    for atom, axis in ((1, 0), (1, 1), (1, 2)):
        moved[:] = start
        moved[:, atom, axis] += np.array([1, -1]) * step
        up, down = (predict(positions).energy.sum() for positions in moved)
        np.testing.assert_allclose(predict(start).forces[atom, axis], (down - up) / (2 * step), atol=1e-6)


def test_the_hessian_on_the_pole_is_symmetric():
    params, _ = learnt()

    def forces(positions):
        x = graph(POLE)
        return energy_and_forces(_energy)(params, x._replace(nodes=x.nodes._replace(positions=positions))).forces

    hessian = jax.jit(jax.jacfwd(forces))(jnp.asarray(POLE)).reshape(9, 9)
    assert jnp.abs(hessian).max() > 1e-3
    np.testing.assert_allclose(hessian, hessian.T, atol=1e-8 * float(jnp.abs(hessian).max()))


def test_what_cannot_be():
    with pytest.raises(ValueError, match="mmax of at most lmax, 2, got 3"):
        EquiformerV2(2, 3.0, **(TINY_V2 | {"mmax": 3}))
    with pytest.raises(ValueError, match="natural parity"):
        EquiformerV2(2, 3.0, outputs="1x1e", **TINY_V2)
