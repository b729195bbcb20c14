import e3nn_jax as e3nn
import flax.linen as nn
import jax
import jax.numpy as jnp
import jraph
import numpy as np

from symjax.layers.irreps import drop_graphs

SIZES = np.array([3, 0, 1, 2])
GRAPH = jraph.GraphsTuple(None, None, None, None, None, SIZES, np.zeros(4, int))._replace(nodes=np.zeros(6))


class Dropping(nn.Module):
    rate: float

    @nn.compact
    def __call__(self, branch):
        return drop_graphs(self, self.rate, GRAPH, branch)


def test_the_nodes_of_a_graph_are_dropped_together_and_the_mean_stays():
    branch = e3nn.IrrepsArray("1x0e + 1x1o", jnp.asarray(np.random.default_rng(0).normal(size=(6, 4))))

    @jax.jit
    @jax.vmap
    def drawn(key):
        return Dropping(0.3).apply({}, branch, rngs={"dropout": key}).array

    shares = np.asarray(drawn(jax.random.split(jax.random.key(0), 2000))) / np.asarray(branch.array)
    gone = shares[:, :, 0] == 0
    np.testing.assert_allclose(shares, np.where(gone, 0, 1 / 0.7)[:, :, None] * np.ones(4), rtol=1e-4)
    firsts = gone[:, [0, 3, 4]]
    np.testing.assert_array_equal(gone, np.repeat(firsts, SIZES[SIZES > 0], axis=1))
    np.testing.assert_allclose(firsts.mean(axis=0), 0.3, atol=4 * np.sqrt(0.21 / 2000))
    assert np.abs(np.corrcoef(firsts.T) - np.eye(3)).max() < 4 / np.sqrt(2000)


def test_nothing_is_dropped_without_a_key_or_a_rate():
    branch = jnp.ones((6, 2, 3))
    assert Dropping(0.3).apply({}, branch) is branch
    assert Dropping(0.0).apply({}, branch, rngs={"dropout": jax.random.key(0)}) is branch
