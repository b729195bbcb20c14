"""Networks of masked causes; `experiments.unknown_interventions` tests what is inferred with them."""

import jax
import jax.numpy as jnp

from symjax.causal.discover import Conditionals


def test_what_is_masked_is_not_seen():
    model = Conditionals.init(jax.random.key(0), 3, 2, 4)
    rows = jnp.array([[0, 1, 0], [1, 1, 0]])
    masks = jnp.zeros((1, 1, 3, 3)).at[0, 0, 0, 2].set(1)
    found = jax.jit(Conditionals.__call__)(model, rows, masks)
    assert found.shape == (1, 2, 3)
    assert found[0, 0, 1] == found[0, 1, 1]  # the rows differ in what variable 1 does not see
    assert found[0, 0, 2] != found[0, 1, 2]
    assert jnp.allclose(jax.jit(Conditionals.__call__)(model, rows, jnp.broadcast_to(masks, (1, 2, 3, 3))), found)
