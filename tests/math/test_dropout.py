import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.math import dropout

X = jnp.ones((301, 33))


def test_entries_are_dropped_one_by_one_and_the_mean_stays():
    y = jax.jit(lambda key: dropout(X, 0.3, key))(jax.random.key(0))
    gone = np.asarray(y == 0)
    np.testing.assert_allclose(y[~gone], 1 / 0.7, rtol=1e-4)
    for there in (gone, gone[:, ::2], gone[:, 1::2], gone[::2], gone[1::2]):
        np.testing.assert_allclose(there.mean(), 0.3, atol=4 * np.sqrt(0.21 / there.size))
    for other in (np.roll(gone, 1, axis=0), np.roll(gone, 1, axis=1)):
        assert abs(np.corrcoef(gone.ravel(), other.ravel())[0, 1]) < 4 / np.sqrt(gone.size)


@pytest.mark.parametrize("rate", [0.0, 1e-9])
def test_no_rate_drops_nothing(rate):
    assert dropout(X, rate, jax.random.key(0)) is X


@pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan")])
def test_rates_that_are_no_share_are_refused(rate):
    with pytest.raises(ValueError, match="expected a rate of dropout of at least 0 and below 1, got"):
        dropout(X, rate, jax.random.key(0))
