"""`symjax train`: data, model, step, training, report."""

import dataclasses
import logging
import math
import pathlib
import sys
import time
from collections.abc import Callable
from typing import Any

import jax
import jraph
import numpy as np
import optax
import optax.contrib

from symjax import training
from symjax.cli.config import Train, require_sound
from symjax.cli.dataset import digest_data, load_data, make_references, split_data
from symjax.cli.report import (
    describe_divergence,
    measure_errors,
    plot_learning_curve,
    plot_parity,
    print_errors,
    write_report,
)
from symjax.cli.run import Blueprint, load_potential, read_blueprint, read_config, require_free, write_run
from symjax.data import Statistics, Structures, make_batch, make_samples, sample_sizes, statistics
from symjax.graphs import epoch_plan, mean_budget
from symjax.potentials.loss import potential_loss
from symjax.potentials.potential import scaled_energy
from symjax.potentials.references import References


def run(config: Train) -> int:
    """Train a potential and report on it; returns the exit code."""
    logging.getLogger("absl").setLevel(logging.CRITICAL)  # Orbax tells of failed writes by itself; so does symjax
    began, resumed = time.perf_counter(), config.resume is not None
    if config.data is not None:
        config = dataclasses.replace(config, data=config.data.absolute())
    folder = _folder(config)
    require_sound(config)
    weights = _weights(config)
    if config.distributed:
        _join()

    # 1. data
    splits = split_data(load_data(config), config)
    references = read_blueprint(folder).references if resumed else make_references(splits.train, config.references)
    samples = {
        part: make_samples(references.remove(structures), cutoff=config.net.cutoff, species=splits.train.species)
        for part, structures in (("train", splits.train), ("valid", splits.valid))
    }

    # 2. model
    facts = statistics(splits.train, sample_sizes(samples["train"])[1])
    blueprint = _blueprint(config, facts, references, digest_data(splits))
    model = blueprint.build()
    if resumed:
        _require_same_data(folder, blueprint)
    elif jax.process_index() == 0:
        densest = int(np.argmax(sample_sizes(samples["train"])[1]))  # without edges, laws hold trivially
        write_run(folder, config, blueprint, splits.train.atoms[densest])

    # 3. step
    loss = potential_loss(scaled_energy(model, references.scale), stress=config.labels.stress_key is not None)
    evaluation = training.parallelise(training.make_evaluation(loss), how=config.parallel, donate=False)
    batches = Batches(samples, config, evaluation)
    optimizer = _optimizer(config, len(batches.plan(0)) * config.epochs)
    step = training.parallelise(training.make_step(loss, optimizer, weights, ema_decay=config.ema), how=config.parallel)
    key = jax.random.key(config.seed)

    def begin(key: jax.Array, graph: jraph.GraphsTuple) -> training.TrainState:
        return training.init_state(model.init(key, graph), optimizer, key=key, ema=True)

    state = training.run_once(begin, key, batches.example())

    # 4. train
    sizes = ", ".join(f"{len(part)} {name}" for name, part in splits._asdict().items())
    say(f"{folder}: structures {sizes}; {batches.budget}, {batches.waste():.1%} of the edges are padding")
    with training.CheckpointStore(folder / "checkpoints", identity=blueprint.identity) as store:
        start = None
        if resumed:
            state, start, passed_over = training.resume(store, state)
            say(*passed_over, f"going on after epoch {start.epoch}, step {start.step}")
        result = training.fit(
            state,
            step,
            batches.plan,
            epochs=config.epochs,
            load=batches.load,
            evaluate=lambda params: batches.measure(params, weights),
            evaluate_every=config.evaluate_every,
            patience=config.patience,
            plateau=training.Plateau() if config.schedule == "plateau" else None,
            store=store,
            log=training.MetricsLog(folder / "metrics.jsonl"),
            start=start,
            on_epoch=_tell,
        )
    if result.stopped_by == "signal":
        say(f"stopped by a signal after step {result.progress.step}; go on with: symjax train --resume {folder}")
        return 0
    if result.progress.best is None:
        raise FloatingPointError(
            f"no evaluation was finite in {result.progress.epoch} epochs, so there is nothing to report; start anew "
            "with a lower --learning-rate or --clip"
        )

    # 5. report
    seconds = round(time.perf_counter() - began, 1)
    compilations = {"train": step.compilations, "evaluation": evaluation.compilations}
    report(folder, splits.test, result.history, {"seconds": seconds, "compilations": compilations})
    return 0


class Batches:
    """The samples of a run as plans and padded batches of one static shape."""

    def __init__(self, samples: dict[str, list], config: Train, evaluation: training.Parallel):
        self.samples, self.seed, self.evaluation = samples, config.seed, evaluation
        self.sizes = {part: sample_sizes(samples[part]) for part in samples}
        nodes, edges = (np.concatenate(parts) for parts in zip(*self.sizes.values(), strict=True))
        self.budget = mean_budget(nodes, edges, config.batch_size)

    def plan(self, epoch: int) -> list:
        """Return the shuffled steps of an epoch of training."""
        shards = self.evaluation.devices
        return epoch_plan(*self.sizes["train"], self.budget, shards=shards, seed=self.seed, epoch=epoch)

    def load(self, item: Any, part: str = "train") -> Any:
        """Return the batch of one step of a plan, the shards of this process only."""
        return make_batch(self.samples[part], self.evaluation.local(item), self.budget, dtype=np.float32)

    def example(self) -> Any:
        """Return a graph of the shape that a device sees."""
        batch = make_batch(self.samples["train"], [[0]], self.budget, dtype=np.float32)
        return jax.tree.map(lambda leaf: leaf[0], batch.graph)

    def waste(self) -> float:
        """Return the share of the edges of an epoch that are padding."""
        shards = sum(map(len, self.plan(0)))
        return 1 - float(np.sum(self.sizes["train"][1])) / (shards * self.budget.edges)

    def measure(self, params: Any, weights: dict[str, Callable]) -> dict[str, float]:
        """Return the validation errors, and as "loss" their sum with the weights at the end of the schedules."""
        plan = epoch_plan(*self.sizes["valid"], self.budget, shards=self.evaluation.devices, shuffle=False)
        batches = (self.load(item, "valid") for item in plan)
        found = training.means(training.evaluate_batches(self.evaluation, params, batches))
        late = np.int32(np.iinfo(np.int32).max)
        return found | {"loss": sum(float(weight(late)) * found[name] for name, weight in weights.items())}


def report(folder: pathlib.Path, test: Structures, history: list[dict], facts: dict[str, Any]) -> None:
    """Measure the best parameters on the test set, and print and draw what came of the run."""
    found = load_potential(folder).predict(test, stress=test.stress is not None)  # Orbax wants every process
    if jax.process_index() != 0:
        return
    errors = measure_errors(test, found)
    write_report(folder, errors, facts)
    plot_parity(folder, test, found)
    plot_learning_curve(folder, history)
    print_errors(errors, f"{len(test)} test structures")
    if divergence := describe_divergence(found):
        say(f"symjax: {divergence}")
    say(f"{facts['seconds']:.0f} s; report.json, learning_curve.png and parity.png are in {folder}")


def say(*lines: str) -> None:
    """Print on process 0."""
    if jax.process_index() == 0 and lines:
        print(*lines, sep="\n", file=sys.stderr)


def _tell(record: dict) -> None:
    if "valid_loss" in record:
        parts = [f"epoch {record['epoch']}"]
        for name, unit in (("forces_mae", "meV/Å"), ("energy_mae", "meV")):
            if f"valid_{name}" in record:
                parts.append(f"{name.removesuffix('_mae')} MAE {1000 * record[f'valid_{name}']:.1f} {unit}")
        say(", ".join(parts))


def _weights(config: Train) -> dict[str, Callable]:
    texts = {"energy": config.energy_weight}
    if config.labels.forces_key is not None:
        texts["forces"] = config.forces_weight
    if config.labels.stress_key is not None:
        texts["stress"] = config.stress_weight
    schedules = {name: _weight(text, f"--{name}-weight") for name, text in texts.items()}
    if not any(any(values.values()) for values in schedules.values()):
        flags = " and ".join(f"--{name}-weight" for name in texts)
        raise ValueError(f"nothing can be learnt with {flags} of 0; give a positive weight")
    return {name: training.piecewise_linear(values) for name, values in schedules.items()}


def _weight(text: str, flag: str) -> dict[int, float]:
    try:
        points = [entry.split(":") for entry in text.split(",")]
        values = {0: float(text)} if ":" not in text else {int(step): float(value) for step, value in points}
        if not all(0 <= value < math.inf for value in values.values()):
            raise ValueError("a weight is negative or not finite")
    except ValueError:
        raise ValueError(
            f"{flag} is a number of at least 0, or a schedule such as 0:1,5000:10 (step:weight), not {text!r}"
        ) from None
    return values


def _optimizer(config: Train, steps: int) -> optax.GradientTransformation:
    warmup = min(config.warmup, steps - 1)
    if config.schedule == "cosine":
        rate = training.warmup_cosine(config.learning_rate, steps=steps, warmup=warmup)
    else:
        rate = training.piecewise_linear(
            {0: 0.0, warmup: config.learning_rate} if warmup else {0: config.learning_rate}
        )
    rule = _muon(rate) if config.optimizer == "muon" else optax.amsgrad(rate)
    return optax.chain(optax.clip_by_global_norm(config.clip), rule)


def _muon(rate: Callable) -> optax.GradientTransformation:
    """Return Muon on all matrices, with its usual five Newton-Schulz steps."""
    steps = ((3.4445, -4.7750, 2.0315),) * 5  # one by one: a loop, of two thirds the compilation
    return optax.contrib.muon(rate, ns_coeffs=steps, muon_weight_dimension_numbers=_matrices)


def _matrices(params: Any) -> Any:
    """Tell Muon that the last two axes of a parameter are a matrix, and the ones before them count matrices."""
    axes = optax.contrib.MuonDimensionNumbers
    return jax.tree.map(lambda leaf: axes(leaf.ndim - 2, leaf.ndim - 1) if leaf.ndim > 1 else None, params)


def _join() -> None:
    try:
        training.initialise_distributed()
    except (ValueError, RuntimeError) as error:
        raise ValueError(f"--distributed found no other processes to join: {error}") from error


def _folder(config: Train) -> pathlib.Path:
    """Return the run directory; when resuming, after making sure that nothing else is asked of it.

    Raises:
        ValueError: an option differs from those of the run to resume, the folder of a new one is not free, or a pod
            was given none to agree on.
    """
    if config.resume is not None:
        asked, had = _options(config), _options(read_config(config.resume))
        for name in sorted(asked.keys() - {"resume"}):
            if asked[name] != had[name]:
                raise ValueError(
                    f"{config.resume} was started with {name} = {had[name]}, not {asked[name]}; leave the option out, "
                    "or start a new run"
                )
        return config.resume
    if config.out is None and config.distributed:
        raise ValueError("--distributed needs --out, a folder that all processes see")
    folder = config.out or _free_folder(config)
    require_free(folder)  # every process asks, before any has written
    return folder


def _options(config: Train) -> dict[str, Any]:
    plain = dataclasses.asdict(config)
    return {**plain.pop("net"), **plain.pop("labels"), **plain}


def _free_folder(config: Train) -> pathlib.Path:
    name = f"{'ethanol' if config.data is None else config.data.stem}-{config.model}"
    names = [name, *(f"{name}-{i}" for i in range(2, 10_000))]
    return next(path for path in (pathlib.Path("runs") / name for name in names) if not path.exists())


def _blueprint(config: Train, facts: Statistics, references: References, digest: str) -> Blueprint:
    if facts.mean_neighbours == 0:
        raise ValueError(f"no two atoms of the training data are within {config.net.cutoff} Å; raise --cutoff")
    sizes = {"species": len(facts.species), "average_neighbours": facts.mean_neighbours}
    options = dataclasses.asdict(config.net) | sizes
    known = facts._asdict() | {"species": list(facts.species)}  # as JSON gives it back
    known |= {"devices": jax.device_count(), "digest": digest}
    return Blueprint(config.model, options, facts.species, references, known)


def _require_same_data(folder: pathlib.Path, blueprint: Blueprint) -> None:
    """Compare data and devices, which decide the plan, with those of the run; JSON keeps them to the last bit."""
    had, has = read_blueprint(folder).statistics, blueprint.statistics
    if had.get("devices") != has["devices"]:
        raise ValueError(
            f"{folder} was started on {had.get('devices')} devices, not {has['devices']}, which change the batches; "
            "resume on as many, or start anew"
        )
    if had != has:
        raise ValueError(f"the data are not those that {folder} was started with; restore them, or start anew")
