"""How near does a symmetry come to the Bayes rule? Sets of normal vectors of variance 1.0 or 0.8, ten members of five.

    python -m experiments.gaussian_sets                  # nine networks on ten members, four on five
    python -m experiments.gaussian_sets --preset tiny    # seconds; shows that everything works

Each network learns once from 800 sets, and once from 800 new ones in every epoch; it is tested on 20,000 more, with the
weights of the best validation on 4000. The optimum is exact. Whatever does better than that by more than three standard
errors (1 point of accuracy, 0.01 nats) has seen the test, and the script stops. Accuracy in % and binary cross entropy
in nats, seed 1:

    10 members                  800 sets          new sets
    MLP                         51.44 / 0.7036    67.55 / 0.5978
    MLP, augmented              66.97 / 0.6056    67.35 / 0.5993
    Set Transformer             58.52 / 0.6813    70.38 / 0.5673
    MLP, canonicalised          52.11 / 0.6987    68.59 / 0.5851
    MLP, symmetrised over Z(n)  61.13 / 0.6584    70.66 / 0.5621
    MLP, 10 elements of S(n)    68.33 / 0.5850    70.00 / 0.5716
    S(n)                        68.95 / 0.5821    70.84 / 0.5632
    S(n) x S(d)                 70.48 / 0.5678    70.84 / 0.5623
    S(n d)                      70.79 / 0.5642    70.93 / 0.5613
    Bayes                       71.08 / 0.5586    71.08 / 0.5586

    5 members
    MLP                         51.89 / 0.6971    64.20 / 0.6297
    MLP, symmetrised over Z(n)  59.60 / 0.6670    64.84 / 0.6259
    MLP, symmetrised over S(n)  62.33 / 0.6438    65.16 / 0.6224
    S(n)                        62.79 / 0.6438    65.14 / 0.6224
    Bayes                       65.24 / 0.6213    65.24 / 0.6213

From few sets, the more of the true symmetry a network has, the nearer it comes. A mean over Z(n) is not invariant under
S(n), nor is one over ten drawn elements, new ones in every step and the same for all test sets. On 2026-11-28, on a
guest with two cores of an AMD EPYC, shared with ten other processes, all 26 trainings took 28 minutes in sum.
"""

import dataclasses
import functools
import json
import math
import pathlib
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, cast

import flax.linen as nn
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax

from symjax import training
from symjax.data import RowBatch, Rows
from symjax.data.sets import Bayes, GaussianSets, gaussian_sets, gaussian_sets_bayes
from symjax.groups import S, Z
from symjax.layers.sets import Canonicalised, Symmetrised, symmetrise
from symjax.models import MLP, DeepSets, ExchangeableDeepSets, SetTransformer
from symjax.reps import Axis, Trivial, augment
from symjax.training import Recipe

Model = Literal["mlp", "augmented", "transformer", "canonicalised", "cyclic", "sampled", "full", "sn", "sn_sd", "snd"]
TITLES: dict[Model, str] = {
    "mlp": "MLP",
    "augmented": "MLP, augmented",
    "transformer": "Set Transformer",
    "canonicalised": "MLP, canonicalised",
    "cyclic": "MLP, symmetrised over Z(n)",
    "sampled": "MLP, 10 elements of S(n)",
    "full": "MLP, symmetrised over S(n)",
    "sn": "S(n)",
    "sn_sd": "S(n) x S(d)",
    "snd": "S(n d)",
}
ALL: tuple[Model, ...] = tuple(model for model in TITLES if model != "full")
DRAWN = 10  # elements of a sampled mean
PORTION = 500  # test sets at a time
ADAM = Recipe(200, "adam", 1e-3, "constant", warmup=0, ema=0.0, clip=None, evaluate_every=5, seed=1)


@dataclasses.dataclass(frozen=True)
class Config:
    """Which networks to train, on how much."""

    preset: Literal["tiny", "small"] = "small"
    models: tuple[Model, ...] = ALL
    few: tuple[Model, ...] = ("mlp", "cyclic", "full", "sn")  # of half as many members, where S(n) can be summed
    members: int = 10
    train: int = 800
    valid: int = 4000
    test: int = 20_000
    channels: int = 50
    recipe: Recipe = ADAM
    out: pathlib.Path = pathlib.Path("runs/gaussian_sets")


BRIEF = dataclasses.replace(ADAM, epochs=2, evaluate_every=1)
TINY = Config("tiny", ("augmented", "sampled"), (), 4, train=64, valid=64, test=500, channels=4, recipe=BRIEF)
PRESETS = {"tiny": TINY, "small": Config()}


@dataclasses.dataclass(frozen=True)
class Options:
    """One network and its data, besides the recipe."""

    model: Model
    data: Literal["static", "fresh"]
    members: int
    train: int
    valid: int
    test: int
    channels: int
    batch_size: int = 32


class Flattened(nn.Module):
    """A perceptron of two hidden layers of all numbers of a set, in their order."""

    channels: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        """Return the logit of a set."""
        return MLP(1, self.channels, 2)(x.ravel())


class Entries(nn.Module):
    """A network of sets on the numbers of a matrix, which are in no order either."""

    channels: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        """Return the logit of a set."""
        return DeepSets(1, self.channels)(x.reshape(-1, 1))


class Network(NamedTuple):
    """A module, and how a batch of sets goes through it."""

    module: nn.Module
    sampled: bool

    def logits(self, params: Any, x: Any, key: Any) -> Any:
        """Return a number for each set."""
        apply = jax.vmap(functools.partial(self.module.apply, params))
        if self.sampled:
            group = S(x.shape[1])
            return jnp.ravel(symmetrise(apply, group, Axis(0), Trivial(), x, elements=DRAWN, key=key, stacked=True))
        return jnp.ravel(cast(Any, apply(x)))


def network(options: Options) -> Network:
    """Return the network of a name."""
    width, n = options.channels, options.members
    flat, average = Flattened(width), functools.partial(Symmetrised, rep_in=Axis(0), rep_out=Trivial())
    modules: dict[Model, nn.Module] = {
        "transformer": SetTransformer(1, 48),
        "canonicalised": Canonicalised(flat),
        "cyclic": average(flat, Z(n)),
        "full": average(flat, S(n), chunk=24),
        "sn": DeepSets(1, width),
        "sn_sd": ExchangeableDeepSets(1, width),
        "snd": Entries(width),
    }
    return Network(modules.get(options.model, flat), options.model == "sampled")


@dataclasses.dataclass(frozen=True)
class Fresh:
    """`Batches` of sets that nobody has seen."""

    options: Options
    seed: int

    def plan(self, epoch: int, *, shards: int) -> list[list[tuple[int, ...]]]:
        """Return the size and the seed of each shard of each step."""
        steps, size = self.options.train // self.options.batch_size, self.options.batch_size // shards
        return [[(size, self.seed, epoch, step, shard) for shard in range(shards)] for step in range(steps)]

    def load(self, shards: Sequence[tuple[int, ...]]) -> RowBatch:
        """Return the sets of some shards of a step."""
        drawn = [gaussian_sets(size, self.options.members, seed=tuple(seed)) for size, *seed in shards]
        sets = jax.tree.map(lambda *parts: np.stack(parts).astype(np.float32), *drawn)
        return RowBatch(sets, np.ones_like(sets.labels, bool))


def main(config: Config) -> dict[str, dict[str, float]]:
    """Train what is not trained yet; print the errors of every network beside the optimum, and draw them."""
    found = {}
    for members, models in ((config.members, config.models), (config.members // 2, config.few)):
        best = gaussian_sets_bayes(members)
        for model in models:
            for data in ("static", "fresh"):
                options = Options(model, data, members, config.train, config.valid, config.test, config.channels)
                folder = config.out / f"{members}_{data}_{model}"
                errors = training.run_experiment("gaussian_sets", options, config.recipe, folder, prepare)
                print(compare(options, errors, best))
                found[folder.name] = errors
    if config.models:
        figure = draw(config, found)
        training.write_picture(config.out / "gaussian_sets.png", figure)
        plt.close(figure)
    return found


def prepare(options: Options, recipe: Recipe) -> tuple[training.Task, training.Errors]:
    """Return the task, and the test errors of parameters."""
    # 1. data
    train, valid, test = (
        jax.tree.map(np.float32, gaussian_sets(getattr(options, part), options.members, seed=seed))
        for seed, part in enumerate(("train", "valid", "test"))
    )

    # 2. model
    net, move = network(options), augment(Axis(0), Trivial(), S(options.members))

    # 3. task
    def measured(params, batch: RowBatch, key):
        logits, labels = net.logits(params, batch.rows.members, key), batch.rows.labels
        bce = optax.sigmoid_binary_cross_entropy(logits, labels)
        right = ((logits > 0) == (labels == 1)).astype(logits.dtype)
        return {"bce": batch.total(bce), "bce_squared": batch.total(bce**2), "accuracy": batch.total(right)}

    def augmented(params, batch: RowBatch, key):
        return measured(params, batch._replace(rows=GaussianSets(*move(key, *batch.rows))), key)

    task = training.Task(
        init=lambda key, batch: net.module.init(key, batch.rows.members[0]),
        loss=augmented if options.model == "augmented" else measured,
        weights={"bce": 1.0},
        train=Fresh(options, recipe.seed) if options.data == "fresh" else Rows(train, options.batch_size, recipe.seed),
        valid=Rows(valid, PORTION),
        measure=measured,
        shown={"bce": (1.0, "nats"), "accuracy": (100.0, "%")},
    )

    # 4. errors
    def errors(result: training.FitResult):
        means = training.measure(task, recipe, result.best_params, Rows(test, PORTION))
        accuracy, bce, count = means["accuracy"], means["bce"], options.test
        return {
            "accuracy": accuracy,
            "accuracy_error": math.sqrt(accuracy * (1 - accuracy) / count),
            "bce": bce,
            "bce_error": math.sqrt((means["bce_squared"] - bce**2) / count),
        }

    return task, errors


def compare(options: Options, errors: dict[str, float], best: Bayes) -> str:
    """Return a network's errors in one line beside the optimum.

    Raises:
        RuntimeError: They are better than the optimum, which only a mistake can be.
    """
    said = (
        f"{options.members} members, {options.data:6} {TITLES[options.model]:26} "
        f"{100 * errors['accuracy']:5.2f} +- {300 * errors['accuracy_error']:.2f} % (Bayes {100 * best.accuracy:.2f})  "
        f"{errors['bce']:.4f} +- {3 * errors['bce_error']:.4f} nats (Bayes {best.bce:.4f})"
    )
    above = errors["accuracy"] - best.accuracy > 3 * errors["accuracy_error"]
    if above or best.bce - errors["bce"] > 3 * errors["bce_error"]:
        raise RuntimeError(f"better than the optimum, so the test is not fair: {said}")
    return said


def draw(config: Config, found: dict[str, dict[str, float]]) -> Any:
    """Return learning curves and accuracies of the larger sets: of 800 dotted and pale, of new ones solid and full."""
    best = gaussian_sets_bayes(config.members)
    figure, (curves, bars) = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    for data, style, alpha, place in (("static", ":", 0.5, -0.2), ("fresh", "-", 1.0, 0.2)):
        for i, model in enumerate(config.models):
            name, colour = f"{config.members}_{data}_{model}", f"C{i}"
            records = map(json.loads, (config.out / name / "metrics.jsonl").read_text().splitlines())
            history = [(record["epoch"], record["valid_bce"]) for record in records if "valid_bce" in record]
            curves.plot(*zip(*history, strict=True), style, color=colour, label=TITLES[model] if place > 0 else None)
            accuracy, error = found[name]["accuracy"], found[name]["accuracy_error"]
            bars.bar(i + place, 100 * accuracy, 0.4, yerr=300 * error, color=colour, alpha=alpha)
    curves.axhline(best.bce, color="black", linewidth=1)
    curves.set(xlabel="epoch", ylabel="validation BCE, nats (line: Bayes)", ylim=(best.bce - 0.01, 0.72))
    curves.legend(fontsize="small")
    bars.axhline(100 * best.accuracy, color="black", linewidth=1)
    bars.set(ylim=(48, 100 * best.accuracy + 2), ylabel="test accuracy, % (line: Bayes)")
    bars.set_xticks(range(len(config.models)), [TITLES[model] for model in config.models], rotation=40, ha="right")
    return figure


if __name__ == "__main__":
    main(training.command_line(PRESETS, __doc__))
