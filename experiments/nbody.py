"""EGNN on five charged bodies (Satorras et al. 2021, arXiv:2102.09844, table 2): where are they 1000 time steps later?

    python -m experiments.nbody                     # 300 epochs, annealed: 11 minutes on two busy CPU cores
    python -m experiments.nbody --preset paper      # the paper's 10,000 epochs at constant learning rate
    python -m experiments.nbody --preset tiny       # seconds; shows that everything works

Mean squared error on the 2000 test systems: best constant-time straight line 0.083, paper 0.0071, ours 0.0070 (preset
"small", seed 1, the weights of the best validation epoch).
"""

import argparse
import dataclasses
import pathlib
from typing import Literal, cast

import jax
import jraph
import matplotlib.pyplot as plt
import numpy as np
import optax
import tyro

from symjax import training
from symjax.data.nbody import Systems, linear_baseline, nbody_graph, nbody_splits
from symjax.models import EGNN

PAPER = 0.0071


@dataclasses.dataclass(frozen=True)
class Config:
    """What to train, on how much, for how long."""

    preset: Literal["tiny", "small", "paper"] = "small"
    train: int = 3000  # systems
    valid: int = 2000
    test: int = 2000
    width: int = 64
    layers: int = 4
    batch_size: int = 100  # systems; a multiple of the number of devices
    epochs: int = 300
    evaluate_every: int = 5  # epochs
    learning_rate: float = 1e-3
    anneal: bool = True  # let the learning rate fall along half a cosine
    seed: int = 1  # of the weights and the order of the batches; the data have the benchmark's own seed
    out: pathlib.Path = pathlib.Path("runs/nbody")
    resume: bool = False  # go on with the run in `out`


PRESETS = {
    "tiny": Config("tiny", train=40, valid=20, test=20, width=8, layers=2, batch_size=20, epochs=3, evaluate_every=1),
    "small": Config(),
    "paper": Config("paper", epochs=10_000, learning_rate=5e-4, anneal=False),
}


def main(config: Config) -> dict[str, float]:
    """Run the experiment; return the test errors of the baseline and of EGNN."""
    # 1. data
    splits = nbody_splits(config.train, config.valid, config.test)
    baseline = linear_baseline(splits["train"], splits["test"])
    train, valid, test = (jax.tree.map(lambda x: x.astype(np.float32), splits[part]) for part in splits)

    # 2. model
    model = EGNN(width=config.width, layers=config.layers)
    key = jax.random.key(config.seed)
    params = jax.jit(model.init)(key, nbody_graph(jax.tree.map(lambda x: x[:1], train)))

    # 3. step
    def loss(params, batch, key):
        graph, targets = batch
        squared = (cast(jraph.GraphsTuple, model.apply(params, graph)).nodes.positions - targets) ** 2
        return {"mse": (squared.sum(), squared.size)}

    per_epoch = config.train // config.batch_size
    annealed = training.warmup_cosine(config.learning_rate, steps=config.epochs * per_epoch)
    optimizer = optax.adam(annealed if config.anneal else config.learning_rate)
    step = training.parallelise(training.make_step(loss, optimizer, {"mse": 1.0}))
    evaluation = training.parallelise(training.make_evaluation(loss), donate=False)

    # 4. train
    def measure(params, systems):
        return training.means(training.evaluate_batches(evaluation, params, [sharded(systems, step.devices)]))

    def plan(epoch):
        order = np.random.default_rng((config.seed, epoch)).permutation(config.train)
        return list(order[: per_epoch * config.batch_size].reshape(per_epoch, config.batch_size))

    state, place = training.init_state(params, optimizer, key=key), None
    with training.CheckpointStore(config.out / "checkpoints") as store:
        if config.resume:
            state, place, passed_over = training.resume(store, state)
            print(*passed_over, f"going on after epoch {place.epoch}", sep="\n")
        result = training.fit(
            state,
            step,
            plan,
            epochs=config.epochs,
            load=lambda rows: sharded(jax.tree.map(lambda x: x[rows], train), step.devices),
            evaluate=lambda params: measure(params, valid),
            evaluate_every=config.evaluate_every,
            monitor="mse",
            store=store,
            log=training.MetricsLog(config.out / "metrics.jsonl"),
            start=place,
        )
    if result.stopped_by == "signal":
        raise SystemExit("stopped; go on with --resume")

    # 5. report
    errors = {"linear": baseline, "egnn": measure(result.best_params, test)["mse"]}
    print(f"test MSE: straight line {baseline:.4f}, EGNN {errors['egnn']:.4f} (paper {PAPER})")
    report(config, result, errors)
    return errors


def sharded(systems: Systems, shards: int) -> tuple[jraph.GraphsTuple, np.ndarray]:
    """Return graphs and targets with a leading axis of equal shards."""
    parts = [Systems(*fields) for fields in zip(*(np.split(field, shards) for field in systems), strict=True)]
    return jax.tree.map(lambda *x: np.stack(x), *((nbody_graph(part), part.targets.reshape(-1, 3)) for part in parts))


def report(config: Config, result: training.FitResult, errors: dict[str, float]) -> None:
    """Append one JSON line to results.jsonl and draw the learning curve."""
    line = {
        "test_mse": errors,
        "best_valid_mse": result.progress.best,
        "seconds": round(sum(record["seconds"] for record in result.history), 1),
    }
    training.MetricsLog(config.out / "results.jsonl").append(line | training.origin(config))
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    for name in ("train_mse", "valid_mse"):
        axes.plot(*zip(*((r["epoch"], r[name]) for r in result.history if name in r), strict=True), label=name)
    for name, value in {"straight line": errors["linear"], "paper": PAPER}.items():
        axes.axhline(value, color="grey", linestyle=":" if name == "paper" else "--", label=name)
    axes.set(xlabel="epoch", ylabel="mean squared error", yscale="log", title="EGNN, five charged bodies")
    axes.legend()
    figure.savefig(config.out / "learning_curve.png", dpi=150)
    plt.close(figure)


if __name__ == "__main__":
    preset = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    preset.add_argument("--preset", choices=PRESETS, default="small")
    main(tyro.cli(Config, default=PRESETS[preset.parse_known_args()[0].preset], description=__doc__))
