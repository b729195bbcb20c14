"""Grokking: a network that knows its training examples by heart learns the rule much later (Power et al. 2022).

    python -m experiments.grokking                       # x + y mod 97 from half the pairs, an MLP, three seeds
    python -m experiments.grokking --preset phases       # x + y mod 31: fractions x weight decays x seeds, 36 runs
    python -m experiments.grokking --preset transformer  # x + y mod 53, one layer (Nanda et al. 2023)
    python -m experiments.grokking --preset tiny         # seconds; shows that everything works

All runs are one ensemble in one program, scanned on the device. What was stopped goes on from its last checkpoint when
the same command is given again. "small", one thread of a two-core AMD EPYC guest beside other work, 2026-11-28: 99 % of
the training examples after 200 steps, 99 % of the others after 3500, 4100 and 3300 steps (seeds 0, 1, 2); 72 CPU
seconds a seed, for 5000 steps. docs/benchmarks.md has the pictures, and the 36 runs, which took 7 CPU minutes.
"""

import dataclasses
import itertools
import pathlib
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Bool, Float, Int, PyTree
from matplotlib.figure import Figure

from symjax import training
from symjax.data import Operation, composition, modular, shuffled_part, sparse_parity
from symjax.groups import S
from symjax.math import cross_entropy, excluded, frequency_shares, restricted
from symjax.models import Transformer
from symjax.training import Recipe

TABLES: dict[str, Callable[[int], Operation]] = {
    "add": lambda size: modular(size, "add"),
    "mul": lambda size: modular(size, "mul"),
    "compose": lambda size: composition(S(size)),
    "parity": sparse_parity,
}
MEASURED = ("train_nll", "train_accuracy", "test_nll", "test_accuracy")
LEARNT = 0.99
EVERY = 5  # epochs a checkpoint
KEY = 0.05  # of the neurons, whose strongest frequency a key frequency is


@dataclasses.dataclass(frozen=True)
class Options:
    """What to learn, by which networks; each fraction with each decay and each seed is a member."""

    preset: Literal["tiny", "small", "transformer", "phases"] = "small"
    operation: Literal["add", "mul", "compose", "parity"] = "add"
    size: int = 97  # modulus, things to permute, or bits
    network: Literal["mlp", "transformer"] = "mlp"
    width: int = 128
    fractions: tuple[float, ...] = (0.5,)  # of all inputs, to train on
    decays: tuple[float, ...] = (1.0,)  # of weights, relative to the learning rate
    seeds: tuple[int, ...] = (0, 1, 2)  # of the split and of the weights
    learning_rate: float = 1e-3
    b2: float = 0.999  # of Adam's second moment
    epochs: int = 50
    steps: int = 100  # of an epoch, each on all there is to train on; then everything is measured
    at_once: int = 1  # members computed together; on a GPU rather all


@dataclasses.dataclass(frozen=True)
class Config:
    """What to learn, and where to keep it."""

    options: Options = Options()
    out: pathlib.Path = pathlib.Path("runs/grokking")


TINY = Options("tiny", size=5, width=8, decays=(0.1, 1.0), seeds=(0,), epochs=4, steps=5)
PHASES = Options("phases", size=31, fractions=(0.4, 0.5, 0.6, 0.7), decays=(0.3, 1.0, 3.0), epochs=60)
NANDA = Options("transformer", size=53, network="transformer", b2=0.98, epochs=25)
PRESETS = {
    "tiny": Config(TINY),
    "small": Config(),
    "transformer": Config(NANDA, pathlib.Path("runs/grokking-transformer")),
    "phases": Config(PHASES, pathlib.Path("runs/grokking-phases")),
}


class TokenMLP(nn.Module):
    """An embedding of each token at each place, side by side, into two rectified layers and a linear one.

    The first layer acts on embeddings, not on examples: what comes out of it is a sum of rows of tables.
    """

    vocabulary: int
    classes: int
    width: int

    @nn.compact
    def __call__(self, tokens: Int[Array, " t"]) -> Float[Array, " c"]:
        """Return the logits."""
        places, width = len(tokens), self.width
        normal, zeros, scaling = nn.initializers.normal(1.0), nn.initializers.zeros, nn.initializers.variance_scaling
        small, of_all = scaling(1 / 3, "fan_in", "uniform"), scaling(1 / 3, "fan_in", "uniform", in_axis=(0, 1))
        embedding = self.param("embedding", normal, (places, self.vocabulary, width), jnp.float32)
        kernel = self.param("kernel", of_all, (places, width, width), jnp.float32)
        rows = jnp.einsum("tvi,tio->tvo", embedding, kernel)
        x = sum(rows[place][tokens[place]] for place in range(places))
        neurons = nn.relu(x + self.param("bias", zeros, (width,), jnp.float32))
        neurons = nn.relu(nn.Dense(width, kernel_init=small)(neurons))
        self.sow("intermediates", "neurons", neurons)
        return nn.Dense(self.classes, kernel_init=small)(neurons)


class TokenTransformer(nn.Module):
    """Embedded tokens and a last one, "=", at which the `Transformer` gives the logits."""

    vocabulary: int
    classes: int
    width: int

    @nn.compact
    def __call__(self, tokens: Int[Array, " t"]) -> Float[Array, " c"]:
        """Return the logits."""
        small = nn.initializers.normal(self.width**-0.5)
        embed = nn.Embed(self.vocabulary + 1, self.width, embedding_init=small)
        x = embed(jnp.append(tokens, jnp.asarray(self.vocabulary, tokens.dtype)))
        return Transformer(self.classes, hidden=4 * self.width, queries=1)(x)[0]


class History(NamedTuple):
    """What was measured after each epoch, and the parameters of the first member; unknown after those to come."""

    measured: Float[np.ndarray, "epochs m 4"]
    params: PyTree


def main(config: Config) -> dict[str, Any]:
    """Train what is not trained yet; return when each member knew its examples and when it knew the rule."""
    options, folder = config.options, config.out
    recipe = Recipe(options.epochs, "adam", options.learning_rate, "constant", warmup=0, ema=0.0, clip=None)
    resumed = (folder / "run.json").exists()
    if resumed and (report := training.read_report(folder)) is not None:
        training.require_same(folder, "grokking", options, recipe)
        return report["errors"]
    with training.enter_run(folder, "grokking", options, recipe, resumed=resumed) as identity:
        if not resumed:
            training.write_run(folder, "grokking", options, recipe, identity)
        errors = learn(options, folder, identity)
        training.write_report(folder, errors, training.origin())
    return errors


def learn(options: Options, folder: pathlib.Path, identity: str) -> dict[str, Any]:
    """Train the ensemble, measure and draw it."""
    # 1. data
    table = TABLES[options.operation](options.size)
    members = [*itertools.product(options.fractions, options.decays, options.seeds)]
    is_train = np.stack([shuffled_part(len(table.labels), fraction, seed) for fraction, _, seed in members])
    tokens, labels = jnp.asarray(table.tokens), jnp.asarray(table.labels)

    # 2. model
    network = {"mlp": TokenMLP, "transformer": TokenTransformer}[options.network](*table[2:], options.width)
    logits_of = jax.vmap(network.apply, (None, 0))

    # 3. step
    def loss(params: PyTree, batch: dict[str, Array], key: Array) -> dict[str, tuple]:
        nll = cross_entropy(logits_of(params, tokens[batch["rows"]]), labels[batch["rows"]])
        return {"nll": ((batch["weights"] * nll).sum(), batch["weights"].sum())}

    rule = optax.inject_hyperparams(optax.adamw, static_args=("b1", "b2", "eps", "eps_root"))
    optimizer = rule(options.learning_rate, b1=0.9, b2=options.b2, weight_decay=0.0)
    step = training.ensemble(training.make_step(loss, optimizer, {"nll": 1.0}), own=True, at_once=options.at_once)
    epoch = training.parallelise(training.scanned(step, options.steps), devices=jax.devices()[:1])

    def begin(keys: Array, decays: Array) -> training.TrainState:
        one = lambda key: training.init_state(network.init(key, tokens[0]), optimizer, key=key)  # noqa: E731
        return training.init_ensemble(one, keys, {"weight_decay": decays})

    @jax.jit
    def measure(params: PyTree) -> Float[Array, "m 4"]:
        def measure_one(given: tuple[PyTree, Bool[Array, " n"]]) -> Float[Array, " 4"]:
            logits, part = logits_of(given[0], tokens), given[1].astype(jnp.float32)
            right = logits.argmax(axis=1).astype(labels.dtype) == labels
            each = jnp.stack([cross_entropy(logits, labels), right.astype(part.dtype)])
            return jnp.concatenate([each @ part / part.sum(), each @ (1 - part) / (1 - part).sum()])

        return jax.lax.map(measure_one, (params, jnp.asarray(is_train)))

    # 4. training
    keys, decays = zip(*((jax.random.key(seed), decay) for _, decay, seed in members), strict=True)
    states = training.run_once(begin, jnp.stack(keys), jnp.asarray(decays))
    with training.CheckpointStore(folder / "checkpoints", identity=identity) as store:
        history = train(options, epoch, measure, states, examples(is_train), store)

    # 5. report
    ended = zip(members, np.moveaxis(history.measured, 1, 0), strict=True)
    errors: dict[str, Any] = {"members": [describe(member, measured, options) for member, measured in ended]}
    if options.operation == "add":
        errors |= progress(network, table, history.params, is_train[0])
    draw(options, errors, history, folder)
    return errors


def examples(is_train: Bool[np.ndarray, "m n"]) -> dict[str, Any]:
    """Return the rows of the table that each member trains on, and weights, which are zero where others have more."""
    counts = is_train.sum(axis=1)
    rows = np.argsort(~is_train, axis=1, kind="stable")[:, : counts.max()]
    weights = np.arange(counts.max()) < counts[:, None]
    return {"rows": rows[None].astype(np.int32), "weights": weights[None].astype(np.float32)}


def train(options: Options, epoch: Any, measure: Callable, states: PyTree, batch: PyTree, store: Any) -> History:
    """Go through the epochs that are left, with a checkpoint after every few."""
    states, count = epoch.replicate(states), options.epochs
    first = jax.tree.map(lambda leaf: np.zeros((count, *leaf.shape[1:]), np.float32), states.params)
    history = History(np.full((count, len(states.step), 4), np.nan), first)
    if saved := store.restore({"states": states, "history": history}):
        states, history = epoch.replicate(saved.items["states"]), saved.items["history"]
    for i in range(saved.step if saved else 0, count):
        states, _ = epoch(states, batch)
        history.measured[i] = measure(states.params)
        for kept, leaf in zip(*map(jax.tree.leaves, (history.params, states.params)), strict=True):
            kept[i] = leaf[0]
        know, understand = (history.measured[i, :, [1, 3]] >= LEARNT).sum(axis=1)
        training.say(f"step {(i + 1) * options.steps}: {know} know their examples, {understand} the rule")
        if i % EVERY == EVERY - 1 or i == count - 1:
            store.save(i + 1, {"states": states, "history": history}, {})
    return history


def describe(member: tuple, measured: Float[np.ndarray, "epochs 4"], options: Options) -> dict[str, Any]:
    """Return how a member ended, and after how many steps it first had so much accuracy."""
    levels = {"train_99": (1, 0.99), "test_50": (3, 0.5), "test_99": (3, 0.99)}
    reached = {name: np.flatnonzero(measured[:, column] >= level) for name, (column, level) in levels.items()}
    steps = {name: int(options.steps * (1 + epochs[0])) if len(epochs) else None for name, epochs in reached.items()}
    named = zip(("fraction", "decay", "seed", *MEASURED), (*member, *measured[-1].tolist()), strict=True)
    return dict(named) | steps


def progress(network: nn.Module, table: Operation, params: PyTree, is_train: Bool[np.ndarray, " n"]) -> dict[str, Any]:
    """Return the key frequencies of the last parameters, and how all use them.

    The restricted loss is that of test examples if nothing else is kept of the logits, the excluded one that of
    training examples if the key frequencies are taken away.
    """
    p, tokens, labels = table.classes, jnp.asarray(table.tokens), jnp.asarray(table.labels)
    run = jax.vmap(lambda params, x: network.apply(params, x, mutable="intermediates"), (None, 0))
    (neurons,) = jax.tree.leaves(run(jax.tree.map(lambda leaf: leaf[-1], params), tokens)[1])
    shares = np.array(frequency_shares(neurons.reshape(p, p, -1)))
    neurons_of = np.bincount(shares.argmax(axis=0), shares.max(axis=0) > 0, minlength=len(shares))
    key = neurons_of >= KEY * neurons_of.sum()

    def losses(params: PyTree) -> Float[Array, " 2"]:
        logits = run(params, tokens)[0].reshape(p, p, p)
        parts = ((restricted(logits, key), ~is_train), (excluded(logits, key), is_train))
        return jnp.stack([cross_entropy(rest.reshape(p * p, p), labels)[part].mean() for rest, part in parts])

    curves = np.array(jax.jit(lambda params: jax.lax.map(losses, params))(params))
    left, away = curves.T.tolist()
    return {"key": np.flatnonzero(key).tolist(), "neurons": neurons_of.tolist(), "restricted": left, "excluded": away}


def draw(options: Options, errors: dict[str, Any], history: History, folder: pathlib.Path) -> None:
    """Draw accuracies of all members and losses of the first; and of several fractions or decays a phase diagram."""
    steps, first = options.steps * (1 + np.arange(options.epochs)), history.measured[:, 0]
    figure = Figure((12, 3.6), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    for i, measured in enumerate(np.moveaxis(history.measured, 1, 0)):
        left.semilogx(steps, measured[:, 1], "--", color=f"C{i % 10}")
        left.semilogx(steps, measured[:, 3], color=f"C{i % 10}")
    left.set(xlabel="step", ylabel="accuracy", title="training (dashed) and test, all members")
    curves = {"training": first[:, 0], "test": first[:, 2]}
    curves |= {name: errors[name] for name in ("restricted", "excluded") if name in errors}
    for name, values in curves.items():
        middle.loglog(steps, values, label=name)
    middle.set(xlabel="step", ylabel="cross-entropy, nats", title="the first member")
    middle.legend()
    right.bar(np.arange(len(errors.get("neurons", []))), errors.get("neurons", []))
    right.set(xlabel="frequency", ylabel="neurons", title="the strongest frequency of neurons")
    training.write_picture(folder / "transition.png", figure)
    if len(options.fractions) * len(options.decays) > 1:
        training.write_picture(folder / "phases.png", phases(options, errors["members"]))


def phases(options: Options, members: list[dict[str, Any]]) -> Figure:
    """Draw the median of steps to the rule over seeds, by fraction and decay."""
    shape = (len(options.fractions), len(options.decays), len(options.seeds))
    steps = np.array([member["test_99"] or np.inf for member in members]).reshape(shape)
    found, median = np.isfinite(steps).sum(axis=2), np.median(steps, axis=2)
    figure = Figure((5, 4), layout="constrained")
    axes = figure.subplots()
    axes.imshow(np.log(np.where(np.isfinite(median), median, np.nan)), origin="lower", aspect="auto", alpha=0.5)
    for (i, j), value in np.ndenumerate(median):
        text = f"{value:.0f}" if np.isfinite(value) else f"> {options.epochs * options.steps}"
        axes.text(j, i, f"{text}\n{found[i, j]} of {shape[2]}", ha="center", va="center")
    axes.set_xticks(range(shape[1]), map(str, options.decays))
    axes.set_yticks(range(shape[0]), map(str, options.fractions))
    axes.set(xlabel="weight decay", ylabel="fraction trained on", title="steps to 99 % test accuracy, median")
    return figure


if __name__ == "__main__":
    main(training.command_line(PRESETS, __doc__))
