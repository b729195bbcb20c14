import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.math import safe_divide, safe_norm, safe_sinc, safe_sqrt


@pytest.mark.parametrize(
    ("fn", "x"),
    [
        (safe_sqrt, jnp.zeros(())),
        (safe_norm, jnp.zeros(3)),
        (safe_norm, jnp.full(3, 1e-150)),
        (lambda x: safe_norm(x).astype(float), jnp.full(3, 1e-18, jnp.float32)),
        (lambda x: safe_divide(x[0], x[1]), jnp.array([1.0, 0.0])),
    ],
)
def test_value_gradient_and_second_derivative_are_finite_at_the_singularity(fn, x):
    value_and_derivatives = jax.jit(lambda v: (fn(v), jax.grad(fn)(v), jax.hessian(fn)(v)))(x)
    assert all(jnp.isfinite(leaf).all() for leaf in value_and_derivatives)


def test_agree_with_numpy_away_from_the_singularity():
    x = jax.random.normal(jax.random.key(0), (5, 3))
    np.testing.assert_allclose(safe_norm(x, axis=0, keepdims=True), np.linalg.norm(x, axis=0, keepdims=True))
    np.testing.assert_allclose(jax.grad(lambda v: safe_norm(v))(x[0]), x[0] / np.linalg.norm(x[0]))
    np.testing.assert_allclose(safe_sqrt(x**2), np.abs(x))
    np.testing.assert_allclose(safe_divide(x, x + 3), x / (x + 3))


def test_zero_is_where_the_docstring_says():
    assert safe_sqrt(jnp.array(-1.0)) == 0
    assert safe_divide(jnp.array(2.0), jnp.array(0.0)) == 0
    assert (jax.grad(safe_norm)(jnp.zeros(3)) == 0).all()


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_keep_the_dtype(dtype):
    x = jnp.ones((2, 3), dtype)
    assert safe_norm(x).dtype == safe_sqrt(x).dtype == safe_divide(x, x).dtype == dtype


@pytest.mark.parametrize("x", [0.0, 1e-9, 0.01, 0.29999, 0.30001, -0.3, 2.0, 30.0])
def test_sinc_and_its_derivatives_are_those_of_the_integral_of_cosines(x):
    """sin(x) / x is the mean of cos(x t) over 0 < t < 1, in Gauss' quadrature."""
    t, weights = np.polynomial.legendre.leggauss(40)
    t, weights = (t + 1) / 2, weights / 2
    derivatives = [safe_sinc, jax.grad(safe_sinc), jax.grad(jax.grad(safe_sinc))]
    wanted = [np.cos(x * t), -t * np.sin(x * t), -(t**2) * np.cos(x * t)]
    np.testing.assert_allclose([f(jnp.asarray(x)) for f in derivatives], np.stack(wanted) @ weights, rtol=0, atol=1e-12)
