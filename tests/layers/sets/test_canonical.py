import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.layers.sets import canonicalise, restore, sinkhorn, soft_order, sort_straight_through

X = jnp.array([[2.0, 1.0], [1.0, 5.0], [2.0, 0.0], [1.0, 5.0], [0.0, 9.0]])


@pytest.mark.parametrize(
    ("key", "mask", "expected"),
    [
        (None, None, [[0, 9], [1, 5], [1, 5], [2, 0], [2, 1]]),
        (-X[:, 1], None, [[0, 9], [1, 5], [1, 5], [2, 1], [2, 0]]),
        (jnp.ones(5), jnp.array([True, True, True, True, False]), [[1, 5], [1, 5], [2, 0], [2, 1], [0, 0]]),
    ],
)
def test_orders_are_lexicographic_after_the_key(key, mask, expected):
    canonical = canonicalise(X, mask, key=key)
    np.testing.assert_array_equal(canonical.members, expected)
    there = X if mask is None else jnp.where(mask[:, None], X, 0)
    np.testing.assert_array_equal(restore(canonical.members, canonical), there)


def test_equal_members_share_the_mean_of_their_outputs():
    np.testing.assert_array_equal(restore(jnp.array([1.0, 2.0, 4.0, 8.0, 16.0]), canonicalise(X)), [16, 3, 8, 3, 1])


def test_sinkhorn_is_doubly_stochastic_and_keeps_zeros():
    logits = np.random.default_rng(0).normal(size=(4, 4))
    logits[0, 1:] = logits[1:, 0] = -np.inf
    weights = sinkhorn(jnp.asarray(logits), steps=60)
    np.testing.assert_allclose([weights.sum(0), weights.sum(1)], 1, atol=1e-9)
    assert not weights[np.isneginf(logits)].any()


def test_cold_relaxations_are_the_permutation():
    scores = jnp.array([0.3, -1.0, 2.0, 0.8])
    order = jnp.argsort(scores)
    np.testing.assert_allclose(soft_order(scores, order, temperature=1e-3), np.eye(4)[order], atol=1e-12)


def test_scores_learn_through_the_relaxation_and_members_through_the_sort():
    scores, y = jnp.array([0.3, -1.0, 2.0, 0.8, 0.5]), jnp.arange(10.0).reshape(5, 2)

    def hard(x, scores):
        return jnp.sum(y * sort_straight_through(x, scores).members)

    def soft(scores):
        return jnp.sum(y * (soft_order(scores, jnp.argsort(scores)) @ X))

    value, (to_x, to_scores) = jax.jit(jax.value_and_grad(hard, argnums=(0, 1)))(X, scores)
    order = np.argsort(scores)
    assert value == jnp.sum(y * X[order])
    np.testing.assert_array_equal(to_x[order], y)
    np.testing.assert_allclose(to_scores, jax.jit(jax.grad(soft))(scores), rtol=1e-12)
    assert jnp.abs(to_scores).min() > 1e-3
