import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.layers.irreps import IrrepsLinear, irreps_linear, linear_shapes

OUTPUT = e3nn.Irreps("3x0e + 2x2e + 1x1o")
IRREPS = e3nn.Irreps("2x0e + 1x1o + 1x0e")
ROWS = np.random.default_rng(0).normal(size=(4, IRREPS.dim))
X = e3nn.IrrepsArray(IRREPS, jnp.asarray(ROWS))


def expected(scalar_matrix, vector_matrix):
    """Three scalars mixed to three, one vector scaled, and no tensor in sight."""
    scalars = ROWS[:, [0, 1, 5]] @ scalar_matrix / np.sqrt(3)
    return np.concatenate([scalars, np.zeros((4, 10)), ROWS[:, 2:5] * vector_matrix], axis=1)


def test_mixes_channels_of_equal_irreps():
    rng = np.random.default_rng(1)
    matrices = [rng.normal(size=shape) for shape in linear_shapes(IRREPS, OUTPUT)]
    y = jax.jit(irreps_linear, static_argnums=2)([jnp.asarray(matrix) for matrix in matrices], X, OUTPUT)
    assert y.irreps == OUTPUT
    np.testing.assert_allclose(y.array, expected(matrices[0], matrices[2]), atol=1e-14)


@pytest.mark.parametrize("kinds", [3, 9])
def test_each_kind_has_its_own_weights(kinds):
    layer, kind = IrrepsLinear(str(OUTPUT), kinds=kinds), jnp.array([2, 0, 2, 1])
    params = jax.jit(layer.init)(jax.random.key(0), X, kind)
    weights = jax.tree.map(np.asarray, params["params"])
    assert weights.keys() == {"0e_0", "1o_2"}
    rows = np.stack([expected(weights["0e_0"][k], weights["1o_2"][k])[row] for row, k in enumerate(kind)])
    np.testing.assert_allclose(jax.jit(layer.apply)(params, X, kind).array, rows, atol=1e-14)


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match="expected matrices of shapes"):
        irreps_linear([jnp.ones((3, 3))], X, OUTPUT)
