import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.math import integration_matrix, runge_kutta


def spin(state):
    return jnp.stack([state[1], -state[0]])


def error(substeps):
    times = jnp.array([0.0, 0.3, 1.0, 2.5])
    path = runge_kutta(spin, jnp.array([1.0, 0.0]), times, substeps=substeps)
    return np.abs(path - jnp.stack([jnp.cos(times), -jnp.sin(times)], axis=1)).max()


def test_is_exact_where_the_solution_is_a_polynomial_of_degree_four():
    times = jnp.array([0.0, 0.5, 2.0])
    path = runge_kutta(lambda x: jnp.array([1.0, x[0] ** 3]), jnp.zeros(2), times)
    np.testing.assert_allclose(path, jnp.stack([times, times**4 / 4], axis=1), atol=1e-14)


def test_error_is_of_order_four():
    assert error(20) < 1e-4
    assert np.log2(error(20) / error(40)) == pytest.approx(4, abs=0.1)


def test_runs_backwards():
    start = jnp.array([0.3, -0.8])
    there = runge_kutta(spin, start, jnp.array([0.0, 1.0]), substeps=50)[-1]
    np.testing.assert_allclose(runge_kutta(spin, there, jnp.array([1.0, 0.0]), substeps=50)[-1], start, atol=1e-8)


def test_derivative_with_respect_to_start_and_field():
    """x(t) = x(0) exp(-k t): dx/dx(0) = exp(-k t) and dx/dk = -t x(0) exp(-k t)."""

    def end(rate, start):
        return runge_kutta(lambda x: -rate * x, start, jnp.array([0.0, 2.0]), substeps=40)[-1]

    by_rate, by_start = jax.grad(end, argnums=(0, 1))(jnp.array(0.7), jnp.array(1.5))
    np.testing.assert_allclose(by_rate, -2 * 1.5 * np.exp(-1.4), rtol=1e-6)
    np.testing.assert_allclose(by_start, np.exp(-1.4), rtol=1e-6)


def test_keeps_the_precision_of_the_state():
    path = runge_kutta(spin, jnp.ones((2, 3), jnp.float32), jnp.linspace(0.0, 1.0, 4), substeps=2)
    assert path.dtype == jnp.float32
    assert path.shape == (4, 2, 3)


def test_no_steps_are_refused():
    with pytest.raises(ValueError, match="at least one step"):
        runge_kutta(spin, jnp.ones(2), jnp.array([0.0, 1.0]), substeps=0)


def test_simpsons_rule_integrates_to_the_last_of_three_points():
    np.testing.assert_allclose(
        integration_matrix(np.array([1.0, 1.5, 2.0]))[[0, 2]], [[0, 0, 0], [1 / 6, 4 / 6, 1 / 6]]
    )


def test_integration_is_exact_below_the_number_of_points():
    times = np.array([0.3, 0.5, 0.9, 1.0, 1.7])
    matrix = integration_matrix(times)
    for degree in range(5):
        exact = (times ** (degree + 1) - times[0] ** (degree + 1)) / (degree + 1)
        np.testing.assert_allclose(matrix @ times**degree, exact, atol=1e-13)
    assert np.abs(matrix @ times**5 - (times**6 - times[0] ** 6) / 6).max() > 1e-4
