"""Attention under any mask: what is not seen has no weight, and who sees nothing has no NaN."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np

from symjax.math import attention, masked_softmax

QUERIES, KEYS, VALUES = jax.random.normal(jax.random.key(0), (3, 5, 2, 4))
MASK = np.random.default_rng(0).random((5, 5)) < 0.6
MASK[2] = False


def test_is_a_mean_weighted_by_a_softmax():
    got = jax.jit(attention)(QUERIES, KEYS, VALUES, MASK)
    for q, k in itertools.product((0, 1, 3, 4), range(2)):
        seen = np.flatnonzero(MASK[q])
        weights = np.exp(KEYS[seen, k] @ QUERIES[q, k] / 2)
        np.testing.assert_allclose(got[q, k], weights @ VALUES[seen, k] / weights.sum(), atol=1e-12)
    whole = attention(QUERIES, KEYS, VALUES)
    np.testing.assert_allclose(whole, attention(QUERIES, KEYS, VALUES, np.ones((5, 5), bool)), atol=1e-12)


def test_a_query_that_sees_nothing_is_zero_with_finite_gradients():
    def total(queries, keys, values):
        return jnp.sum(jnp.sin(attention(queries, keys, values, MASK) + 1))

    assert (attention(QUERIES, KEYS, VALUES, MASK)[2] == 0).all()
    slopes = jax.jit(jax.grad(total, argnums=(0, 1, 2)))(QUERIES, KEYS, VALUES)
    assert all(jnp.isfinite(slope).all() for slope in slopes)
    assert (slopes[0][2] == 0).all()
    weights = masked_softmax(QUERIES[:, 0, :1] @ KEYS[:, 0, :1].T, MASK)
    np.testing.assert_allclose(weights.sum(axis=1), MASK.any(axis=1), atol=1e-12)


def test_large_scores_do_not_overflow():
    big = 1e4 * QUERIES
    assert jnp.isfinite(jax.jit(attention)(big, big, VALUES, np.tri(5, dtype=bool))).all()


def test_one_mask_is_for_all_queries_and_there_may_be_nothing_to_hear():
    there = MASK[:1]
    np.testing.assert_array_equal(
        attention(QUERIES, KEYS, VALUES, there), attention(QUERIES, KEYS, VALUES, np.repeat(there, 5, axis=0))
    )
    assert not attention(QUERIES, KEYS[:0], VALUES[:0]).any()
