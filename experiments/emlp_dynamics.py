"""Learning a double spring pendulum: does it help to know its symmetry? (Finzi et al. 2021, arXiv:2104.09459).

    python -m experiments.emlp_dynamics                            # six networks, three seeds
    python -m experiments.emlp_dynamics --preset tiny              # seconds; shows that everything works

A network is a Hamiltonian (hnn) or a vector field (ode), of a symmetry about the vertical or of none; it sees 500
pieces of 5 states. The error is the geometric mean of |z - z'| / (|z| + |z'|) over roll-outs of 30 time units. The
authors' networks and ours are side by side in docs/benchmarks.md; all 18 took an hour of one of two busy cores.
"""

import argparse
import collections
import dataclasses
import pathlib
import time
from typing import Literal, get_args

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax
import tyro

from symjax import training
from symjax.data.pendulum import DURATION, STEP, random_chunks, relative_error, roll_out, trajectories
from symjax.groups import DkeR3, O2eR3, SO2eR3, Trivial
from symjax.math.odeint import integration_matrix, runge_kutta
from symjax.models import EMLP, MLP, HamiltonianNet
from symjax.reps import Scalar, V

GROUPS = {"O2": O2eR3(), "SO2": SO2eR3(), "D6": DkeR3(6)}
PUBLISHED = {"hnn-O2": 0.0118, "hnn-SO2": 0.0155, "hnn-D6": 0.0135, "hnn": 0.0281, "ode-O2": 0.0206, "ode": 0.0482}
Model = Literal["hnn-O2", "hnn-SO2", "hnn-D6", "hnn", "ode-O2", "ode"]
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
CHOICES = {"preset", "models", "seeds", "out"}  # options that say which networks to train, not how


def main(config: Config) -> list[dict]:
    """Train the networks that results.jsonl does not have yet; return its lines, those of other settings aside."""
    config.out.mkdir(parents=True, exist_ok=True)
    results = config.out / "results.jsonl"
    done = training.finished(results, config, besides=CHOICES)
    for run in ({"model": model, "seed": seed} for seed in config.seeds for model in config.models):
        if not any(run.items() <= line.items() for line in done):
            done.append(run | learn(config, **run) | training.origin(config))
            training.MetricsLog(results).append(done[-1])
    report(config, done)
    return done


def learn(config: Config, *, model: str, seed: int) -> dict:
    """Train one network; return its roll-out error over all times, and at each."""
    # 1. data
    began, rng = time.perf_counter(), np.random.default_rng(seed)
    tests, pieces = (random_chunks(rng, trajectories(rng, count)) for count in (config.test, config.train))
    times = STEP * np.arange(round(DURATION / STEP))
    truth = roll_out(tests.states[:, 0], times)
    weights = jnp.asarray(integration_matrix(pieces.times), jnp.float32)

    # 2. model
    kind, _, symmetry = model.partition("-")
    rep_in, rep_out = (rep(GROUPS.get(symmetry, Trivial(3))) for rep in (4 * V, Scalar if kind == "hnn" else 4 * V))
    size = (config.channels, config.layers)
    network = EMLP(rep_in, rep_out, *size) if symmetry else MLP(rep_out.size, *size)
    network = HamiltonianNet(network) if kind == "hnn" else network
    key = jax.random.key(seed)
    params = jax.jit(network.init)(key, np.zeros((1, 12), np.float32))

    # 3. step: every state is the first one plus the integral of the field over the states before and after
    def loss(params, states, key):
        error = states - states[:, :1] - jnp.einsum("ij,bjd->bid", weights, network.apply(params, states))
        return {"mse": (jnp.sum(error**2), error.size)}

    per_epoch = config.train // config.batch_size
    steps = config.epochs * per_epoch
    optimizer = optax.adam(training.warmup_cosine(config.learning_rate, steps=steps, warmup=steps // 50))
    step = training.parallelise(training.make_step(loss, optimizer, {"mse": 1.0}), devices=jax.devices()[:1])

    # 4. train
    def plan(epoch):
        order = np.random.default_rng((seed, epoch)).permutation(config.train)[: per_epoch * config.batch_size]
        return [pieces.states[None, rows].astype(np.float32) for rows in order.reshape(per_epoch, -1)]

    result = training.fit(training.init_state(params, optimizer, key=key), step, plan, epochs=config.epochs)
    if result.stopped_by == "signal":
        raise SystemExit("stopped; the network in training is not in results.jsonl, run again to train it")

    @jax.jit
    def predict(params, start):
        def field(z):
            return jnp.asarray(network.apply(params, z))

        return runge_kutta(field, start, jnp.asarray(times, start.dtype), substeps=SUBSTEPS)

    predicted = np.moveaxis(np.asarray(predict(result.best_params, truth[:, 0].astype(np.float32))), 0, 1)
    errors = np.exp(np.mean(np.log(relative_error(predicted, truth)), axis=0))
    return {
        "error": float(np.exp(np.mean(np.log(errors)))),
        "errors": errors.tolist(),
        "seconds": time.perf_counter() - began,
    }


def report(config: Config, done: list[dict]) -> None:
    """Print the mean errors beside the authors' and draw how they grow."""
    # 5. report
    runs = collections.defaultdict(list)
    for line in done:
        runs[line["model"]].append(line)
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    for model in filter(runs.get, PUBLISHED):
        error = np.mean([line["error"] for line in runs[model]])
        print(f"{model:8} roll-out error {error:.4f} (authors {PUBLISHED[model]}), {len(runs[model])} seed(s)")
        growth = np.exp(np.mean(np.log([line["errors"] for line in runs[model]]), axis=0))
        axes.semilogy(STEP * np.arange(1, len(growth)), growth[1:], label=f"{model}: {error:.4f}")
    axes.set(xlabel="time", ylabel="relative error of the state", title="Double spring pendulum, roll-outs")
    axes.legend()
    figure.savefig(config.out / "rollouts.png", dpi=150)
    plt.close(figure)


if __name__ == "__main__":
    preset = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    preset.add_argument("--preset", choices=PRESETS, default="small")
    main(tyro.cli(Config, default=PRESETS[preset.parse_known_args()[0].preset], description=__doc__))
