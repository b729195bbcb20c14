"""EGNN training step (forward, backward, Adam) on 100 systems of five bodies, 4 layers, 64 hidden, against plain torch.

    python -m venv ~/peers/torch && ~/peers/torch/bin/pip install torch
    python -m benchmarks.egnn --peer-python ~/peers/torch/bin/python

Both sides see the same shapes (500 nodes, 2000 edges) in float32 and compute the same function with as many parameters
(134,020); the torch form is written like the paper's equations, with `index_add` for the sums.
"""

import argparse
import os
import sys
from collections.abc import Callable
from typing import cast

from benchmarks.timing import compare, serve

SYSTEMS, BODIES, WIDTH, LAYERS, LEARNING_RATE = 100, 5, 64, 4, 5e-4
INSTALL = "python -m venv PEER && PEER/bin/pip install torch, then pass --peer-python PEER/bin/python"


def make_ours() -> Callable[[], object]:
    """Return the training step of `symjax.models.EGNN`."""
    import jax
    import jax.numpy as jnp
    import jraph
    import numpy as np
    import optax

    from symjax.graphs import PointNodes
    from symjax.models import EGNN

    senders, receivers = (np.array(ends, np.int32) for ends in zip(*_edges(), strict=True))
    n, e = SYSTEMS * BODIES, len(senders)
    normal = np.random.default_rng(0).standard_normal
    nodes = PointNodes(*(normal((n, size)).astype(np.float32) for size in (1, 3, 3)))
    sizes = np.full(SYSTEMS, BODIES), np.full(SYSTEMS, BODIES * (BODIES - 1))
    graph = jraph.GraphsTuple(nodes, normal((e, 2)).astype(np.float32), receivers, senders, None, *sizes)
    graph, targets = jax.tree.map(jnp.asarray, (graph, normal((n, 3)).astype(np.float32)))

    model, optimizer = EGNN(width=WIDTH, layers=LAYERS), optax.adam(LEARNING_RATE)
    params = model.init(jax.random.key(0), graph)
    state = params, optimizer.init(params)

    def loss(params, graph, targets):
        predicted = cast(jraph.GraphsTuple, model.apply(params, graph))
        return jnp.mean((predicted.nodes.positions - targets) ** 2)

    @jax.jit
    def train(state, graph, targets):
        params, moments = state
        gradient = jax.grad(loss)(params, graph, targets)
        updates, moments = optimizer.update(gradient, moments)
        return optax.apply_updates(params, updates), moments

    def step():
        nonlocal state
        state = jax.block_until_ready(train(state, graph, targets))

    return step


def make_peer() -> Callable[[], object]:
    """Return the training step of the same model in torch."""
    import torch
    from torch import nn

    torch.set_num_threads(1)
    torch.manual_seed(0)

    def perceptron(inputs: int, outputs: int, *, bias: bool = True) -> nn.Sequential:
        return nn.Sequential(nn.Linear(inputs, WIDTH), nn.SiLU(), nn.Linear(WIDTH, outputs, bias=bias))

    class Layer(nn.Module):
        def __init__(self):
            super().__init__()
            self.message = nn.Sequential(perceptron(2 * WIDTH + 3, WIDTH), nn.SiLU())
            self.move = perceptron(WIDTH, 1, bias=False)
            self.push = perceptron(WIDTH, 1)
            self.update = perceptron(2 * WIDTH, WIDTH)

        def forward(self, h, x, v, edges, senders, receivers):
            apart = x[receivers] - x[senders]
            squared = apart.square().sum(1, keepdim=True)
            messages = self.message(torch.cat([h[receivers], h[senders], squared, edges], 1))
            moves = (apart * self.move(messages)).clamp(-100, 100)
            total = torch.zeros_like(x).index_add(0, receivers, moves)
            degree = torch.zeros_like(x).index_add(0, receivers, torch.ones_like(moves))
            heard = torch.zeros_like(h).index_add(0, receivers, messages)
            x = x + total / degree.clamp(min=1) + self.push(h) * v
            return h + self.update(torch.cat([h, heard], 1)), x

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Linear(1, WIDTH)
            self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))

        def forward(self, features, x, v, edges, senders, receivers):
            h = self.embedding(features)
            for layer in self.layers:
                h, x = layer(h, x, v, edges, senders, receivers)
            return x

    senders, receivers = (torch.tensor(ends) for ends in zip(*_edges(), strict=True))
    n, e = SYSTEMS * BODIES, len(senders)
    inputs = torch.randn(n, 1), torch.randn(n, 3), torch.randn(n, 3), torch.randn(e, 2), senders, receivers
    targets, network = torch.randn(n, 3), Network()
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)

    def step():
        optimizer.zero_grad()
        (network(*inputs) - targets).square().mean().backward()
        optimizer.step()

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", default=os.environ.get("SYMJAX_PEER_TORCH", sys.executable))
    parser.add_argument("--side", choices=("ours", "peer"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side == "ours":
        serve(make_ours, "symjax", "jax", "flax")
    elif options.side == "peer":
        serve(make_peer, "torch")
    else:
        side = ["-m", "benchmarks.egnn", "--side"]
        ours, peer = [sys.executable, *side, "ours"], [options.peer_python, *side, "peer"]
        compare("EGNN n-body training step, batch 100 x 5, 4 layers, 64 hidden, float32", ours, peer, install=INSTALL)


def _edges() -> list[tuple[int, int]]:
    """Return (sender, receiver) of all pairs of distinct bodies in each system, sorted by receiver."""
    pairs = [(sender, receiver) for receiver in range(BODIES) for sender in range(BODIES) if sender != receiver]
    return [(BODIES * k + sender, BODIES * k + receiver) for k in range(SYSTEMS) for sender, receiver in pairs]


if __name__ == "__main__":
    main()
