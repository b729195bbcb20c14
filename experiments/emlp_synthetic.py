"""How many samples does a symmetry save? EMLP against plain and augmented MLPs (Finzi et al. 2021, arXiv:2104.09459).

    python -m experiments.emlp_synthetic                  # three tasks, six sizes, three networks, three seeds
    python -m experiments.emlp_synthetic --preset tiny    # seconds; shows that everything works

A network that results.jsonl has already is not trained again, so a sweep may be run in parts: --tasks inertia, ... The
authors' medians and ours are side by side in docs/benchmarks.md; all 162 took 2.7 hours of one of two busy cores.
"""

import argparse
import dataclasses
import itertools
import json
import pathlib
import time
from functools import partial
from typing import Literal

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax
import tyro

from symjax import training
from symjax.data.synthetic import Samples, inertia, o5_synthetic, particle_interaction
from symjax.laws import Equivariance
from symjax.models import EMLP, MLP

TASKS = {"inertia": inertia, "o5": o5_synthetic, "particles": particle_interaction}
SIZES = (100, 300, 1000, 3000, 10_000, 30_000)
PUBLISHED = {  # test errors of the authors' networks, medians of three seeds
    ("inertia", "emlp"): (1.27, 0.33, 0.164, 0.0281, 0.0179, 0.0143),
    ("inertia", "mlp"): (7.91, 4.87, 3.24, 0.831, 0.156, 0.108),
    ("inertia", "mlp+aug"): (1.76, 0.466, 0.131, 0.111, 0.110, 0.103),
    ("o5", "emlp"): (0.0396, 0.0343, 0.0163, 0.0335, 0.0087, 0.0265),
    ("o5", "mlp"): (2.91, 0.235, 0.0881, 0.0626, 0.065, 0.064),
    ("o5", "mlp+aug"): (0.333, 0.0935, 0.0603, 0.0854, 0.0711, 0.0681),
    ("particles", "emlp"): (0.0075, 0.0020, 3.0e-4, 2.7e-4, 2.65e-4, 1.65e-4),
    ("particles", "mlp"): (0.734, 0.704, 0.384, 0.0514, 0.0166, 0.0121),
    ("particles", "mlp+aug"): (0.179, 0.0370, 0.0129, 0.0106, 0.0126, 0.0113),
}


@dataclasses.dataclass(frozen=True)
class Config:
    """Which networks to train, on how much, for how long."""

    preset: Literal["tiny", "small"] = "small"
    tasks: tuple[Literal["inertia", "o5", "particles"], ...] = ("inertia", "o5", "particles")
    models: tuple[Literal["emlp", "mlp", "mlp+aug"], ...] = ("emlp", "mlp", "mlp+aug")
    sizes: tuple[int, ...] = SIZES  # training samples
    seeds: tuple[int, ...] = (0, 1, 2)  # of the data, the weights and the order of the batches
    held_out: tuple[int, int] = (1000, 5000)  # samples that choose the weights to keep, and that test them
    channels: int = 384
    layers: int = 3
    batch_size: int = 500
    steps: int = 1800
    epochs: int = 18  # of equally many steps, each followed by a validation
    rates: tuple[float, float] = (1e-2, 3e-3)  # of EMLPs and of MLPs (the authors'), at first; then half a cosine
    weight_decay: float = 0.03  # of sets under 10,000 samples, which networks may learn by heart
    out: pathlib.Path = pathlib.Path("runs/emlp_synthetic")


TINY = Config("tiny", ("inertia",), sizes=(100,), seeds=(0,), held_out=(50, 50), channels=16, steps=4, epochs=2)
PRESETS = {"tiny": TINY, "small": Config()}


def main(config: Config) -> list[dict]:
    """Train the networks that results.jsonl does not have yet; return all its lines."""
    config.out.mkdir(parents=True, exist_ok=True)
    results = config.out / "results.jsonl"
    done = [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
    for size, task, seed, model in itertools.product(config.sizes, config.tasks, config.seeds, config.models):
        run = {"task": task, "model": model, "size": size, "seed": seed}
        if not any(run.items() <= line.items() for line in done):
            done.append(run | learn(config, **run) | training.origin(config))
            training.MetricsLog(results).append(done[-1])
    report(config, done)
    return done


def learn(config: Config, *, task: str, model: str, size: int, seed: int) -> dict[str, float]:
    """Train one network; return its error in the units of the task and how well it keeps the law."""
    # 1. data; dividing all inputs or all targets by one number breaks no symmetry
    goal, began = TASKS[task](), time.perf_counter()
    parts = [goal.sample(np.random.default_rng((seed, i)), n) for i, n in enumerate((size, *config.held_out))]
    unit = Samples(*(np.sqrt(np.mean(field**2)) for field in parts[0]))
    train, valid, test = (jax.tree.map(lambda x, u: (x / u).astype(np.float32), part, unit) for part in parts)

    # 2. model
    shape = (config.channels, config.layers)
    network = EMLP(goal.rep_in, goal.rep_out, *shape) if model == "emlp" else MLP(goal.rep_out.size, *shape)
    key = jax.random.key(seed)
    params, predict = jax.jit(network.init)(key, train.inputs[:1]), jax.jit(network.apply)

    # 3. step
    def loss(params, batch, key):
        inputs, targets = goal.move(batch, key) if model == "mlp+aug" else batch
        error = network.apply(params, inputs) - targets
        return {"mse": (jnp.sum(error**2), error.size)}

    rate = training.warmup_cosine(config.rates[model != "emlp"], steps=config.steps, warmup=config.steps // 50)
    optimizer = optax.adamw(rate, weight_decay=config.weight_decay if size < 10_000 else 0.0)
    step = training.parallelise(training.make_step(loss, optimizer, {"mse": 1.0}), devices=jax.devices()[:1])

    # 4. train
    def plan(epoch):
        rng, steps, batch = np.random.default_rng((seed, epoch)), config.steps // config.epochs, config.batch_size
        rows = np.concatenate([rng.permutation(size) for _ in range(-(-steps * batch // size))])
        return [Samples(*(x[None, i] for x in train)) for i in rows[: steps * min(batch, size)].reshape(steps, -1)]

    def measure(params, part=valid):
        return {"loss": float(np.mean((predict(params, part.inputs) - part.targets) ** 2))}

    state = training.init_state(params, optimizer, key=key)
    result = training.fit(state, step, plan, epochs=config.epochs, evaluate=measure)
    if result.stopped_by == "signal":
        raise SystemExit("stopped; the network in training is not in results.jsonl, run again to train it")
    best, law = result.best_params, Equivariance(goal.group, goal.rep_in, goal.rep_out)
    error, residual = measure(best, test)["loss"], law.residual(partial(predict, best), test.inputs, key)
    error, seconds = error * unit.targets**2, time.perf_counter() - began
    return {"test_mse": float(error), "law": float(residual), "seconds": seconds}


def report(config: Config, done: list[dict]) -> None:
    """Print the medians beside the authors' and draw them; bars span the seeds."""
    # 5. report
    figure, panels = plt.subplots(1, len(TASKS), figsize=(13, 4), layout="constrained")
    for i, ((task, model), published) in enumerate(PUBLISHED.items()):
        axes, colour, shown = panels[i // 3], f"C{i % 3}", {}
        axes.set(title=TASKS[task]().name, xlabel="training samples", ylabel="test mean squared error")
        axes.loglog(SIZES, published, "--", color=colour, alpha=0.5, label=f"{model}, authors")
        for size, theirs in zip(SIZES, published, strict=True):
            run = {"task": task, "model": model, "size": size}
            if errors := [line["test_mse"] for line in done if run.items() <= line.items()]:
                shown[size] = np.median(errors)
                axes.plot([size, size], [min(errors), max(errors)], color=colour)
                print(f"{task:10} {model:8} n={size:<6} MSE {shown[size]:<9.3g} (authors {theirs})")
        axes.plot(list(shown), list(shown.values()), "o-", color=colour, label=model)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=6)
    figure.savefig(config.out / "curves.png", dpi=150)
    plt.close(figure)


if __name__ == "__main__":
    preset = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    preset.add_argument("--preset", choices=PRESETS, default="small")
    main(tyro.cli(Config, default=PRESETS[preset.parse_known_args()[0].preset], description=__doc__))
