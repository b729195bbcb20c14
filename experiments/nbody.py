"""EGNN on five charged bodies (Satorras et al. 2021, arXiv:2102.09844, table 2): where are they 1000 time steps later?

    python -m experiments.nbody                     # 300 epochs, annealed: 11 minutes on two busy CPU cores
    python -m experiments.nbody --preset paper      # the paper's 10,000 epochs at constant learning rate
    python -m experiments.nbody --preset tiny       # seconds; shows that everything works

A run that was stopped goes on when the same command is given again. Mean squared error on the 2000 test systems: best
constant-time straight line 0.083, paper 0.0071, ours 0.0070 (preset "small", seed 1, the weights of the best validation
epoch).
"""

import dataclasses
import pathlib
from typing import Literal, cast

import jax
import jraph
import numpy as np

from symjax import training
from symjax.data import RowBatch, Rows
from symjax.data.nbody import linear_baseline, nbody_graph, nbody_splits
from symjax.models import EGNN
from symjax.training import Recipe

PAPER = 0.0071


@dataclasses.dataclass(frozen=True)
class Options:
    """What to train, on how much; the data have the benchmark's own seed."""

    preset: Literal["tiny", "small", "paper"] = "small"
    train: int = 3000  # systems
    valid: int = 2000
    test: int = 2000
    width: int = 64
    layers: int = 4
    batch_size: int = 100  # systems


ANNEALED = Recipe(300, "adam", 1e-3, warmup=0, ema=0.0, clip=None, evaluate_every=5, seed=1)
CONSTANT = dataclasses.replace(ANNEALED, epochs=10_000, learning_rate=5e-4, schedule="constant")
BRIEF = dataclasses.replace(ANNEALED, epochs=3, evaluate_every=1)


@dataclasses.dataclass(frozen=True)
class Config:
    """What to train, how, and where to keep it."""

    options: Options = Options()
    recipe: Recipe = ANNEALED
    out: pathlib.Path = pathlib.Path("runs/nbody")


PRESETS = {
    "tiny": Config(Options("tiny", train=40, valid=20, test=20, width=8, layers=2, batch_size=20), BRIEF),
    "small": Config(),
    "paper": Config(Options("paper"), CONSTANT),
}


def main(config: Config) -> dict[str, float]:
    """Run the experiment; return the test errors of the straight line and of EGNN."""
    errors = training.run_experiment("nbody", config.options, config.recipe, config.out, prepare)
    print(f"test MSE: straight line {errors['linear']:.4f}, EGNN {errors['egnn']:.4f} (paper {PAPER})")
    return errors


def prepare(options: Options, recipe: Recipe) -> tuple[training.Task, training.Errors]:
    """Return the task, and the test errors of parameters."""
    # 1. data
    splits = nbody_splits(options.train, options.valid, options.test)
    train, valid, test = (
        Rows(jax.tree.map(np.float32, splits[part]), options.batch_size, seed)
        for part, seed in (("train", recipe.seed), ("valid", None), ("test", None))
    )

    # 2. model
    model = EGNN(width=options.width, layers=options.layers)

    # 3. task
    def loss(params, batch: RowBatch, key):
        predicted = cast(jraph.GraphsTuple, model.apply(params, nbody_graph(batch.rows))).nodes.positions
        return {"mse": batch.total((predicted.reshape(batch.rows.targets.shape) - batch.rows.targets) ** 2)}

    task = training.Task(
        init=lambda key, batch: model.init(key, nbody_graph(batch.rows)),
        loss=loss,
        weights={"mse": 1.0},
        train=train,
        valid=valid,
        shown={"mse": (1.0, "")},
    )

    # 4. errors
    def errors(result: training.FitResult):
        straight = linear_baseline(splits["train"], splits["test"])
        return {"linear": straight, "egnn": training.measure(task, recipe, result.best_params, test)["mse"]}

    return task, errors


if __name__ == "__main__":
    main(training.command_line(PRESETS, __doc__))
