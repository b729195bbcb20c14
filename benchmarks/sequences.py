"""Sequences: training steps against plain torch, streams after short and long histories, and a proof once warm.

    python -m venv ~/peers/torch && ~/peers/torch/bin/pip install torch
    python -m benchmarks.sequences --peer-python ~/peers/torch/bin/python

All sides: float32, one thread. The temporal network is `CausalTemporalNetwork` at hidden 32, 4 residual convolutions, 4
heads, 2 attentions, batch 32, lookback 90, horizon 10, 2 channels of which one is forecast (22,538 parameters), with
AdamW; torch computes the same network as its papers write it, on all queries of both attentions. With dropout, torch
drops attention weights too, we what comes after each attention. DLinear: 96 to 96 instants, 7 channels, batch 32, Adam.
A stream is `CausalStack` with attention to the last 64 instants; its step counts 100 instants, one call for each.
"""

import argparse
import os
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.potentials import operations
from benchmarks.timing import alone, compare, serve
from symjax.cli.memory import keep_memory

BATCH, LOOKBACK, HORIZON, LEARNING_RATE = 32, 90, 10, 1e-3
LINEAR = 96, 7  # instants before and after, channels
WINDOW, INSTANTS = 64, 100
INSTALL = "python -m venv PEER && PEER/bin/pip install torch, then pass --peer-python PEER/bin/python"


def temporal_step(facts: dict[str, Any], dropout: float) -> Callable[[], object]:
    """Return the training step of the temporal network."""
    import optax

    from symjax.models import CausalTemporalNetwork

    return training_step(
        CausalTemporalNetwork(HORIZON, (0,), dropout=dropout),
        optax.adamw(LEARNING_RATE, weight_decay=0.01),
        ((LOOKBACK, 2), (HORIZON, 1)),
        facts,
    )


def linear_step(facts: dict[str, Any]) -> Callable[[], object]:
    """Return the training step of DLinear."""
    import optax

    from symjax.models import DLinear

    instants, channels = LINEAR
    shape = instants, channels
    return training_step(DLinear(instants), optax.adam(LEARNING_RATE), (shape, shape), facts)


def training_step(model: Any, optimizer: Any, shapes: tuple, facts: dict[str, Any]) -> Callable[[], object]:
    """Return forward, backward and update of a model on a batch of windows and what followed them."""
    import jax
    import jax.numpy as jnp
    import numpy as np
    import optax

    normal = np.random.default_rng(0).standard_normal
    x, y = (jnp.asarray(normal((BATCH, *shape)), jnp.float32) for shape in shapes)
    params = jax.jit(model.init)(jax.random.key(0), x[0])
    state = params, optimizer.init(params), jax.random.key(1)

    def loss(params, key, x, y):
        keys = jax.random.split(key, BATCH)
        rngs = (lambda key: {"dropout": key}) if getattr(model, "dropout", 0) else lambda key: {}
        predicted = jax.vmap(lambda x, key: model.apply(params, x, rngs=rngs(key)))(x, keys)
        return jnp.mean((predicted - y) ** 2)

    @jax.jit
    def train(state, x, y):
        params, moments, key = state
        key, now = jax.random.split(key)
        updates, moments = optimizer.update(jax.grad(loss)(params, now, x, y), moments, params)
        return optax.apply_updates(params, updates), moments, key

    facts |= {
        "parameters": sum(leaf.size for leaf in jax.tree.leaves(params)),
        "gflop": operations(train.lower(state, x, y)),
    }

    def step():
        nonlocal state
        state = jax.block_until_ready(train(state, x, y))

    return step


def stream_step(facts: dict[str, Any], history: int) -> Callable[[], object]:
    """Return `INSTANTS` instants of a stack after a history of so many."""
    import jax
    import numpy as np

    from symjax.layers.sequence import stream
    from symjax.models import CausalStack

    x = np.random.default_rng(0).standard_normal((INSTANTS, 2)).astype(np.float32)
    module = CausalStack(window=WINDOW)
    params = jax.jit(module.init)(jax.random.key(0), x)
    init, step = stream(module)
    state, step = init(params, x[0]), jax.jit(step)
    for i in range(history):
        state, _ = step(params, state, x[i % INSTANTS])
    facts |= {"state_kib": round(sum(leaf.nbytes for leaf in jax.tree.leaves(state)) / 1024, 1)}

    def further():
        nonlocal state
        for now in x:
            state, y = step(params, state, now)
        jax.block_until_ready(y)

    return further


def proof(facts: dict[str, Any]) -> Callable[[], object]:
    """Return the proof that the stack of the temporal network sees no future."""
    import jax
    import numpy as np

    from symjax import prove
    from symjax.models import CausalStack

    x, stack = np.random.default_rng(0).standard_normal((LOOKBACK, 2)).astype(np.float32), CausalStack()
    facts |= {"proved": bool(prove(stack, x, key=jax.random.key(0)))}
    return lambda: prove(stack, x, key=jax.random.key(0))


OURS: dict[str, Callable[[dict[str, Any]], Callable[[], object]]] = {
    "temporal": lambda facts: temporal_step(facts, 0.0),
    "temporal-dropout": lambda facts: temporal_step(facts, 0.1),
    "dlinear": linear_step,
    "stream-100": lambda facts: stream_step(facts, 100),
    "stream-10000": lambda facts: stream_step(facts, 10_000),
    "prove": proof,
}
CASES = {  # the row, and whether torch has it
    "temporal": ("CausalTemporalNetwork, training step", True),
    "temporal-dropout": ("CausalTemporalNetwork with dropout 0.1, training step", True),
    "dlinear": ("DLinear, training step", True),
    "stream-100": (f"CausalStack, {INSTANTS} instants of a stream after 100", False),
    "stream-10000": (f"CausalStack, {INSTANTS} instants of a stream after 10,000", False),
    "prove": (f"CausalStack, proof of its causality at {LOOKBACK} instants", False),
}


def main() -> None:
    """Measure every row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = os.environ.get("SYMJAX_PEER_TORCH", sys.executable)
    parser.add_argument("--peer-python", default=default, help="interpreter that has torch")
    parser.add_argument("--rows", nargs="+", choices=tuple(CASES), default=tuple(CASES))
    options = parser.parse_args()
    for row in options.rows:
        (case, has_peer), ours = CASES[row], [sys.executable, "-m", "benchmarks.sequences", "serve", row]
        if has_peer:
            compare(case, ours, [options.peer_python, "-m", "benchmarks.peers.sequences_torch", row], install=INSTALL)
        else:
            alone(case, ours)


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        keep_memory()
        report: dict[str, Any] = {}
        serve(lambda: OURS[sys.argv[2]](report), "symjax", "jax", "flax", facts=report)
    else:
        main()
