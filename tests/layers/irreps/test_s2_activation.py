"""Activations on the sphere: a product is exact on the smallest grid, a silu nearly so on any."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.layers.irreps import S2Activation, s2_grid, s2_tolerance
from symjax.layers.irreps.so2.s2_activation import product_points
from symjax.math import by_order, frames, wigner_matrices

KEY = jax.random.key(3)


def turned(l_max: int):
    rotation = frames(jnp.array([[0.3, 1.1, -0.7]]), turn=jnp.array([0.4]))
    return jax.scipy.linalg.block_diag(*(matrix[0] for matrix in wigner_matrices(l_max, rotation)))


@pytest.mark.parametrize(("l_max", "m_max"), [(2, None), (4, None), (4, 2)])
def test_the_smallest_grid_of_a_product_agrees_with_a_fine_one(l_max, m_max):
    size = (l_max + 1) ** 2 if m_max is None else len(by_order(l_max, m_max))
    f, g = np.random.default_rng(0).standard_normal((2, size))
    products = []
    for grid in (product_points(l_max, m_max), (40, 60)):
        to, back = s2_grid(l_max, m_max, *grid)
        np.testing.assert_allclose(back @ (to @ f), f, atol=1e-12)
        products.append(back @ ((to @ f) * (to @ g)))
    np.testing.assert_allclose(products[0], products[1], atol=1e-12)
    to, back = s2_grid(l_max, m_max, *(points - 2 for points in product_points(l_max, m_max)))
    assert np.abs(back @ ((to @ f) * (to @ g)) - products[1]).max() > 1e-3


def missed(resolution: int, size: float) -> float:
    """Return by how much of the output a silu on a grid misses a rotation."""
    activate, turn = S2Activation("silu", 2, None, resolution), turned(2)
    x = size * jax.random.normal(KEY, (50, 9, 2))
    gates = jnp.ones((50, 2))
    after, before = activate(jnp.einsum("ij,njc->nic", turn, x), gates), activate(x, gates)
    return float(jnp.abs(after - jnp.einsum("ij,njc->nic", turn, before)).max() / jnp.abs(before).max())


@pytest.mark.parametrize("size", [1.0, 30.0])
def test_a_silu_misses_rotations_less_on_finer_grids(size):
    errors = [missed(resolution, size) for resolution in (6, 12, 24)]
    assert all(error < s2_tolerance(2, resolution) for error, resolution in zip(errors, (6, 12, 24), strict=True))
    assert errors[1] < errors[0] / 2
    assert errors[2] < errors[1] / 2
    assert errors[0] > 1e-6


def test_gates_make_the_scalars_of_a_silu_and_scale_products():
    x, gates = jax.random.normal(KEY, (3, 9, 4)), jnp.array([[0.5], [-1.0], [2.0]])
    np.testing.assert_allclose(S2Activation("silu", 2)(x[..., :1], gates)[:, 0], jax.nn.silu(gates), rtol=1e-14)
    product = S2Activation("product", 2)
    some, more = product(x[..., :2], gates), product(x[..., :2], 2 * gates)
    ratio = jax.nn.silu(2 * gates) / jax.nn.silu(gates)
    np.testing.assert_allclose(more, some * ratio[:, None], rtol=1e-12)


@pytest.mark.parametrize("l_max", [2, 6])
def test_what_cannot_be(l_max):
    least = 2 * (l_max + 1)
    S2Activation("silu", l_max, None, least)
    with pytest.raises(ValueError, match=f"at least {least} points"):
        S2Activation("silu", l_max, None, least - 1)
