"""Coloured digits (Arjovsky et al. 2019, arXiv:1907.02893, sec. 5.2): which rules look at the shape, not at the colour?

    python -m experiments.colored_mnist --digits ../shared/data/mnist/mnist10k_28x28.npz    # 10,000 digits
    python -m experiments.colored_mnist                                                     # scikit-learn's 1797
    python -m experiments.colored_mnist --preset tiny                                       # seconds

A quarter of the labels are wrong, so that the shape tells 75 % and nothing more than 90 %. Accuracy in %, mean and
standard deviation of seeds 0, 1, 2 on the first 10,000 digits of MNIST, 8000 of them to train on (4000 an environment),
1000 to choose a step with, 1000 to test; half a minute of CPU a run on a 2-core AMD EPYC guest (18 runs, 52 minutes in
all while the machine had ten times as much to do):

                training    test, last   training-domain        oracle     published, 50,000 digits
    erm         82.7 ± 0.7    23.3 ± 1.7        10.5 ± 0.7    23.3 ± 1.7   17.1 ± 0.7
    irm         72.7 ± 1.2    54.3 ± 5.1        10.6 ± 0.8    55.6 ± 4.3   66.9 ± 2.5
    vrex        71.4 ± 2.7    58.5 ± 2.7        10.7 ± 0.8    63.9 ± 2.2   67.2 ± 1.5
    fishr       68.5 ± 2.3    62.2 ± 3.1        10.5 ± 0.7    63.1 ± 3.4   69.5 ± 1.0
    group_dro   82.4 ± 0.8    24.8 ± 1.7        10.6 ± 0.7    24.7 ± 1.8
    grey        66.6 ± 0.8    65.2 ± 1.1        70.3 ± 0.6    70.6 ± 0.3   73.0 ± 0.5

"training" and "test, last" are held-out digits in the colours of training and of the test after 500 steps; the others
are of the test after the step that is best on held-out digits in the colours of training, or of the test. Who chooses
by the environments of training chooses the colour, whatever the rule: only grey digits are safe. Hyperparameters are
those of the paper, which were chosen on the test environment, but for the width (128, not 390) and V-REx's weight.
Published: the paper's table 1; V-REx and Fishr as measured by Rame et al. 2022 (arXiv:2109.02934).
On scikit-learn's digits, 1437 to train on and 180 to test, the same is 27.4 (erm), 30.7 (irm), 53.2 (vrex), 65.0 (grey)
after the last step, of three seeds: too few for IRM with these hyperparameters.
"""

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import Any, Literal, cast

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from symjax import causal, training
from symjax.data import RowBatch, Rows
from symjax.data.colours import Digits, colour_digits, read_digits
from symjax.training import Recipe, piecewise_linear

SHAPE, TURNED = 0.75, 0.90  # the bounds: of what does not look at the colour, and of anything on the test environment
WRONG = (0.1, 0.2, 0.9, 0.9)  # how often colours are wrong: two environments to learn from, oracle's choice, test
Method = Literal["erm", "irm", "vrex", "fishr", "group_dro", "grey"]
METHODS: tuple[Method, ...] = ("erm", "irm", "vrex", "fishr", "group_dro", "grey")


@dataclasses.dataclass(frozen=True)
class Options:
    """What to train on what; the seed of the recipe decides splits, noise, colours and initial weights."""

    preset: Literal["tiny", "digits"] = "digits"
    digits: pathlib.Path | None = None  # an .npz file of images and labels; scikit-learn's digits by default
    method: Method = "erm"  # of one run; a sweep has them all
    width: int = 128
    l2: float = 1.1e-3  # times the squared norm of the weights
    anneal: int = 190  # steps before a penalty gets its weight; 1 until then
    irm: float = 91257.0  # weights of penalties
    vrex: float = 1e4
    fishr: float = 91257.0
    dro_rate: float = 0.01


RECIPE = Recipe(500, "adam", 4.9e-4, "constant", warmup=0, ema=0.0, clip=None, evaluate_every=25)


@dataclasses.dataclass(frozen=True)
class Config:
    """What to train, how, how often, and where to keep it."""

    options: Options = Options()
    recipe: Recipe = RECIPE  # an epoch is one step of all examples
    methods: tuple[Method, ...] = METHODS
    seeds: int = 3
    out: pathlib.Path = pathlib.Path("runs/colored_mnist")


BRIEF = dataclasses.replace(RECIPE, epochs=6, evaluate_every=2)
PRESETS = {"tiny": Config(Options("tiny", width=8, anneal=2), BRIEF, ("fishr",), seeds=1), "digits": Config()}


class Classifier(nn.Module):
    """Two hidden layers; returns logits [b] and the features [b, width] that the last layer sees."""

    width: int

    @nn.compact
    def __call__(self, images: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Return logits and features of images [b, ...]."""
        x, start = images.reshape(len(images), -1), nn.initializers.xavier_uniform()
        for _ in range(2):
            x = nn.relu(nn.Dense(self.width, kernel_init=start)(x))
        return nn.Dense(1, kernel_init=start)(x)[:, 0], x


def main(config: Config) -> dict[str, list[dict[str, Any]]]:
    """Train every method from every seed; print the table, and return the errors by method."""
    found: dict[str, list[dict[str, Any]]] = {}
    for method in config.methods:
        options = dataclasses.replace(config.options, method=method)
        for seed in range(config.seeds):
            recipe = dataclasses.replace(config.recipe, seed=seed)
            errors = training.run_experiment("colored_mnist", options, recipe, config.out / f"{method}-{seed}", prepare)
            found.setdefault(method, []).append(errors)
    print(f"accuracy in %, mean ± deviation over seeds; test at most {SHAPE:.0%} by shape, {TURNED:.0%} by anything")
    print(f"{'':10}{'training':>12}{'test, last':>14}{'training-domain':>18}{'oracle':>14}")
    for method, rows in found.items():
        cells = [f"{100 * np.mean(v):.1f} ± {100 * np.std(v):.1f}" for v in zip(*map(_cells, rows), strict=True)]
        print(f"{method:10}{cells[0]:>12}{cells[1]:>14}{cells[2]:>18}{cells[3]:>14}")
    return found


def prepare(options: Options, recipe: Recipe) -> tuple[training.Task, training.Errors]:
    """Return the task, and the accuracies of a run."""
    # 1. data
    train, valid = coloured_environments(read_digits(options.digits), recipe.seed, grey=options.method == "grey")

    # 2. model
    model = Classifier(options.width)

    # 3. task
    def terms(params, batch: RowBatch, key):
        rows = batch.rows
        of = causal.Environments(jnp.minimum(rows["index"], 1), 2, batch.mask & (rows["index"] < 2))
        logits, features = cast(tuple[jax.Array, jax.Array], model.apply(params, rows["images"]))
        gradients = causal.head_gradients(jax.nn.sigmoid(logits) - rows["labels"], features)
        norm = sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(params))
        return {
            **of.risks(optax.sigmoid_binary_cross_entropy(logits, rows["labels"])),
            **causal.logit_slopes(logits, rows["labels"], of),
            **causal.gradient_moments(gradients, of),
            "l2": (norm, 1),
        }

    def measure(params, batch: RowBatch, key):
        right = (model.apply(params, batch.rows["images"])[0] > 0) == (batch.rows["labels"] > 0.5)
        groups = causal.Environments(batch.rows["index"], len(WRONG), batch.mask)
        return terms(params, batch, key) | {"accuracy": groups.total(right.astype(jnp.float32))}

    task = training.Task(
        init=lambda key, batch: model.init(key, batch.rows["images"]),
        loss=terms,
        weights=rule(options),
        train=Rows(train, len(train["index"])),
        valid=Rows(valid, len(valid["index"])),
        measure=measure,
        shown={"accuracy_0": (100.0, "%"), "accuracy_3": (100.0, "% on test")},
    )

    # 4. errors
    return task, lambda result: accuracies(result.history)


def rule(options: Options) -> training.Objective:
    """Return what a method minimises."""
    others = {"l2": options.l2}

    def annealed(weight: float) -> training.Weight:
        return piecewise_linear({options.anneal - 1: 1.0, options.anneal: weight})

    match options.method:
        case "irm":
            return causal.irm(annealed(options.irm), others=others)
        case "vrex":
            return causal.vrex(annealed(options.vrex), others=others)
        case "fishr":
            return causal.fishr(annealed(options.fishr), 2, options.width + 1, decay=0.0, others=others)
        case "group_dro":
            return causal.group_dro(2, rate=options.dro_rate, others=others)
    return causal.erm(others=others)


def coloured_environments(given: Digits, seed: int, *, grey: bool) -> tuple[dict[str, np.ndarray], ...]:
    """Return the rows to train on, 4/5 of the digits, and those to measure, 1/10 for choices and 1/10 for the test.

    Each has the index of its environment in `WRONG`. The digits for choices are there twice: in the colours one trains
    on, and in those of the test.
    """
    order = np.random.default_rng(seed).permutation(len(given.digits))
    train, choose, test = np.split(order, [8 * len(order) // 10, 9 * len(order) // 10])

    def rows(*parts: tuple[int, np.ndarray]) -> dict[str, np.ndarray]:
        made = []
        for index, places in parts:
            some = Digits(given.images[places], given.digits[places])
            coloured = colour_digits(some, WRONG[index], seed=4 * seed + index)
            images = coloured.images.sum(-1, keepdims=True) if grey else coloured.images
            made.append({"images": images, "labels": coloured.labels, "index": np.full(len(places), index, np.int32)})
        return jax.tree.map(lambda *leaves: np.concatenate(leaves), *made)

    measured = rows((0, choose[0::2]), (1, choose[1::2]), (2, choose), (3, test))
    return rows((0, train[0::2]), (1, train[1::2])), measured


def accuracies(history: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Return accuracies at the last step, and at the steps chosen in the training environments and by the oracle."""
    measured = [record for record in history if "valid_accuracy_0" in record]

    def training_domain(record: Mapping[str, Any]) -> float:
        return (record["valid_accuracy_0"] + record["valid_accuracy_1"]) / 2

    chosen = {
        "last": measured[-1],
        "training-domain": max(measured, key=training_domain),
        "oracle": max(measured, key=lambda record: record["valid_accuracy_2"]),
    }
    return {
        name: {"step": record["step"], "training": training_domain(record), "test": record["valid_accuracy_3"]}
        for name, record in chosen.items()
    }


def _cells(errors: Mapping[str, Mapping[str, float]]) -> tuple[float, ...]:
    return errors["last"]["training"], *(errors[name]["test"] for name in ("last", "training-domain", "oracle"))


if __name__ == "__main__":
    main(training.command_line(PRESETS, __doc__))
