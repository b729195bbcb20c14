"""Causal attention: masks, the queries that are wanted, and positions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.layers.sequence import CausalAttention, causal_mask, rotary
from tests.cases import KEY, start
from tests.cases.inputs import series

QUERIES, KEYS = jax.random.normal(jax.random.key(0), (2, 5, 2, 4))


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


def test_bad_numbers_of_heads_and_queries_are_refused():
    with pytest.raises(ValueError, match="from 1 to 2 queries, one an instant, got 3"):
        jax.eval_shape(CausalAttention(2, queries=3).init, KEY, jnp.ones((2, 4)))
    with pytest.raises(ValueError, match="channels that 3 heads divide, got 4"):
        jax.eval_shape(CausalAttention(3).init, KEY, jnp.ones((2, 4)))
