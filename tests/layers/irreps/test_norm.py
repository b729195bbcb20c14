import functools

import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.layers.irreps import degree_norm, irreps_layer_norm

NORMAL = np.random.default_rng(0).standard_normal


def test_the_layer_norm_has_unit_mean_squares_and_centred_scalars():
    x = e3nn.IrrepsArray("4x0e + 3x1o", 5 * NORMAL((2, 13)) + 1)
    scales, bias = [jnp.ones(4), jnp.full(3, 2.0)], jnp.arange(4.0)
    scalars, vectors = map(np.asarray, jax.jit(irreps_layer_norm)(scales, bias, x).chunks)
    centred = scalars[..., 0] - np.arange(4)
    np.testing.assert_allclose(centred.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose((centred**2).mean(axis=1), 1, rtol=1e-4)
    np.testing.assert_allclose((vectors**2).mean(axis=(1, 2)), 4, rtol=1e-4)
    given = x.filter("1o").array.reshape(vectors.shape)
    np.testing.assert_allclose(vectors / given, np.tile(vectors[:, :1, :1] / given[:, :1, :1], (1, 3, 3)))


@pytest.mark.parametrize(
    ("shared", "groups"), [("degree", [[0], [1], [2]]), ("above", [[0], [1, 2]]), ("all", [[0, 1, 2]])]
)
def test_degrees_that_share_a_norm_count_alike(shared, groups):
    x = 5 * NORMAL((2, 9, 3)) * np.array([1.0] + 3 * [2.0] + 5 * [3.0])[:, None]
    y = degree_norm(jnp.ones((3, 3)), jnp.zeros(3), jnp.asarray(x), shared=shared)
    np.testing.assert_allclose(y[:, 0].mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(y[:, 1:4] / x[:, 1:4], np.tile(y[:, 1:2, :1] / x[:, 1:2, :1], (1, 3, 3)))
    squares = np.stack([np.mean(y[:, degree**2 : (degree + 1) ** 2] ** 2, axis=(1, 2)) for degree in range(3)])
    for group in groups:
        np.testing.assert_allclose(squares[group].mean(axis=0), 1, rtol=1e-4)


@pytest.mark.parametrize("shared", ["irreps", "degree", "above", "all"])
def test_rounding_does_not_grow(shared):
    """Features that vanish by symmetry stay noise, where the reference multiplies them by 316 every time."""
    x = jnp.asarray(np.concatenate([NORMAL((1, 1, 3)), 1e-15 * NORMAL((1, 3, 3))], axis=1))
    ones, zeros = jnp.ones((2, 3)), jnp.zeros(3)
    if shared == "irreps":
        flat = e3nn.IrrepsArray("3x0e + 3x1o", jnp.concatenate([x[:, 0], x[:, 1:].swapaxes(1, 2).reshape(1, 9)], 1))
        noise = jax.jit(irreps_layer_norm)(list(ones), zeros, flat).filter("1o").array
    else:
        noise = jax.jit(functools.partial(degree_norm, shared=shared))(ones, zeros, x)[:, 1:]
    assert jnp.abs(noise).max() < 1e-14


@pytest.mark.parametrize("shared", ["degree", "above", "all"])
def test_features_of_zero_have_gradients(shared):
    @jax.jit
    @jax.hessian
    def curvature(x):
        y = degree_norm(jnp.ones((2, 1)), jnp.zeros(1), x.reshape(1, 4, 1), shared=shared)
        return jnp.sum(jnp.sin(y))

    assert jnp.isfinite(curvature(jnp.zeros(4))).all()
