import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.layers import IrrepsLinear, irreps_linear, linear_width

OUTPUT = e3nn.Irreps("3x0e + 2x2e + 1x1o")
IRREPS = e3nn.Irreps("2x0e + 1x1o + 1x0e")
ROWS = np.random.default_rng(0).normal(size=(4, IRREPS.dim))
X = e3nn.IrrepsArray(IRREPS, jnp.asarray(ROWS))


def expected(weights):
    """Three scalars mixed to three, one vector scaled, and no tensor in sight."""
    scalars = ROWS[:, [0, 1, 5]] @ weights[:9].reshape(3, 3) / np.sqrt(3)
    return np.concatenate([scalars, np.zeros((4, 10)), ROWS[:, 2:5] * weights[9]], axis=1)


def test_mixes_channels_of_equal_irreps():
    weights = np.random.default_rng(1).normal(size=linear_width(IRREPS, OUTPUT))
    y = irreps_linear(jnp.asarray(weights), X, OUTPUT)
    assert y.irreps == OUTPUT
    np.testing.assert_allclose(y.array, expected(weights), atol=1e-14)


def test_each_kind_has_its_own_weights():
    layer, kind = IrrepsLinear(str(OUTPUT), kinds=3), jnp.array([2, 0, 2, 1])
    params = layer.init(jax.random.key(0), X, kind)
    weights = np.asarray(params["params"]["weights"])
    rows = np.stack([expected(weights[k])[row] for row, k in enumerate(kind)])
    np.testing.assert_allclose(layer.apply(params, X, kind).array, rows, atol=1e-14)


def test_wrong_width_is_refused():
    with pytest.raises(ValueError, match="expected 10 weights"):
        irreps_linear(jnp.ones(9), X, OUTPUT)
