"""Attention under any mask: what is not seen has no weight, and who sees nothing has no NaN."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.layers.sequence import CausalAttention, attention, causal_mask, masked_softmax, rotary
from tests.cases import KEY, start
from tests.cases.inputs import series

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
    assert jnp.isfinite(jax.jit(attention)(big, big, VALUES, causal_mask(5))).all()


def test_masks_are_of_the_last_queries_and_windows():
    np.testing.assert_array_equal(causal_mask(4), np.tri(4))
    np.testing.assert_array_equal(causal_mask(4, queries=2), np.tri(4)[2:])
    np.testing.assert_array_equal(causal_mask(4, window=2), np.tri(4) - np.tri(4, k=-2))


def test_the_last_queries_are_those_of_all():
    x = jnp.asarray(series(6, 4))
    params, apply = start(CausalAttention(2, rotary=True), x)
    _, apply_last = start(CausalAttention(2, rotary=True, queries=2), x)
    np.testing.assert_allclose(apply_last(params, x), apply(params, x)[-2:], atol=1e-12)


def test_rotary_products_depend_on_distances_alone():
    def scores(first):
        positions = first + np.arange(5)
        return jnp.einsum("qkc,tkc->kqt", rotary(QUERIES, positions), rotary(KEYS, positions))

    np.testing.assert_allclose(scores(0), scores(100), atol=1e-11)
    assert jnp.abs(scores(0) - jnp.einsum("qkc,tkc->kqt", QUERIES, KEYS)).max() > 0.1
    with pytest.raises(ValueError, match="even number of channels"):
        rotary(QUERIES[..., :3], np.arange(5))


@pytest.mark.parametrize("turned", [False, True])
def test_only_rotary_attention_knows_the_order_of_the_past(turned):
    x, module = jnp.asarray(series(6, 4)), CausalAttention(2, rotary=turned, queries=1)
    params, apply = start(module, x, key=KEY)
    moved = jnp.abs(apply(params, x) - apply(params, x[jnp.array([3, 0, 4, 1, 2, 5])])).max()
    assert bool(moved > 1e-6) is turned


def test_heads_must_divide_the_channels():
    with pytest.raises(ValueError, match="channels that 3 heads divide, got 4"):
        jax.eval_shape(CausalAttention(3).init, KEY, jnp.ones((2, 4)))
