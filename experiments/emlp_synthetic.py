"""How many samples does a symmetry save? EMLP against plain and augmented MLPs (Finzi et al. 2021, arXiv:2104.09459).

    python -m experiments.emlp_synthetic                  # three tasks, six sizes, three networks, three seeds
    python -m experiments.emlp_synthetic --preset tiny    # seconds; shows that everything works

Each network is trained by a few recipes, in a folder each: what is trained is not trained again, and what was stopped
goes on, so a sweep may be run in parts: --tasks inertia o5. All 162 networks take about five hours of one of two busy
cores; docs/benchmarks.md has the authors' medians and ours side by side.
"""

import dataclasses
import itertools
import pathlib
from functools import partial
from typing import Any, Literal, NamedTuple

import jax
import matplotlib.pyplot as plt
import numpy as np

from symjax import training
from symjax.data import RowBatch, Rows
from symjax.data.synthetic import Samples, Task, inertia, o5_synthetic, particle_interaction
from symjax.laws import Equivariance
from symjax.models import EMLP, MLP
from symjax.training import Recipe

ADAM = Recipe(optimizer="adam", ema=0.0, clip=None, evaluate_every=1)
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


class Trial(NamedTuple):
    """A way to train a network."""

    rate: float  # at first; after a short warm-up it falls along half a cosine
    length: float = 1.0  # relative to Config.steps
    decay: float = 0.0  # of the weights
    gain: float = 1.0  # of the inputs: the sharper a network is at first, the sharper it stays
    batch: int = 500  # samples, or all there are
    centred: bool = False  # whether the mean of a scalar target is left to a constant


FEW = (
    Trial(5e-3, gain=0.15, length=0.25),
    Trial(3e-3, gain=0.15, centred=True),
    Trial(3e-3),
    Trial(3e-3, gain=2, decay=1),
    Trial(3e-3, gain=3, decay=1, batch=25),
)
MANY = (
    Trial(3e-3, gain=0.25, centred=True),
    Trial(1e-2, gain=0.25, centred=True),
    Trial(3e-3, gain=0.25, centred=True, decay=1),
)
BETWEEN = (*MANY, Trial(3e-3, gain=0.25, centred=True, decay=0.3))
MOVED = (MANY[0], Trial(3e-3))
PLAIN = Trial(1e-2, decay=0.03)
SMOOTH = (PLAIN, Trial(2e-2, gain=0.5, decay=0.03), Trial(1e-2, gain=0.25, decay=0.03))
SHARP = (PLAIN, PLAIN._replace(gain=2))
EXACT = (PLAIN._replace(decay=0.0),)
TRIALS = {  # of each network, by the size of the set: what can be learnt by heart asks for decay, or short training
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
    held_out: tuple[int, int] = (1000, 5000)  # samples that choose trial and weights, and that test them
    channels: int = 384
    layers: int = 3
    steps: int = 1800
    epochs: int = 18  # of equally many steps, each followed by a validation
    trials: int = 5  # at most; the first ones
    out: pathlib.Path = pathlib.Path("runs/emlp_synthetic")


TINY = Config(
    "tiny", ("inertia",), ("emlp", "mlp+aug"), (100,), (0,), (50, 50), 108, layers=1, steps=20, epochs=2, trials=1
)
PRESETS = {"tiny": TINY, "small": Config()}


@dataclasses.dataclass(frozen=True)
class Options:
    """One trial of a network, besides its recipe."""

    goal: str
    model: str
    size: int
    held_out: tuple[int, int]
    channels: int
    layers: int
    steps: int  # of an epoch
    batch_size: int
    gain: float
    centred: bool


class Scaled(NamedTuple):
    """A network of inputs and targets of about size 1; to divide either by one number breaks no symmetry."""

    network: EMLP | MLP
    gain: float
    unit_in: np.float32
    unit: np.float32
    middle: np.float32

    def apply(self, params: Any, inputs: Any) -> Any:
        """Return the targets in their unit, without the middle."""
        return self.network.apply(params, self.gain * inputs / self.unit_in)

    def predict(self, params: Any, inputs: Any) -> Any:
        """Return the targets."""
        return self.unit * self.apply(params, inputs) + self.middle

    def errors(self, params: Any, samples: Samples) -> Any:
        """Return what is wrong with the targets, in their unit."""
        return self.apply(params, samples.inputs) - (samples.targets - self.middle) / self.unit


def main(config: Config) -> list[dict[str, Any]]:
    """Train the networks that are not trained yet; return the errors of all."""
    found = []
    for size, task, seed, model in itertools.product(config.sizes, config.tasks, config.seeds, config.models):
        network = {"task": task, "model": model, "size": size, "seed": seed}
        found.append(network | learn(config, **network))
    report(config, found)
    return found


def learn(config: Config, *, task: str, model: str, size: int, seed: int) -> dict[str, Any]:
    """Train a network by each of its trials; return the errors of the one that validates best."""
    folder, found = config.out / f"{task}-{model}-{size}-{seed}", []
    for i, (rate, length, decay, gain, batch, centred) in enumerate(TRIALS[model](size)[: config.trials], start=1):
        steps, shape = round(config.steps * length), (config.held_out, config.channels, config.layers)
        options = Options(task, model, size, *shape, steps // config.epochs, batch, gain, centred)
        recipe = dataclasses.replace(
            ADAM, epochs=config.epochs, learning_rate=rate, warmup=steps // 50, weight_decay=decay, seed=seed
        )
        found.append(training.run_experiment("emlp_synthetic", options, recipe, folder / str(i), prepare))
    return min(found, key=lambda errors: errors["valid_mse"])


def prepare(options: Options, recipe: Recipe) -> tuple[training.Task, training.Errors]:
    """Return the task, and the errors of the best parameters and how well these keep the law."""
    # 1. data
    goal, few = TASKS[options.goal](), options.held_out[0]
    train, valid, test = (
        jax.tree.map(np.float32, goal.sample(np.random.default_rng((recipe.seed, i)), count))
        for i, count in enumerate((options.size, *options.held_out))
    )

    # 2. model
    model = scaled(options, goal, train)

    # 3. task
    def measure(params, batch: RowBatch, key):
        return {"mse": batch.total(model.errors(params, batch.rows) ** 2)}

    def loss(params, batch: RowBatch, key):
        return measure(params, batch._replace(rows=goal.move(batch.rows, key)), key)

    task = training.Task(
        init=lambda key, batch: model.network.init(key, batch.rows.inputs[:1]),
        loss=loss if options.model == "mlp+aug" else measure,
        weights={"mse": 1.0},
        train=Rows(train, options.batch_size, recipe.seed, options.steps),
        valid=Rows(valid, few),
        measure=measure,
        shown={"mse": (float(model.unit**2), "")},
    )

    # 4. errors
    def errors(result: training.FitResult):
        law = Equivariance(goal.group, goal.rep_in, goal.rep_out)
        predict = partial(jax.jit(model.predict), result.best_params)
        residual = law.residual(predict, test.inputs, jax.random.key(recipe.seed))
        test_mse = training.measure(task, recipe, result.best_params, Rows(test, few))["mse"]
        mses = {"test_mse": test_mse, "valid_mse": result.progress.best}
        return {name: mse * float(model.unit**2) for name, mse in mses.items()} | {"law": float(residual)}

    return task, errors


def scaled(options: Options, goal: Task, train: Samples) -> Scaled:
    """Return the network that is asked for, in the units of the training samples."""
    shape, single = (options.channels, options.layers), goal.rep_out.size == 1
    network = EMLP(goal.rep_in, goal.rep_out, *shape) if options.model == "emlp" else MLP(goal.rep_out.size, *shape)
    middle = np.mean(train.targets) if options.centred and single else np.float32(0)
    unit_in, unit = (np.sqrt(np.mean(values**2)) for values in (train.inputs, train.targets - middle))
    return Scaled(network, options.gain, unit_in, unit, middle)


def report(config: Config, found: list[dict[str, Any]]) -> None:
    """Print the medians beside the authors' and draw them; bars span the seeds."""
    figure, row = plt.subplots(1, len(config.tasks), figsize=(13, 4), layout="constrained", squeeze=False)
    panels = dict(zip(config.tasks, row[0], strict=True))
    for i, ((task, model), published) in enumerate(PUBLISHED.items()):
        if task not in panels:
            continue
        axes, colour, shown = panels[task], f"C{i % 3}", {}
        axes.set(title=TASKS[task]().name, xlabel="training samples", ylabel="test mean squared error")
        axes.loglog(SIZES, published, "--", color=colour, alpha=0.5, label=f"{model}, authors")
        for size, theirs in zip(SIZES, published, strict=True):
            run = {"task": task, "model": model, "size": size}
            if errors := [line["test_mse"] for line in found if run.items() <= line.items()]:
                shown[size] = np.median(errors)
                axes.plot([size, size], [min(errors), max(errors)], color=colour)
                print(f"{task:10} {model:8} n={size:<6} MSE {shown[size]:<9.3g} (authors {theirs})")
        axes.plot(list(shown), list(shown.values()), "o-", color=colour, label=model)
    figure.legend(*row[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=6)
    figure.savefig(config.out / "curves.png", dpi=150)
    plt.close(figure)


if __name__ == "__main__":
    main(training.command_line(PRESETS, __doc__))
