import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import spherical_jn

from symjax.math import bessel_zeros, spherical_bessel, spherical_bessel_basis

X = np.concatenate([[0.0], np.geomspace(1e-9, 60, 200), np.arange(1.0, 10.0)])


def test_values_and_slopes_of_nine_degrees():
    rows = jnp.asarray(np.tile(X[:, None, None], (1, 9, 1)))
    values, slopes = jax.jit(lambda x: jax.jvp(spherical_bessel, (x,), (jnp.ones_like(x),)))(rows)
    curvature = jax.jit(jax.grad(lambda x: jax.grad(lambda y: spherical_bessel(y).sum())(x).sum()))(rows)
    for degree in range(9):
        np.testing.assert_allclose(values[:, degree, 0], spherical_jn(degree, X), atol=1e-14)
        np.testing.assert_allclose(slopes[:, degree, 0], spherical_jn(degree, X, derivative=True), atol=1e-14)
    assert jnp.isfinite(curvature).all()


def test_zeros_are_zeros_in_order_and_cannot_be_written():
    zeros = bessel_zeros(7, 6)
    assert zeros.shape == (7, 6)
    for degree, row in enumerate(zeros):
        np.testing.assert_allclose(spherical_jn(degree, row), 0, atol=1e-15)
        assert np.sum(np.diff(np.sign(spherical_jn(degree, np.linspace(1e-3, row[-1] + 0.1, 2000)))) != 0) == 6
    with pytest.raises(ValueError, match="read-only"):
        zeros[0, 0] = 1


def test_each_degree_is_orthonormal_on_its_ball():
    nodes, weights = np.polynomial.legendre.leggauss(60)
    d, weights = (nodes + 1) / 2, weights / 2
    basis = np.asarray(spherical_bessel_basis(jnp.asarray(2.5 * d), cutoff=2.5, degrees=4, count=3))
    overlaps = np.einsum("e,eln,elm->lnm", weights * d**2, basis, basis)
    np.testing.assert_allclose(overlaps, np.broadcast_to(np.eye(3), (4, 3, 3)), atol=1e-12)
