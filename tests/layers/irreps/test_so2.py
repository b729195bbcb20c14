import functools

import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.layers.irreps import (
    SO2Convolution,
    SO2Edges,
    SO2Linear,
    from_frames,
    so2_convolution,
    so2_linear,
    tensor_product_conv,
    tensor_product_paths,
)
from tests.cases import load, start

NORMAL = np.random.default_rng(0).standard_normal
CONVOLUTION = SO2Convolution(2, radial_widths=(3,))
NEAR = [0, 1e-12, 1e-6, 1e-3]


def edges(vectors, l_max=2):
    normal = np.random.default_rng(1).standard_normal
    features, radial, turn = normal(((l_max + 1) ** 2, 2)), normal(2), normal()
    e = len(vectors)
    return SO2Edges(jnp.tile(features, (e, 1, 1)), jnp.asarray(vectors), jnp.tile(radial, (e, 1)), jnp.full(e, turn))


POLES = np.array([[eps * 0.6, sign * 1.3, eps * 0.8] for sign in (1, -1) for eps in NEAR])


@functools.cache
def energies():
    """A function of the vector of each of eight edges, its gradients and its second derivatives."""
    x = edges(POLES)
    params, _ = start(CONVOLUTION, x)

    def energy(vectors):
        return jnp.sum(jnp.sin(CONVOLUTION.apply(params, x._replace(vectors=vectors))), axis=(1, 2))

    gradient = jax.grad(lambda vectors: energy(vectors).sum())

    def curvature(vectors):
        return jnp.stack([jax.jvp(gradient, (vectors,), (jnp.tile(row, (8, 1)),))[1] for row in jnp.eye(3)], axis=1)

    return jax.jit(energy), jax.jit(gradient), jax.jit(curvature)


def test_along_the_poles_values_are_continuous_and_derivatives_right():
    energy, gradient, curvature = energies()
    values = energy(jnp.asarray(POLES)).reshape(2, 4)
    np.testing.assert_allclose(values, np.tile(values[:, :1], (1, 4)), atol=2e-2)
    np.testing.assert_allclose(values[:, :3], np.tile(values[:, :1], (1, 3)), atol=1e-5)
    h = 1e-5
    steps = [[energy(jnp.asarray(POLES + sign * h * row[None])) for sign in (1, -1)] for row in np.eye(3)]
    differences = np.stack([(up - down) / (2 * h) for up, down in steps], axis=1)
    np.testing.assert_allclose(gradient(jnp.asarray(POLES)), differences, atol=1e-7)
    hessian = curvature(jnp.asarray(POLES))
    np.testing.assert_allclose(hessian, hessian.swapaxes(1, 2), atol=1e-10)
    moved = [[gradient(jnp.asarray(POLES + sign * h * row[None])) for sign in (1, -1)] for row in np.eye(3)]
    np.testing.assert_allclose(hessian, np.stack([(up - down) / (2 * h) for up, down in moved], axis=1), atol=1e-6)


def test_the_charts_meet():
    """At the equator, where one chart takes over from the other, nothing moves."""
    energy, gradient, _ = energies()
    above, below = (jnp.asarray(np.tile([[0.5, y, -0.7]], (8, 1))) for y in (1e-15, -1e-15))
    np.testing.assert_allclose(energy(above), energy(below), atol=1e-13)
    np.testing.assert_allclose(gradient(above), gradient(below), atol=1e-12)


@pytest.mark.parametrize("reflections", [False, True])
def test_spans_the_products_with_harmonics(reflections):
    """As many dimensions, and weights that give what random weights of products with harmonics up to 2 l_max give."""
    l_max, e = 2, 12
    parity = [(-1) ** degree if reflections else 1 for degree in range(2 * l_max + 1)]
    features, harmonics = (
        e3nn.Irreps([(1, (degree, parity[degree])) for degree in range(most + 1)]) for most in (l_max, 2 * l_max)
    )
    x, vectors, at = NORMAL((e, 9, 1)), jnp.asarray(NORMAL((e, 3))), jnp.arange(e)
    y = e3nn.spherical_harmonics("0e + 1o + 2e + 3o + 4e", vectors, True).array
    paths = tensor_product_paths(features, harmonics, features)

    @jax.jit
    def products(weights):
        given = e3nn.IrrepsArray(features, jnp.asarray(x[:, :, 0])), e3nn.IrrepsArray(harmonics, y)
        made = tensor_product_conv(*given, jnp.tile(weights, (e, 1)), senders=at, receivers=at, paths=paths)
        blocks = list(zip(made.irreps, made.chunks, strict=True))
        sums = [sum(chunk for (_, own), chunk in blocks if own == ir) for _, ir in features]
        return jnp.concatenate(sums, axis=2).ravel()

    shapes = [(3 - m, (3 - m) * (1 if reflections or m == 0 else 2)) for m in range(3)]

    @jax.jit
    def ours(weights):
        parts = jnp.split(weights, np.cumsum([a * b for a, b in shapes])[:-1])
        matrices = [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
        given = SO2Edges(jnp.asarray(x), vectors, vectors)
        return so2_convolution(lambda z: so2_linear(matrices, z)[0], given, l_max).ravel()

    count = sum(a * b for a, b in shapes)
    columns, wanted = (
        np.stack([fn(row) for row in jnp.eye(n)], 1) for fn, n in ((ours, count), (products, len(paths)))
    )
    assert np.linalg.matrix_rank(columns) == np.linalg.matrix_rank(wanted) == count == len(paths)
    target = wanted @ NORMAL(len(paths))
    weights = np.linalg.lstsq(columns, target, rcond=None)[0]
    np.testing.assert_allclose(ours(jnp.asarray(weights)), target, atol=1e-12)


def test_every_order_has_its_map_and_its_scale():
    """By the formula, with l_max = 2, m_max = 1: order 1 mixes (m, -m), and its inputs have the last two scales."""
    matrices, x, scale = [NORMAL((6, 4)), NORMAL((4, 4))], NORMAL((3, 7, 2)), NORMAL((3, 5, 2))
    given = [jnp.asarray(matrix) for matrix in matrices], jnp.asarray(x)
    y, scalars = so2_linear(*given, scalars=1, scale=jnp.asarray(scale))
    np.testing.assert_allclose(y[:, :3, 0], (x[:, :3] * scale[:, :3]).reshape(3, 6) @ matrices[0][:, :3] / np.sqrt(6))
    np.testing.assert_allclose(scalars, (x[:, :3] * scale[:, :3]).reshape(3, 6) @ matrices[0][:, 3:] / np.sqrt(6))
    plus, minus = ((x[:, rows] * scale[:, 3:]).reshape(3, 4) for rows in (slice(3, 5), slice(5, 7)))
    w, v = matrices[1][:, :2] / np.sqrt(8), matrices[1][:, 2:] / np.sqrt(8)
    np.testing.assert_allclose(y[:, 3:5, 0], plus @ w - minus @ v, atol=1e-14)
    np.testing.assert_allclose(y[:, 5:7, 0], minus @ w + plus @ v, atol=1e-14)


def test_degrees_that_lack_orders_grow_to_the_size_of_the_others():
    wigner = [jnp.eye(2 * degree + 1)[None, max(0, degree - 1) : degree + 2] for degree in range(4)]
    found = from_frames(wigner, jnp.ones((1, 10, 1)))[0, :, 0]
    assert sorted({round(float(value) ** 2, 12) for value in found}) == [0, 1, round(5 / 3, 12), round(7 / 3, 12)]


def test_attention_sees_no_turn_of_a_frame():
    _, x, params, apply = load("SO2Attention")
    turned = x._replace(edges=x.edges._replace(turn=np.random.default_rng(2).uniform(-4, 4, len(x.senders))))
    one, other = (apply(params, graph).nodes for graph in (x, turned))
    assert jnp.abs(one).max() > 0.1
    np.testing.assert_allclose(one, other, atol=1e-12 * float(jnp.abs(one).max()))


def test_few_orders_and_scalars():
    x = NORMAL((3, 7, 2))
    module = SO2Linear(4, l_max=2, m_max=1, scalars=5)
    params, apply = start(module, x)
    y, scalars = apply(params, x)
    assert y.shape == (3, 7, 4)
    assert scalars.shape == (3, 5)


@pytest.mark.parametrize(("m_max", "rows", "message"), [(3, 9, "m_max=3, l_max=2"), (1, 8, "got shape")])
def test_refused(m_max, rows, message):
    given = SO2Edges(NORMAL((1, rows, 2)), NORMAL((1, 3)), NORMAL((1, 2)))
    with pytest.raises(ValueError, match=message):
        jax.eval_shape(SO2Convolution(2, m_max=m_max).init, jax.random.key(0), given)
