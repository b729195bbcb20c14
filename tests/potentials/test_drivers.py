"""A potential learns the same from structures dealt out to devices, unequally, as from all of them on one.

Of some labels nothing is known, and structures have weights: an average of averages would not notice.
"""

import dataclasses

import e3nn_jax as e3nn
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from pair_model import CUTOFF, SPECIES, structures

from symjax.data import make_batch, make_samples, sample_sizes
from symjax.graphs import Budget
from symjax.layers.irreps import drop_entries, drop_graphs
from symjax.models.atoms import SchNet
from symjax.potentials import References, drawn_loss, potential_loss, scaled_energy, scaled_labels
from symjax.training import init_state, make_step, parallelise

MODEL = SchNet(2, 3.0, cutoff=CUTOFF, channels=2, filters=2, layers=2, radial_basis=3)


def partly_known():
    data = structures(5)
    data.labels["energy"][3] = np.nan
    data.labels["forces"][4][:3] = np.nan
    return dataclasses.replace(data, weights=np.array([1.0, 3.0, 1.0, 1.0, 0.5]))


SAMPLES = make_samples(partly_known(), cutoff=CUTOFF, species=SPECIES)
NODES, EDGES = (int(sizes.sum()) for sizes in sample_sizes(SAMPLES))
OPTIMIZER = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(1e-2))


def train(how, devices, shards):
    """Take 20 steps; return the parameters and the last metrics on the host."""
    batch = make_batch(SAMPLES, shards, Budget(NODES + 1, EDGES, 6), dtype=float)
    body = make_step(potential_loss(scaled_energy(MODEL, 1.0)), OPTIMIZER, {"energy": 1.0, "forces": 1.0})
    step = parallelise(body, how=how, devices=jax.devices()[:devices])
    params = jax.jit(MODEL.init)(jax.random.key(0), jax.tree.map(lambda leaf: leaf[0], batch.graph))
    state = step.replicate(init_state(params, OPTIMIZER, key=jax.random.key(1)))
    for _ in range(20):
        state, metrics = step(state, batch)
    assert step.compilations == 1
    return jax.tree.map(np.asarray, (state.params, metrics))


@pytest.fixture(scope="module")
def alone():
    return train("jit", 1, [[0, 1, 2, 3, 4]])


@pytest.mark.parametrize("how", ["jit", "pmap", "shard_map"])
def test_four_devices_learn_what_one_does(alone, how):
    dealt = train(how, 4, [[0, 3, 4], [1], [], [2]])
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-10), dealt, alone)


class Dropping(nn.Module):
    """One number an element, of which single ones are dropped, and those of whole structures."""

    @nn.compact
    def __call__(self, graph):
        table = self.param("table", nn.initializers.ones, (2,), graph.nodes.positions.dtype)
        kept = drop_entries(self, 0.3, table[graph.nodes.species][:, None])
        return e3nn.IrrepsArray("1x0e", drop_graphs(self, 0.5, graph, kept))


def test_every_shard_drops_the_same_on_any_device():
    batch = make_batch(SAMPLES, [[0, 3], [1], [4], [2]], Budget(NODES + 1, EDGES, 6), dtype=float)
    model, known = Dropping(), (References({}), SPECIES)
    loss = drawn_loss(lambda key: scaled_labels(model, "energy", *known, key=key))
    params = {"params": {"table": jnp.ones(2)}}

    def learnt(how, devices, seed=1):
        body = make_step(loss, OPTIMIZER, {"energy": 1.0})
        step = parallelise(body, how=how, devices=jax.devices()[:devices])
        state = step.replicate(init_state(params, OPTIMIZER, key=jax.random.key(seed)))
        return float(step(state, batch)[1]["energy"][0].item())

    alone = learnt("jit", 1)
    np.testing.assert_allclose(learnt("shard_map", 4), alone, rtol=1e-12)
    assert learnt("jit", 1, seed=2) != pytest.approx(alone)
