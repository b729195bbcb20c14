"""A ragged regression in padded shards, some of them empty: everything a trainer has to get right, and nothing else."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

from symjax.training import Objective, init_state, make_step, parallelise

SHARDS, ROWS, STEPS = 4, 5, 6


def params(seed=0):
    rng = np.random.default_rng(seed)
    return {"w": jnp.asarray(rng.normal(size=(3, 8))), "out": {"v": jnp.asarray(rng.normal(size=(8,)))}}


def plan(epoch):
    """Six batches of four shards with 0 to 5 real rows each; shard 1 of every batch is empty."""
    rng = np.random.default_rng([7, epoch])
    batches = []
    for _ in range(STEPS):
        counts = rng.integers(0, ROWS + 1, SHARDS)
        counts[:2] = 3, 0
        x = rng.normal(size=(SHARDS, ROWS, 3))
        mask = np.arange(ROWS) < counts[:, None]
        batches.append({"x": x, "y": np.where(mask, np.sin(x.sum(-1)), np.nan), "mask": mask})
    return batches


def on_one_shard(batch):
    """The same samples, dealt out to a single shard."""
    return jax.tree.map(lambda x: x.reshape(1, -1, *x.shape[2:]), batch)


def loss(params, batch, key):
    """Squared errors of all real rows, and of the positive ones only, so that two denominators differ."""
    del key
    predicted = jnp.tanh(batch["x"] @ params["w"]) @ params["out"]["v"]
    error = jnp.where(batch["mask"], predicted - jnp.where(batch["mask"], batch["y"], 0), 0) ** 2
    positive = batch["mask"] & (batch["x"][:, 0] > 0)
    return {
        "all": (error.sum(), batch["mask"].sum()),
        "positive": (jnp.where(positive, error, 0).sum(), positive.sum()),
    }


ENVIRONMENTS = 3


def by_environment(params, batch, key):
    """Squared errors [e] and gradients of the last layer [e, 8], by environments of very different sizes."""
    hidden = jnp.tanh(batch["x"] @ params["w"])
    error = jnp.where(batch["mask"], hidden @ params["out"]["v"] - jnp.where(batch["mask"], batch["y"], 0), 0)
    index = (batch["x"][:, 0] > 0.0).astype(int) + (batch["x"][:, 0] > 0.8).astype(int)
    own = jax.nn.one_hot(index, ENVIRONMENTS, dtype=error.dtype) * batch["mask"][:, None].astype(error.dtype)
    slopes = (own[:, :, None] * (error[:, None] * hidden)[:, None, :]).sum(0)
    return {"risk": ((own * error[:, None] ** 2).sum(0), own.sum(0)), "slope": (slopes, own.sum(0)[:, None])}


def _spread(means, carry, step):
    """The variance of risks, the spread of mean gradients and an average of risks that is carried along."""
    average = 0.9 * carry["average"] + 0.1 * means["risk"]
    spread = means["risk"].var() + (1 + step.astype(float)) * means["slope"].var(axis=0, keepdims=True).sum()
    return average.sum() + spread, {"average": average}


SPREAD = Objective({"risk", "slope"}, _spread, {"average": np.zeros(ENVIRONMENTS)})


def deal(batch, shards):
    """The same samples, dealt out to so many shards."""
    flat = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), batch)
    pad = lambda x: np.concatenate([x, np.zeros((-len(x) % shards, *x.shape[1:]), x.dtype)])  # noqa: E731
    return jax.tree.map(lambda x: pad(x).reshape(shards, -1, *x.shape[1:]), flat)


def optimizer():
    return optax.chain(optax.clip_by_global_norm(0.5), optax.adam(1e-2))


def state(seed=0, *, ema=True, rule=()):
    return init_state(params(seed), optimizer(), key=jax.random.key(seed), ema=ema, rule=rule)


def driver(how="jit", devices=1, *, loss=loss, weights=None):
    weights = weights or {"all": 1.0, "positive": lambda step: 0.5 + 0.1 * step.astype(float)}
    return parallelise(make_step(loss, optimizer(), weights, ema_decay=0.9), how=how, devices=jax.devices()[:devices])


def leaves(tree):
    """Every leaf on the host, random keys as their data, by path."""
    flat = jax.tree_util.tree_flatten_with_path(tree)[0]
    data = lambda x: jax.random.key_data(x) if jnp.issubdtype(x.dtype, jax.dtypes.prng_key) else x  # noqa: E731
    return {jax.tree_util.keystr(path): np.asarray(data(x)) for path, x in flat}


def distance(a, b):
    a, b = leaves(a), leaves(b)
    assert a.keys() == b.keys()
    return max(float(np.max(np.abs(a[name].astype(float) - b[name].astype(float)))) for name in a)
