import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.layers.sets import FrameAveraged, PrincipalAxes, SortedOrders, principal_axes
from tests.cases.inputs import ByPlace

orders = jax.jit(lambda most, x, mask=None: SortedOrders(most=most)(x, mask), static_argnums=0)
KEYS = (2.0, 1.0, 2.0, 1.0, 2.0)
X = jnp.stack([jnp.array(KEYS), jnp.array([0.3, -0.1, 0.7, 0.2, -0.5])], axis=1)


@pytest.mark.parametrize("most", [12, 20])
def test_all_tied_orders_have_one_view(most):
    views = orders(most, X)
    wanted = {order for order in itertools.permutations(range(5)) if list(np.take(KEYS, order)) == sorted(KEYS)}
    np.testing.assert_allclose(views.weights[:12], 1 / 12)
    assert not views.weights[12:].any()
    members, back = np.asarray(views.members[:12]), np.asarray(views.back[:12])
    assert {tuple(np.argsort(row).tolist()) for row in back} == wanted
    assert len(wanted) == 12 == math.factorial(2) * math.factorial(3)
    np.testing.assert_array_equal([row[order] for row, order in zip(members, back, strict=True)], [X] * 12)


def test_of_too_many_orders_the_lexicographic_one_counts():
    views = orders(11, X)
    np.testing.assert_array_equal(views.weights, [1] + [0] * 10)
    np.testing.assert_array_equal(views.members[0], sorted(X.tolist()))


def test_hundreds_of_ties_are_counted():
    assert jnp.isfinite(orders(3, jnp.ones((300, 1))).weights).all()


def test_padding_has_no_order():
    views = orders(2, jnp.zeros((9, 1)), jnp.arange(9) < 2)
    np.testing.assert_allclose(views.weights, 0.5)
    np.testing.assert_array_equal(views.masks, [[True] * 2 + [False] * 7] * 2)


def test_gradients_are_those_of_differences():
    x = jnp.asarray(np.random.default_rng(0).normal(size=(4, 3)))
    layer = FrameAveraged(ByPlace(2, summed=True), frame=PrincipalAxes())
    params = layer.init(jax.random.key(0), x)
    value = jax.jit(lambda x: layer.apply(params, x).sum())
    numeric = [(value(x + 1e-6 * e) - value(x - 1e-6 * e)) / 2e-6 for e in np.eye(12).reshape(12, 4, 3)]
    np.testing.assert_allclose(jax.jit(jax.grad(value))(x).ravel(), numeric, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("moments", [np.eye(3), np.diag([1.0, 1.0, 2.0]), np.zeros((3, 3))])
def test_equal_moments_have_finite_gradients(moments):
    gradient = jax.jit(jax.grad(lambda m: jnp.sum(jnp.sin(principal_axes(m)))))
    assert jnp.isfinite(gradient(jnp.asarray(moments))).all()
