"""What can a graph network tell apart? Random weights in double precision beside colour refinement (1-WL), exactly.

    python -m experiments.wl                      # prints the tables of docs/expressivity.md: 102 CPU seconds
    python -m experiments.wl --out docs/images    # draws the pairs, too

Two graphs are told apart where the outputs of a network with random weights differ, which is the case for almost all
weights if it is for any (Xu et al. 2019, arXiv:1810.00826): nothing is trained, and nothing is lost to an optimiser.
Differences are relative to the largest output; there are none between 1e-9 and what is rounding.
"""

import argparse
import pathlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
import scipy.sparse.csgraph
from jaxtyping import Float, Int

from symjax import training
from symjax.data import (
    SKIPS,
    circulant,
    from_networkx,
    hexagon,
    laplacian_features,
    rook,
    shrikhande,
    two_triangles,
    walk_features,
)
from symjax.laws import random_params
from symjax.math import double_precision
from symjax.models import GraphNetwork

LAYERS: dict[str, dict[str, Any]] = {
    "GIN": {"layer": "gin"},
    "GraphSAGE, sum": {"layer": "sage", "options": {"aggregation": "sum"}},
    "GCN": {"layer": "gcn"},
    "GraphSAGE, mean": {"layer": "sage", "options": {"aggregation": "mean"}},
    "GAT": {"layer": "gat", "options": {"heads": 4}},
    "GATv2": {"layer": "gatv2", "options": {"heads": 4}},
    "GraphSAGE, max": {"layer": "sage", "options": {"aggregation": "max"}},
}
PAIRS = {
    "hexagon / two triangles": lambda: [hexagon(), two_triangles()],
    "rook / Shrikhande": lambda: [rook(), shrikhande()],
    "ten circulants": lambda: [circulant(skip) for skip in SKIPS],
}
FEATURES = {
    "1": lambda graph: np.ones((len(graph), 1)),
    "walks": lambda graph: walk_features(graph, 16),
    "Laplacian": lambda graph: laplacian_features(graph, 6),
}
ROUNDS, WIDTH, EQUAL = 8, 16, 1e-9


class Separation(NamedTuple):
    """How many classes of graphs are told apart, the largest difference within one, the smallest between two."""

    classes: int
    within: float
    between: float


def refine(graphs: Sequence[nx.Graph], rounds: int = ROUNDS) -> Int[np.ndarray, " g"]:
    """Return the class of each graph under colour refinement: the multiset of its nodes' colours in the end."""
    colours = [dict.fromkeys(graph, 0) for graph in graphs]
    for _ in range(rounds):
        names: dict[Any, int] = {}
        colours = [
            {i: names.setdefault((own[i], tuple(sorted(own[j] for j in graph[i]))), len(names)) for i in graph}
            for graph, own in zip(graphs, colours, strict=True)
        ]
    classes: dict[Any, int] = {}
    return np.array([classes.setdefault(tuple(sorted(own.values())), len(classes)) for own in colours])


def outputs(graphs: Sequence[nx.Graph], features: str, network: dict[str, Any], seed: int) -> Float[np.ndarray, "g o"]:
    """Return what a network with random weights says of each graph, relative to the most that it says."""
    batch = from_networkx(graphs)._replace(nodes=np.concatenate([FEATURES[features](graph) for graph in graphs]))
    model = GraphNetwork(4, width=WIDTH, layers=ROUNDS, of="graphs", activation=nn.tanh, **network)
    with double_precision():
        batch = jax.tree.map(jnp.asarray, batch)
        params = random_params(model, batch, key=jax.random.key(seed))
        found = np.asarray(jax.jit(model.apply)(params, batch).globals)
    return found / np.abs(found).max()


def separation(found: Float[np.ndarray, "g o"]) -> Separation:
    """Return which outputs are apart."""
    apart = np.abs(found[:, None] - found[None]).max(axis=-1)
    classes, owner = scipy.sparse.csgraph.connected_components(apart <= EQUAL)
    same = owner[:, None] == owner[None]
    return Separation(classes, float(apart[same].max()), float(apart[~same].min(initial=np.inf)))


def main(seeds: int = 3, out: pathlib.Path | None = None, atlas: int = 1253) -> dict[tuple[str, str], Separation]:
    """Print how many classes each network tells apart, the worst of all seeds, and draw the pairs."""
    found = {}
    print("| graphs | features | 1-WL |", " | ".join(LAYERS), "|")
    print("|---" * (3 + len(LAYERS)) + "|")
    rows = [("atlas", "1", nx.graph_atlas_g()[:atlas])]
    rows += [(name, "1", make()) for name, make in PAIRS.items()]
    rows += [("ten circulants", features, PAIRS["ten circulants"]()) for features in ("walks", "Laplacian")]
    for name, features, graphs in rows:
        for layer, network in LAYERS.items():
            seen = [separation(outputs(graphs, features, network, seed)) for seed in range(seeds)]
            found[f"{name}, {features}", layer] = min(seen)
        classes = [str(found[f"{name}, {features}", layer].classes) for layer in LAYERS]
        print(f"| {name} | {features} | {len(set(refine(graphs)))} | {' | '.join(classes)} |", flush=True)
    gaps = found.values()
    print(
        f"equal to {max(gap.within for gap in gaps):.1e}, else apart by {min(gap.between for gap in gaps):.1e} or more"
    )
    if out is not None:
        figure = draw()
        out.mkdir(parents=True, exist_ok=True)
        training.write_picture(out / "wl_pairs.png", figure)
        plt.close(figure)
    return found


def draw() -> Any:
    """Return a picture of graphs that colour refinement cannot tell apart."""
    figure, axes = plt.subplots(1, 6, figsize=(15, 2.8), layout="constrained")
    shown = {
        "hexagon": hexagon(),
        "two triangles": two_triangles(),
        "rook": rook(),
        "Shrikhande": shrikhande(),
        "circulant 3": circulant(3),
        "circulant 16": circulant(16),
    }
    for ax, (title, graph) in zip(axes, shown.items(), strict=True):
        nx.draw(graph, nx.circular_layout(graph), ax=ax, node_size=18, width=0.6)
        ax.set_title(title)
    return figure


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=pathlib.Path, help="folder of the picture")
    main(**vars(parser.parse_args()))
