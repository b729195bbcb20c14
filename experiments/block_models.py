"""How near do graph networks come to Bayes' rule? Communities of a block model, and the optimum of as many hops.

    python -m experiments.block_models --seed 1           # six layers, six signals: 162 CPU seconds
    python -m experiments.block_models --preset tiny      # seconds

A network of two layers learns from one graph whose communities are known, is chosen by a second one, and finds those of
a third. Beside it: two rounds of belief propagation with the true numbers, Bayes' rule for what lies two hops away. The
best layer is within 1.3 points of it at every signal (`--seed 1`, 2026-11-29; tables in docs/benchmarks.md).
"""

import dataclasses
import functools
import pathlib
from typing import Any, Literal, cast

import flax.linen as nn
import jax
import jax.numpy as jnp
import jraph
import matplotlib.pyplot as plt
import numpy as np
import optax

from symjax import training
from symjax.data import BlockModel
from symjax.data.graphs.block_models import THRESHOLD
from symjax.models import GraphNetwork

Layer = Literal["gcn", "sage", "sage-sum", "gat", "gatv2", "gin"]
ATTENTION: dict[str, Any] = {"options": {"heads": 4}, "activation": nn.elu}
NETWORKS: dict[Layer, dict[str, Any]] = {
    "gcn": {"layer": "gcn"},
    "sage": {"layer": "sage"},
    "sage-sum": {"layer": "sage", "options": {"aggregation": "sum", "project": True}},
    "gat": {"layer": "gat"} | ATTENTION,
    "gatv2": {"layer": "gatv2"} | ATTENTION,
    "gin": {"layer": "gin", "last": {"hidden": 16}},
}
HOPS, OPTIMUM = 2, "optimum"


@dataclasses.dataclass(frozen=True)
class Config:
    """Which layers, at which signals, on how large graphs."""

    preset: Literal["tiny", "small"] = "small"
    layers: tuple[Layer, ...] = tuple(NETWORKS)
    signals: tuple[float, ...] = (0.0, 0.4, 0.8, 1.2, 1.6, 2.0)
    nodes: int = 8000
    learn_from: int = 32_000  # nodes of the first graph
    width: int = 16
    epochs: int = 200
    learning_rate: float = 0.02
    seed: int = 0
    out: pathlib.Path = pathlib.Path("runs/block_models")


TINY = Config("tiny", ("gcn", "gin"), (0.0, 2.0), nodes=200, learn_from=200, width=8, epochs=40)
PRESETS = {"tiny": TINY, "small": Config()}


def main(config: Config) -> dict[str, np.ndarray]:
    """Print and draw the accuracies of all layers and of the optimum, at every signal."""
    models = [BlockModel(config.nodes, signal=signal) for signal in config.signals]
    sizes = config.learn_from, config.nodes, config.nodes
    drawn = [
        [dataclasses.replace(model, nodes=n).sample(3 * config.seed + k) for k, n in enumerate(sizes)]
        for model in models
    ]
    tests = [graphs[-1] for graphs in drawn]
    best = [np.mean((m.propagate(graph, HOPS) > 0) == labels) for m, (graph, labels) in zip(models, tests, strict=True)]
    found = {OPTIMUM: 100 * np.array(best)}
    print(f"{'signal':10}", *(f"{signal:6.1f}" for signal in config.signals), f"   (threshold {THRESHOLD})")
    said(OPTIMUM, found[OPTIMUM])
    stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *[tuple(graphs) for graphs in drawn])
    for layer in config.layers:
        learn = functools.partial(train_one, config, layer)
        found[layer] = 100 * np.asarray(jax.jit(lambda data, learn=learn: jax.lax.map(learn, data))(single(stacked)))
        said(layer, found[layer])
    figure = draw(config, found)
    config.out.mkdir(parents=True, exist_ok=True)
    training.write_picture(config.out / "block_models.png", figure)
    plt.close(figure)
    return found


def said(name: str, accuracies: np.ndarray) -> None:
    """Print a row of the table."""
    print(f"{name:10}", *(f"{accuracy:6.1f}" for accuracy in accuracies), flush=True)


def single(tree: Any) -> Any:
    """Return a tree with floats in single precision."""
    return jax.tree.map(lambda x: np.asarray(x, np.float32 if x.dtype == float else x.dtype), tree)


def train_one(config: Config, layer: Layer, graphs: Any) -> jax.Array:
    """Return the accuracy on the third graph of what learns from the first and is chosen by the second."""
    options = NETWORKS[layer].get("options", {}) | {"indices_are_sorted": True}
    model = GraphNetwork(2, width=config.width, layers=HOPS, **NETWORKS[layer] | {"options": options})
    start, keys = graphs[0][0], jax.random.key(config.seed)
    params, optimizer = model.init(keys, start), optax.adam(config.learning_rate)

    def logits(params: Any, graph: jraph.GraphsTuple) -> jax.Array:
        return cast(jraph.GraphsTuple, model.apply(params, graph)).nodes

    def loss(params: Any, graph: jraph.GraphsTuple, labels: jax.Array) -> jax.Array:
        return optax.softmax_cross_entropy_with_integer_labels(logits(params, graph), labels).mean()

    def epoch(carry: Any, _: None) -> tuple[Any, None]:
        params, state, lowest, best = carry
        with jax.numpy_dtype_promotion("standard"):  # optax raises floats to integer counts
            updates, state = optimizer.update(jax.grad(loss)(params, *graphs[0]), state)
        params = cast(Any, optax.apply_updates(params, updates))
        now = loss(params, *graphs[1])
        best = jax.tree.map(lambda old, new: jnp.where(now < lowest, new, old), best, params)
        return (params, state, jnp.minimum(now, lowest), best), None

    carry = params, optimizer.init(params), jnp.asarray(jnp.inf, start.nodes.dtype), params
    (*_, best), _ = jax.lax.scan(epoch, carry, None, config.epochs)
    graph, labels = graphs[2]
    return jnp.mean(jnp.argmax(logits(best, graph), axis=-1) == labels)


def draw(config: Config, found: dict[str, np.ndarray]) -> Any:
    """Return accuracy against signal, the optimum black and the threshold dotted."""
    figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    for name, accuracies in found.items():
        style = {"color": "black", "linewidth": 2} if name == OPTIMUM else {"marker": "o", "markersize": 3}
        label = f"belief propagation, {HOPS} rounds" if name == OPTIMUM else name
        ax.plot(config.signals, accuracies, label=label, **cast(Any, style))
    ax.axvline(THRESHOLD, color="grey", linestyle=":", label="threshold without features")
    ax.set(xlabel="signal (a - b) / sqrt(2 (a + b))", ylabel="test accuracy, %")
    ax.legend(fontsize="small")
    return figure


if __name__ == "__main__":
    main(training.command_line(PRESETS, __doc__))
