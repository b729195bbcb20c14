"""A full-batch training step of an MLP that adds modulo 97, against torch; 16 runs in an ensemble or in turn.

    python -m venv ~/peers/torch && ~/peers/torch/bin/pip install torch
    python -m benchmarks.grokking --peer-python ~/peers/torch/bin/python

Both sides train one function of 86,753 parameters with AdamW in float32: embeddings of either residue, 128 wide, two
rectified layers of 128, logits of 97 classes, 4704 examples. Ours applies the first layer to the 194 embeddings instead
of to the examples.
"""

import argparse
import os
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.timing import compare, serve
from symjax.cli.memory import keep_memory

P, WIDTH, EXAMPLES, RUNS = 97, 128, 4704, 16
RATE, DECAY, BETAS = 1e-3, 1.0, (0.9, 0.98)
INSTALL = "python -m venv PEER && PEER/bin/pip install torch, then pass --peer-python PEER/bin/python"


def make_ours(runs: int, *, together: bool) -> Callable[[], object]:
    """Return a step of so many runs, as one ensemble or one after the other."""
    import jax
    import jax.numpy as jnp
    import optax

    from experiments.grokking import TokenMLP
    from symjax import training
    from symjax.data import modular, shuffled_part
    from symjax.math import cross_entropy

    table = modular(P)
    chosen = shuffled_part(P * P, EXAMPLES / P**2, seed=0)
    batch = jax.device_put((table.tokens[chosen][None], table.labels[chosen][None]))
    network = TokenMLP(P, P, WIDTH)

    def loss(params, batch, key):
        logits: Any = jax.vmap(network.apply, (None, 0))(params, batch[0])
        return {"nll": (cross_entropy(logits, batch[1]).sum(), EXAMPLES)}

    rule = optax.inject_hyperparams(optax.adamw, static_args=("b1", "b2", "eps", "eps_root"))
    optimizer = rule(RATE, *BETAS, weight_decay=DECAY)
    step = training.make_step(loss, optimizer, {"nll": 1.0})
    step = training.parallelise(training.ensemble(step, at_once=1) if together else step)

    def begin(key: jax.Array) -> training.TrainState:
        return training.init_state(network.init(key, jnp.zeros(2, jnp.int32)), optimizer, key=key)

    states = training.init_ensemble(begin, jax.random.split(jax.random.key(0), runs))
    states = [states] if together else [training.member(states, i) for i in range(runs)]
    states = [step.replicate(state) for state in states]
    assert sum(leaf.size for leaf in jax.tree.leaves(states[0].params)) == 86_753 * (runs if together else 1)

    def train():
        for i, state in enumerate(states):
            states[i], _ = jax.block_until_ready(step(state, batch))

    return train


def make_peer() -> Callable[[], object]:
    """Return the same step in torch."""
    import torch
    from torch import nn

    torch.set_num_threads(1)
    torch.manual_seed(0)

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed_a, self.embed_b = nn.Embedding(P, WIDTH), nn.Embedding(P, WIDTH)
            first, second = nn.Linear(2 * WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
            self.layers = nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), nn.Linear(WIDTH, P))

        def forward(self, pairs):
            return self.layers(torch.cat([self.embed_a(pairs[:, 0]), self.embed_b(pairs[:, 1])], 1))

    pairs = torch.cartesian_prod(torch.arange(P), torch.arange(P))[torch.randperm(P * P)[:EXAMPLES]]
    labels, network = pairs.sum(1) % P, Network()
    assert sum(parameter.numel() for parameter in network.parameters()) == 86_753
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, betas=BETAS, weight_decay=DECAY)

    def step():
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(pairs), labels).backward()
        optimizer.step()

    return step


SIDES = {
    "one": lambda: make_ours(1, together=False),
    "ensemble": lambda: make_ours(RUNS, together=True),
    "in_turn": lambda: make_ours(RUNS, together=False),
    "peer": make_peer,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", default=os.environ.get("SYMJAX_PEER_TORCH", sys.executable))
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        is_ours = options.side != "peer"
        if is_ours:
            keep_memory()
        serve(SIDES[options.side], *(("symjax", "jax", "flax") if is_ours else ("torch",)))
        return
    case = f"MLP of x + y mod {P}, full-batch AdamW step, {EXAMPLES} examples, float32"
    side = ["-m", "benchmarks.grokking", "--side"]
    one, ensemble, in_turn = ([sys.executable, *side, name] for name in ("one", "ensemble", "in_turn"))
    compare(case, one, [options.peer_python, *side, "peer"], install=INSTALL)
    compare(f"{case}, {RUNS} runs in an ensemble against {RUNS} in turn", ensemble, in_turn, install="", repeats=3)


if __name__ == "__main__":
    main()
