import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.models import DLinear, NLinear, RLinear, decomposed
from tests.cases import start
from tests.cases.inputs import series


def test_the_trend_is_the_moving_average_with_repeated_ends():
    x = series(40)
    padded = np.concatenate([np.repeat(x[:1], 12, 0), x, np.repeat(x[-1:], 12, 0)])
    trend = np.stack([padded[i : i + 25].mean(0) for i in range(40)])
    view = decomposed(jnp.asarray(x))
    np.testing.assert_allclose(view.rows, np.concatenate([trend, x - trend]), atol=1e-13)


def test_at_first_dlinear_forecasts_the_mean_of_the_window():
    x = jnp.asarray(series(30))
    params, apply = start(DLinear(4), x)
    assert jax.tree.map(jnp.shape, params["params"]) == {"kernel": (4, 60), "bias": (4,)}
    np.testing.assert_allclose(apply(params, x), np.tile(x.mean(0), (4, 1)), atol=1e-13)


@pytest.mark.parametrize("size", [1e-4, 1.0, 1e4])
@pytest.mark.parametrize(("model", "follows_units"), [(NLinear(2), False), (RLinear(2), True)])
def test_forecasts_follow_zeros_and_units(model, follows_units, size):
    x = jnp.asarray(series(9))
    params, apply = start(model, x)
    params = jax.tree.map(lambda leaf: leaf + 1.0, params)  # with a bias
    y = apply(params, x)
    np.testing.assert_allclose(apply(params, x + 5 * size), y + 5 * size, rtol=1e-10)
    assert np.allclose(apply(params, x * size), y * size, rtol=1e-10) == (follows_units or size == 1.0)


def test_a_constant_window_goes_on_as_it_is():
    x = jnp.full((9, 2), 3.5)
    params, apply = start(RLinear(2), x)
    np.testing.assert_array_equal(apply(jax.tree.map(lambda leaf: leaf + 1.0, params), x), x[:2])
