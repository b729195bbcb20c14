"""Interventions with unknown targets: who was changed is inferred, and what causes what."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.causal.discover import Conditionals, unknown_interventions


@pytest.fixture(scope="module")
def told():
    """B copies A with errors, and C copies B; columns C, A, B, and an intervention on each."""
    rng = np.random.default_rng(0)

    def rows(n, target=None):
        a = rng.random(n) < (0.1 if target == 1 else 0.6)
        b = rng.random(n) < 0.9 if target == 2 else a ^ (rng.random(n) < 0.15)
        c = rng.random(n) < 0.15 if target == 0 else b ^ (rng.random(n) < 0.15)
        return jnp.asarray(np.stack([c, a, b], axis=1).astype(int))

    disturbed = jnp.stack([rows(300, target) for target in (2, 0, 1)])
    fit = jax.jit(unknown_interventions, static_argnames=("values", "rounds"))
    return fit(jax.random.key(0), rows(2000), disturbed, values=2, rounds=12)


def test_each_target_is_the_variable_that_lost_most(told):
    assert told.targets.tolist() == [2, 0, 1]
    assert (told.losses[jnp.arange(3), told.targets] == told.losses.max(axis=1)).all()


def test_beliefs_have_the_chain(told):
    true = np.zeros((3, 3), bool)
    true[[1, 2], [2, 0]] = True
    assert ((np.asarray(told.edges) > 0.5) == true).all()


def test_what_is_masked_is_not_seen():
    model = Conditionals.init(jax.random.key(0), 3, 2, 4)
    rows = jnp.array([[0, 1, 0], [1, 1, 0]])
    masks = jnp.zeros((1, 1, 3, 3)).at[0, 0, 0, 2].set(1)
    found = model(rows, masks)
    assert found.shape == (1, 2, 3)
    assert found[0, 0, 1] == found[0, 1, 1]  # the rows differ in what variable 1 does not see
    assert found[0, 0, 2] != found[0, 1, 2]
    assert jnp.allclose(model(rows, jnp.broadcast_to(masks, (1, 2, 3, 3))), found)
