import jax
import jax.numpy as jnp
import pytest

from symjax.layers.sets import SetAttentionBlock


def test_heads_share_the_features():
    with pytest.raises(ValueError, match="features that 4 heads can share, got 6"):
        SetAttentionBlock(6).init(jax.random.key(0), jnp.zeros((3, 2)))
