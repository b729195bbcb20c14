"""A perceptron averaged over all permutations of a set, training step and forward pass, against torch.

    python -m venv PEER && PEER/bin/pip install torch
    python -m benchmarks.sets --peer-python PEER/bin/python

Batch of 32 sets of 5 channels, relu layers 50-50-1 on all numbers in their order, float32, binary cross entropy, Adam,
one thread. The peer takes one permutation at a time (up to 7 members: it takes minutes for more), or 240 of an index
table. Ours has no table and keeps none of the n! passes: the gradient of a single number is summed beside its value.
Operations are counted by hand: 2 for each weight and pass, and in training 2 more for each gradient of a weight and of
an activation.
"""

import argparse
import functools
import math
import os
import sys
from collections.abc import Callable, Sequence

from benchmarks.timing import compare, serve
from symjax.cli.memory import keep_memory

MOST_IN_TURN = 7  # members
BATCH, CHANNELS, HIDDEN = 32, 5, 50


def make(members: int, work: str) -> Callable[[], object]:
    """Return a training step or a forward pass."""
    import flax.linen as nn
    import jax
    import optax

    from symjax.groups import S
    from symjax.layers.sets import symmetrise
    from symjax.reps import Axis, Trivial

    class Perceptron(nn.Module):
        @nn.compact
        def __call__(self, x):
            x = x.reshape(len(x), -1)
            for _ in range(2):
                x = nn.relu(nn.Dense(HIDDEN)(x))
            return nn.Dense(1)(x)

    keys = jax.random.split(jax.random.key(0), 3)
    x = jax.random.normal(keys[0], (BATCH, members, CHANNELS))
    labels = jax.random.bernoulli(keys[1], shape=(BATCH, 1)).astype(x.dtype)
    model, optimizer = Perceptron(), optax.adam(1e-3)
    params = model.init(keys[2], x)

    def logits(params):
        fn = functools.partial(model.apply, params)
        return symmetrise(fn, S(members), Axis(0), Trivial(), x, stacked=True)

    def loss(params):
        return optax.sigmoid_binary_cross_entropy(logits(params), labels).mean()

    @jax.jit
    def update(params, state):
        updates, state = optimizer.update(jax.grad(loss)(params), state)
        return optax.apply_updates(params, updates), state

    if work == "forward":
        forward = jax.jit(logits)
        return lambda: jax.block_until_ready(forward(params))
    state = params, optimizer.init(params)

    def train():
        nonlocal state
        state = jax.block_until_ready(update(*state))

    return train


def gflop(members: int, work: str) -> float:
    """Return the operations of a step in billions."""
    first, rest = CHANNELS * members * HIDDEN, HIDDEN * HIDDEN + HIDDEN
    forward, backward = first + rest, first + 2 * rest
    each = 2 * (forward if work == "forward" else forward + backward)
    return round(each * BATCH * math.factorial(members) / 1e9, 4)


def main(options: argparse.Namespace) -> None:
    """Compare for every size and both kinds of work."""
    for members in options.members:
        for work in ("training", "forward"):
            ours = [sys.executable, "-m", "benchmarks.sets", "serve", str(members), work]
            for how, said in (("table", "an index table"), ("turn", "one permutation at a time")):
                if how == "table" or members <= MOST_IN_TURN:
                    peer = [options.peer_python, "-m", "benchmarks.peers.sets_torch", str(members), work, how]
                    case = f"mean over S({members}), {work}, against torch by {said}"
                    compare(case, ours, peer, install=INSTALL, rounds=options.rounds, repeats=options.repeats)


INSTALL = "python -m venv PEER && PEER/bin/pip install torch, then pass --peer-python PEER/bin/python"


def read(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = os.environ.get("SYMJAX_PEER_TORCH", sys.executable)
    parser.add_argument("--peer-python", default=default, help="interpreter that has torch")
    parser.add_argument("--members", nargs="+", type=int, default=(5, 6, 7, 8))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        keep_memory()
        size, kind = int(sys.argv[2]), sys.argv[3]
        serve(lambda: make(size, kind), "symjax", "jax", "flax", facts={"gflop": gflop(size, kind)})
    else:
        main(read())
