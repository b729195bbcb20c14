import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.math import cross_entropy

LABELS = jnp.array([0, 3, 3, 1])


@pytest.mark.parametrize("scale", [1.0, 1e3])
def test_cross_entropy_and_its_gradient_are_those_of_log_softmax(scale):
    logits = scale * jax.random.normal(jax.random.key(0), (4, 5))

    def plain(logits):
        return -jnp.take_along_axis(jax.nn.log_softmax(logits), LABELS[:, None], axis=1)[:, 0]

    np.testing.assert_allclose(cross_entropy(logits, LABELS), plain(logits), rtol=1e-12, atol=1e-15)
    got, wanted = (jax.grad(lambda x, f=f: f(x).sum())(logits) for f in (lambda x: cross_entropy(x, LABELS), plain))
    np.testing.assert_allclose(got, wanted, rtol=1e-10, atol=1e-15)


def test_single_precision_keeps_a_tiny_loss_and_its_gradient():
    logits = jnp.array([30.0, 1.0, 0.0], jnp.float32)
    exact = np.log1p(np.exp(-29.0) + np.exp(-30.0))
    loss, gradient = jax.value_and_grad(cross_entropy)(logits, jnp.array(0))
    assert loss.dtype == jnp.float32
    np.testing.assert_allclose(loss, exact, rtol=1e-6)
    np.testing.assert_allclose(gradient, [-exact, np.exp(-29.0), np.exp(-30.0)], rtol=1e-6)


def test_impossible_classes_and_overflow_stay_finite():
    logits = jnp.array([3e38, -3e38, -jnp.inf], jnp.float32)
    assert cross_entropy(logits, jnp.array(0)) == 0
    assert jnp.isfinite(jax.grad(cross_entropy)(jnp.array([1.0, 2.0, -jnp.inf]), jnp.array(0))).all()
