"""Graph convolution and attention on a graph of the size of Cora, training step, against PyTorch Geometric.

    python -m venv ~/peers/pyg && ~/peers/pyg/bin/pip install torch torch-geometric
    python -m benchmarks.graphs --peer-python ~/peers/pyg/bin/python

2708 nodes, 10,556 edges, 1433 features of which 49,216 are not zero, 7 classes, cross entropy on 140 nodes, Adam, the
dropout of the papers (Geometric's on 3.9 million numbers, ours too where features are dense), float32, one thread.
"gin" and "sage" are 3 layers of 64 and a sum over each of 128 molecules of 18 atoms and 36 edges; "mpnn" has 16
channels and a matrix an edge, made of 4 features.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.timing import compare, serve

CASES = {
    "gcn dense": "GCN 2 x 16, Cora's size, dense features",
    "gcn sparse": "GCN 2 x 16, Cora's size, sparse features",
    "gat dense": "GAT 8 x 8, Cora's size, dense features",
    "gat sparse": "GAT 8 x 8, Cora's size, sparse features",
    "gin molecules": "GIN 3 x 64, 128 molecules",
    "sage molecules": "GraphSAGE 3 x 64, 128 molecules",
    "mpnn molecules": "MPNN 3 x 16, 128 molecules",
}
NODES, EDGES, FEATURES, ONES, CLASSES, LABELLED = 2708, 10_556, 1433, 49_216, 7, 140
MOLECULES, ATOMS, BONDS, ELEMENTS, BOND_FEATURES = 128, 18, 36, 11, 4


def citations(seed: int = 0) -> dict[str, Any]:
    """Return the arrays of a random graph with Cora's sizes, the same on both sides."""
    import numpy as np

    rng = np.random.default_rng(seed)
    half = rng.integers(NODES, size=(2, EDGES // 2))
    places = rng.choice(NODES * FEATURES, ONES, replace=False)
    return {
        "edges": np.concatenate([half, half[::-1]], axis=1),
        "places": np.stack([places // FEATURES, places % FEATURES], axis=1),
        "labels": rng.integers(CLASSES, size=NODES),
    }


def molecules(seed: int = 0) -> dict[str, Any]:
    """Return the arrays of random molecules, the same on both sides."""
    import numpy as np

    rng = np.random.default_rng(seed)
    ends = rng.integers(ATOMS, size=(2, MOLECULES, BONDS // 2)) + ATOMS * np.arange(MOLECULES)[:, None]
    half = ends.reshape(2, -1)
    return {
        "edges": np.concatenate([half, half[::-1]], axis=1),
        "features": rng.standard_normal((MOLECULES * ATOMS, ELEMENTS)).astype(np.float32),
        "bonds": rng.standard_normal((MOLECULES * BONDS, BOND_FEATURES)).astype(np.float32),
        "targets": rng.standard_normal((MOLECULES, 1)).astype(np.float32),
    }


def make(layer: str, data: str) -> Callable[[], object]:
    """Return a training step."""
    import jax
    import optax

    loss, params = _of_molecules(layer) if data == "molecules" else _of_citations(layer, sparse=data == "sparse")
    optimizer, keys = optax.adam(1e-2), iter(jax.random.split(jax.random.key(1), 100_000))

    @jax.jit
    def update(params: Any, moments: Any, key: Any) -> Any:
        updates, moments = optimizer.update(jax.grad(loss)(params, key), moments)
        return optax.apply_updates(params, updates), moments

    state = params, optimizer.init(params)

    def step() -> None:
        nonlocal state
        state = jax.block_until_ready(update(*state, next(keys)))

    return step


def _of_citations(layer: str, *, sparse: bool) -> tuple[Callable, Any]:
    import flax.linen as nn
    import jax
    import jax.numpy as jnp
    import optax

    from symjax.data import make_graphs, sparse_features
    from symjax.models import GraphNetwork

    arrays = citations()
    (rows, columns), (senders, receivers) = arrays["places"].T, arrays["edges"]
    features: Any = sparse_features(rows, columns, (NODES, FEATURES))
    graph = jax.tree.map(jnp.asarray, make_graphs(senders, receivers, features if sparse else features.todense()))
    options: dict[str, Any] = {"indices_are_sorted": True}
    if layer == "gat":
        options |= {"heads": 8, "dropout": 0.6}
        model = GraphNetwork(CLASSES, "gat", 64, activation=nn.elu, dropout=0.6, options=options, last={"heads": 1})
    else:
        model = GraphNetwork(CLASSES, "gcn", 16, dropout=0.5, options=options)
    labels = jnp.asarray(arrays["labels"][:LABELLED])

    def loss(params: Any, key: Any) -> Any:
        logits: Any = model.apply(params, graph, rngs={"dropout": key})
        return optax.softmax_cross_entropy_with_integer_labels(logits.nodes[:LABELLED], labels).mean()

    return loss, jax.jit(model.init)(jax.random.key(0), graph)


def _of_molecules(layer: str) -> tuple[Callable, Any]:
    import jax
    import jax.numpy as jnp
    import numpy as np

    from symjax.data import make_graphs
    from symjax.models import GraphNetwork

    arrays, sizes = molecules(), np.full(MOLECULES, ATOMS)
    bonds = arrays["bonds"] if layer == "mpnn" else None
    senders, receivers = arrays["edges"]
    graph = make_graphs(senders, receivers, arrays["features"], edges=bonds, n_node=sizes)
    graph, targets = jax.tree.map(jnp.asarray, (graph, arrays["targets"]))
    width = 16 if layer == "mpnn" else 64
    model = GraphNetwork(1, layer, width, 3, of="graphs", options={"indices_are_sorted": True})

    def loss(params: Any, key: Any) -> Any:
        predicted: Any = model.apply(params, graph)
        return jnp.mean((predicted.globals - targets) ** 2)

    return loss, jax.jit(model.init)(jax.random.key(0), graph)


def main(options: argparse.Namespace) -> None:
    """Compare for every case asked for."""
    for case in options.cases:
        words = case.split()
        ours = [sys.executable, "-m", "benchmarks.graphs", "serve", *words]
        peer = [options.peer_python, "-m", "benchmarks.peers.pyg", *words]
        compare(f"{CASES[case]}, training", ours, peer, install=INSTALL, rounds=options.rounds, repeats=options.repeats)


INSTALL = "python -m venv PEER && PEER/bin/pip install torch torch-geometric, then pass --peer-python PEER/bin/python"


def read(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = os.environ.get("SYMJAX_PEER_PYG", sys.executable)
    parser.add_argument("--peer-python", default=default, help="interpreter that has torch-geometric")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=5)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(lambda: make(*sys.argv[2:]), "symjax", "jax", "flax")
    else:
        main(read())
