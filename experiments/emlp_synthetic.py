"""How many samples does a symmetry save? EMLP against plain and augmented MLPs (Finzi et al. 2021, arXiv:2104.09459).

    python -m experiments.emlp_synthetic                  # three tasks, six sizes, three networks, three seeds
    python -m experiments.emlp_synthetic --preset tiny    # seconds; shows that everything works

A network that results.jsonl has already is not trained again, so a sweep may be run in parts: --tasks inertia o5. All
162 take about five hours of one of two busy cores; docs/benchmarks.md has the authors' medians and ours side by side.
"""

import argparse
import dataclasses
import itertools
import pathlib
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax
import tyro

from symjax import training
from symjax.data.synthetic import Samples, Task, inertia, o5_synthetic, particle_interaction
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


class Recipe(NamedTuple):
    """How to train a network."""

    rate: float  # at first; after a short warm-up it falls along half a cosine
    length: float = 1.0  # relative to Config.steps
    decay: float = 0.0  # of the weights
    gain: float = 1.0  # of the inputs: the sharper a network is at first, the sharper it stays
    batch: int = 500  # samples, or all there are
    centred: bool = False  # whether the mean of a scalar target is left to a constant


FEW = (
    Recipe(5e-3, gain=0.15, length=0.25),
    Recipe(3e-3, gain=0.15, centred=True),
    Recipe(3e-3),
    Recipe(3e-3, gain=2, decay=1),
    Recipe(3e-3, gain=3, decay=1, batch=25),
)
MANY = (
    Recipe(3e-3, gain=0.25, centred=True),
    Recipe(1e-2, gain=0.25, centred=True),
    Recipe(3e-3, gain=0.25, centred=True, decay=1),
)
BETWEEN = (*MANY, Recipe(3e-3, gain=0.25, centred=True, decay=0.3))
MOVED = (MANY[0], Recipe(3e-3))
PLAIN = Recipe(1e-2, decay=0.03)
SMOOTH = (PLAIN, Recipe(2e-2, gain=0.5, decay=0.03), Recipe(1e-2, gain=0.25, decay=0.03))
SHARP = (PLAIN, PLAIN._replace(gain=2))
EXACT = (PLAIN._replace(decay=0.0),)
RECIPES = {  # of each network, by the size of the set: what can be learnt by heart asks for decay, or short training
    "emlp": lambda size: SMOOTH if size < 1000 else SHARP if size < 10_000 else EXACT,
    "mlp": lambda size: FEW if size < 1000 else BETWEEN if size < 10_000 else MANY,
    "mlp+aug": lambda size: (*MOVED, MANY[0]._replace(length=2)) if size <= 1000 else MOVED,
}


@dataclasses.dataclass(frozen=True)
class Config:
    """Which networks to train, on how much, for how long."""

    preset: Literal["tiny", "small"] = "small"
    tasks: tuple[Literal["inertia", "o5", "particles"], ...] = ("inertia", "o5", "particles")
    models: tuple[Literal["emlp", "mlp", "mlp+aug"], ...] = ("emlp", "mlp", "mlp+aug")
    sizes: tuple[int, ...] = SIZES  # training samples
    seeds: tuple[int, ...] = (0, 1, 2)  # of the data, the weights and the order of the batches
    held_out: tuple[int, int] = (1000, 5000)  # samples that choose recipe and weights, and that test them
    channels: int = 384
    layers: int = 3
    steps: int = 1800
    epochs: int = 18  # of equally many steps, each followed by a validation
    out: pathlib.Path = pathlib.Path("runs/emlp_synthetic")


TINY = Config("tiny", ("inertia",), sizes=(100,), seeds=(0,), held_out=(50, 50), channels=16, steps=20, epochs=2)
PRESETS = {"tiny": TINY, "small": Config()}
CHOICES = {"preset", "tasks", "models", "sizes", "seeds", "out"}  # options that say which networks to train, not how


def main(config: Config) -> list[dict]:
    """Train the networks that results.jsonl does not have yet; return its lines, those of other settings aside."""
    config.out.mkdir(parents=True, exist_ok=True)
    results = config.out / "results.jsonl"
    done = [line for line in training.finished(results, config, besides=CHOICES) if _is_of_today(line)]
    for size, task, seed, model in itertools.product(config.sizes, config.tasks, config.seeds, config.models):
        run = {"task": task, "model": model, "size": size, "seed": seed}
        if not any(run.items() <= line.items() for line in done):
            done.append(run | recipes(model, size) | learn(config, **run) | training.origin(config))
            training.MetricsLog(results).append(done[-1])
    report(config, done)
    return done


def recipes(model: str, size: int) -> dict[str, list[dict]]:
    """Return the recipes of a network, as they are written into results.jsonl."""
    return {"recipes": [recipe._asdict() for recipe in RECIPES[model](size)]}


def _is_of_today(line: dict) -> bool:
    return recipes(line["model"], line["size"]).items() <= line.items()


def learn(config: Config, *, task: str, model: str, size: int, seed: int) -> dict[str, Any]:
    """Train by each recipe; of the one that validates best, return the error and how well it keeps the law."""
    goal, began = TASKS[task](), time.perf_counter()
    counts = enumerate((size, *config.held_out))
    train, valid, test = (goal.sample(np.random.default_rng((seed, i)), n) for i, n in counts)
    trials = [fit(config, recipe, model, goal, train, valid, seed) for recipe in RECIPES[model](size)]
    predict, validation, chosen = min(trials, key=lambda trial: trial[1])
    law = Equivariance(goal.group, goal.rep_in, goal.rep_out)
    residual = law.residual(predict, test.inputs.astype(np.float32), jax.random.key(seed))
    errors = {"test_mse": mean_square(predict, test), "valid_mse": validation, "law": float(residual)}
    return errors | {"recipe": chosen._asdict(), "seconds": time.perf_counter() - began}


def fit(
    config: Config, recipe: Recipe, model: str, goal: Task, train: Samples, valid: Samples, seed: int
) -> tuple[Callable, float, Recipe]:
    """Return the network with the best validation, as a function, and its error there."""
    # 1. model; dividing all inputs or all targets of an EMLP by one number breaks no symmetry
    train, valid = (Samples(*(field.astype(np.float32) for field in part)) for part in (train, valid))
    shape, key, size = (config.channels, config.layers), jax.random.key(seed), len(train.inputs)
    network = EMLP(goal.rep_in, goal.rep_out, *shape) if model == "emlp" else MLP(goal.rep_out.size, *shape)
    middle = np.mean(train.targets) if recipe.centred and goal.rep_out.size == 1 else np.float32(0)
    units = Samples(np.sqrt(np.mean(train.inputs**2)), np.sqrt(np.mean((train.targets - middle) ** 2)))

    def apply(params: Any, inputs: Any) -> Any:
        return network.apply(params, recipe.gain * inputs / units.inputs)

    @jax.jit
    def predict(params: Any, inputs: Any) -> Any:
        return units.targets * apply(params, inputs) + middle

    # 2. step
    def loss(params, batch, key):
        inputs, targets = goal.move(batch, key) if model == "mlp+aug" else batch
        error = apply(params, inputs) - (targets - middle) / units.targets
        return {"mse": (jnp.sum(error**2), error.size)}

    steps = round(config.steps * recipe.length)
    rate = training.warmup_cosine(recipe.rate, steps=steps, warmup=steps // 50)
    optimizer = optax.adamw(rate, weight_decay=recipe.decay)
    step = training.parallelise(training.make_step(loss, optimizer, {"mse": 1.0}), devices=jax.devices()[:1])

    # 3. train
    params = jax.jit(network.init)(key, train.inputs[:1])
    many, batch = steps // config.epochs, min(recipe.batch, size)

    def plan(epoch):
        rng = np.random.default_rng((seed, epoch))
        rows = np.concatenate([rng.permutation(size) for _ in range(-(-many * batch // size))])
        return [Samples(*(field[None, i] for field in train)) for i in rows[: many * batch].reshape(many, batch)]

    def measure(params):
        return {"loss": mean_square(partial(predict, params), valid)}

    state = training.init_state(params, optimizer, key=key)
    result = training.fit(state, step, plan, epochs=config.epochs, evaluate=measure)
    if result.stopped_by == "signal":
        raise SystemExit("stopped; the network in training is not in results.jsonl, run again to train it")
    best = partial(predict, result.best_params)
    return best, mean_square(best, valid), recipe


def mean_square(predict: Callable, samples: Samples) -> float:
    """Return the mean squared error, in the units of the task."""
    return float(np.mean((np.asarray(predict(samples.inputs.astype(np.float32))) - samples.targets) ** 2))


def report(config: Config, done: list[dict]) -> None:
    """Print the medians beside the authors' and draw them; bars span the seeds."""
    # 4. report
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
