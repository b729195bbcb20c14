"""Learning a double spring pendulum: does it help to know its symmetry? (Finzi et al. 2021, arXiv:2104.09459).

    python -m experiments.emlp_dynamics                            # six networks, three seeds
    python -m experiments.emlp_dynamics --preset tiny              # seconds; shows that everything works

A network is a Hamiltonian (hnn) or a vector field (ode), of a symmetry about the vertical or of none; it sees 500
pieces of 5 states. The error is the geometric mean of |z - z'| / (|z| + |z'|) over roll-outs of 30 time units. The
authors' networks and ours are side by side in docs/benchmarks.md; all 18 took an hour of one of two busy cores. Each
has a folder: one that is trained is not trained again, one that was stopped goes on.
"""

import dataclasses
import itertools
import pathlib
from functools import lru_cache, partial
from typing import Any, Literal, get_args

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

from symjax import training
from symjax.data import RowBatch, Rows
from symjax.data.pendulum import DURATION, STEP, Trajectories, random_chunks, relative_error, roll_out, trajectories
from symjax.groups import DkeR3, O2eR3, SO2eR3, Trivial
from symjax.math import integration_matrix, runge_kutta
from symjax.models import EMLP, MLP, HamiltonianNet
from symjax.reps import Scalar, V
from symjax.training import Recipe

ADAM = Recipe(optimizer="adam", ema=0.0, clip=None, evaluate_every=100)
GROUPS = {"O2": O2eR3(), "SO2": SO2eR3(), "D6": DkeR3(6)}
PUBLISHED = {"hnn-O2": 0.0118, "hnn-SO2": 0.0155, "hnn-D6": 0.0135, "hnn": 0.0281, "ode-O2": 0.0206, "ode": 0.0482}
Model = Literal["hnn-O2", "hnn-SO2", "hnn-D6", "hnn", "ode-O2", "ode"]
TIMES = STEP * np.arange(round(DURATION / STEP))
SUBSTEPS = 4  # of the roll-outs between two states


@dataclasses.dataclass(frozen=True)
class Config:
    """Which networks to train, on how much, for how long."""

    preset: Literal["tiny", "small"] = "small"
    models: tuple[Model, ...] = get_args(Model)
    seeds: tuple[int, ...] = (0, 1, 2)  # of the data, the weights and the order of the batches
    train: int = 500  # trajectories, of which one piece each is seen
    test: int = 100  # roll-outs
    channels: int = 128
    layers: int = 3
    batch_size: int = 100
    epochs: int = 1200
    learning_rate: float = 3e-3  # the highest; it falls along half a cosine
    out: pathlib.Path = pathlib.Path("runs/emlp_dynamics")


TINY = Config("tiny", ("hnn-O2", "ode"), seeds=(0,), train=8, test=2, channels=8, layers=1, batch_size=4, epochs=2)
PRESETS = {"tiny": TINY, "small": Config()}


@dataclasses.dataclass(frozen=True)
class Options:
    """One network."""

    model: Model
    train: int
    test: int
    channels: int
    layers: int
    batch_size: int


def main(config: Config) -> list[dict[str, Any]]:
    """Train the networks that are not trained yet; return the errors of all."""
    sizes = (config.train, config.test, config.channels, config.layers, config.batch_size)
    warmup = config.epochs * (config.train // config.batch_size) // 50
    rule = dataclasses.replace(ADAM, epochs=config.epochs, learning_rate=config.learning_rate, warmup=warmup)
    found = []
    for seed, model in itertools.product(config.seeds, config.models):
        recipe, folder = dataclasses.replace(rule, seed=seed), config.out / f"{model}-{seed}"
        errors = training.run_experiment("emlp_dynamics", Options(model, *sizes), recipe, folder, prepare)
        found.append({"model": model, "seed": seed, **errors})
    report(config, found)
    return found


def prepare(options: Options, recipe: Recipe) -> tuple[training.Task, training.Errors]:
    """Return the task, and the errors of roll-outs over all times, and at each."""
    # 1. data
    pieces, truth = simulate(options.train, options.test, recipe.seed)
    weights = jnp.asarray(integration_matrix(pieces.times), jnp.float32)

    # 2. model
    kind, _, symmetry = options.model.partition("-")
    rep_in, rep_out = (rep(GROUPS.get(symmetry, Trivial(3))) for rep in (4 * V, Scalar if kind == "hnn" else 4 * V))
    size = (options.channels, options.layers)
    network = EMLP(rep_in, rep_out, *size) if symmetry else MLP(rep_out.size, *size)
    network = HamiltonianNet(network) if kind == "hnn" else network

    # 3. task: every state is the first one plus the integral of the field over the states before and after
    def loss(params, batch: RowBatch, key):
        states = batch.rows
        error = states - states[:, :1] - jnp.einsum("ij,bjd->bid", weights, network.apply(params, states))
        return {"mse": batch.total(error**2)}

    task = training.Task(
        init=lambda key, batch: network.init(key, batch.rows[:1, 0]),
        loss=loss,
        weights={"mse": 1.0},
        train=Rows(pieces.states.astype(np.float32), options.batch_size, recipe.seed),
        shown={"mse": (1.0, "")},
    )

    # 4. errors
    def errors(result: training.FitResult):
        predicted = follow(network, result.best_params, truth[:, 0].astype(np.float32))
        growth = np.exp(np.mean(np.log(relative_error(predicted, truth)), axis=0))
        return {"error": float(np.exp(np.mean(np.log(growth)))), "errors": growth.tolist()}

    return task, errors


@lru_cache(maxsize=1)  # the networks of a seed share them
def simulate(train: int, test: int, seed: int) -> tuple[Trajectories, np.ndarray]:
    """Return the pieces to learn from, and the roll-outs [b, t, 12] to be followed."""
    rng = np.random.default_rng(seed)
    tests, pieces = (random_chunks(rng, trajectories(rng, count)) for count in (test, train))
    return pieces, roll_out(tests.states[:, 0], TIMES)


def follow(network: Any, params: Any, start: np.ndarray) -> np.ndarray:
    """Return the states of roll-outs [b, t, 12] from the first ones [b, 12]."""

    @jax.jit
    def integrate(params, start):
        field = partial(network.apply, params)
        return runge_kutta(field, start, jnp.asarray(TIMES, start.dtype), substeps=SUBSTEPS)

    return np.moveaxis(np.asarray(integrate(params, start)), 0, 1)


def report(config: Config, found: list[dict[str, Any]]) -> None:
    """Print the mean errors beside the authors' and draw how they grow."""
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    for model in config.models:
        runs = [line for line in found if line["model"] == model]
        error = np.mean([line["error"] for line in runs])
        print(f"{model:8} roll-out error {error:.4f} (authors {PUBLISHED[model]}), {len(runs)} seed(s)")
        growth = np.exp(np.mean(np.log([line["errors"] for line in runs]), axis=0))
        axes.semilogy(TIMES[1:], growth[1:], label=f"{model}: {error:.4f}")
    axes.set(xlabel="time", ylabel="relative error of the state", title="Double spring pendulum, roll-outs")
    axes.legend()
    figure.savefig(config.out / "rollouts.png", dpi=150)
    plt.close(figure)


if __name__ == "__main__":
    main(training.command_line(PRESETS, __doc__))
