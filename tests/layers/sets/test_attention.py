import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.layers.sets import SetAttentionBlock, set_attention

Q, K, V = (np.random.default_rng(i).normal(size=(n, 2, 3)) for i, n in enumerate((4, 5, 5)))
attention = jax.jit(set_attention)


@pytest.mark.parametrize("there", [[True] * 5, [True, False, True, False, False], [False] * 4 + [True]])
def test_every_head_takes_the_softmax_over_the_members_that_are_there(there):
    (real,) = np.nonzero(there)
    weights = np.exp(np.einsum("qhc,nhc->qhn", Q, K[real]) / np.sqrt(3))
    expected = np.einsum("qhn,nhc->qhc", weights / weights.sum(axis=-1, keepdims=True), V[real])
    ours = attention(*map(jnp.asarray, (Q, K, V)), jnp.asarray(there))
    np.testing.assert_allclose(ours, expected, rtol=1e-12)


def test_scores_of_any_size_are_finite():
    large = attention(*(jnp.asarray(1e6 * array) for array in (Q, K, V)))
    assert jnp.isfinite(large).all()


def test_nobody_hears_nothing():
    assert not attention(*map(jnp.asarray, (Q, K, V)), jnp.zeros(5, bool)).any()
    assert not attention(jnp.asarray(Q), jnp.zeros((0, 2, 3)), jnp.zeros((0, 2, 3))).any()


def test_heads_share_the_features():
    with pytest.raises(ValueError, match="features that 4 heads can share, got 6"):
        SetAttentionBlock(6).init(jax.random.key(0), jnp.zeros((3, 2)))
