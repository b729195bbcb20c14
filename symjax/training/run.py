"""A task, what is learnt, and a recipe, how, become a run directory: the one way from data to trained parameters."""

from __future__ import annotations

import math
import pathlib
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key, PyTree

from symjax.math import double_precision
from symjax.training.checkpoints import CheckpointStore, Progress, TrainState, inference_params, init_state, resume
from symjax.training.ensemble import Step, add_members, ensemble, init_ensemble
from symjax.training.files import name_of, seal, written_alone
from symjax.training.loop import FitResult, Keep, fit
from symjax.training.metrics import MetricsLog, evaluate_batches, means, scalars
from symjax.training.objective import Objective, Weight, as_objective, evaluate_objective
from symjax.training.parallel import Parallel, parallelise, run_once
from symjax.training.recipe import Pace, Recipe, make_optimizer, require_batches, require_sound
from symjax.training.step import Loss, make_evaluation, make_step

AT_ONCE = 1  # members of a committee computed together, the others follow
SPOKEN = {"mae": "MAE", "mse": "MSE", "rmse": "RMSE"}


@runtime_checkable
class Batches(Protocol):
    """Data as padded batches of one static shape; it knows no devices, it is asked for so many shards."""

    def plan(self, epoch: int, *, shards: int) -> Sequence[Sequence]:
        """Return the steps of an epoch, each of so many shards: a pure function, the same on every host."""
        ...

    def load(self, shards: Sequence) -> PyTree:
        """Return the batch of some shards of a step; every leaf is [shards, ...]."""
        ...


class Task(NamedTuple):
    """What is learnt.

    Attributes:
        init: a key and one shard -> parameters.
        loss: parameters, one shard and a key -> {name: (sum, count)}.
        weights: of the names that are optimised, numbers or functions of the step; or any other `Objective`.
        train: what is learnt from.
        valid: what decides which parameters are the best; None where the last ones are.
        measure: what is measured on `valid` in place of the loss, where training draws or drops something; it has the
            same weighted names.
        shown: how the progress and the learning curve show a name: the factor and the unit.
        learnt: whether `init` returns what was learnt before, which is then measured before the first step.
        frozen: parameters -> which of them stay as they are, a tree of booleans; None where none do.
        members: of a committee, which learn side by side, each from a key of its own, folded from that of the run; what
            is reported are means over them. Parameters have a leading axis of members. None: one set of parameters.
    """

    init: Callable[[Key[Array, ""], PyTree], PyTree]
    loss: Loss
    weights: Objective | Mapping[str, Weight]
    train: Batches
    valid: Batches | None = None
    measure: Loss | None = None
    shown: Mapping[str, tuple[float, str]] = {}
    learnt: bool = False
    frozen: Callable[[PyTree], PyTree] | None = None
    members: int | None = None


def train(
    task: Task, recipe: Recipe, folder: pathlib.Path, *, identity: str | None = None, resumed: bool = False
) -> FitResult:
    """Train, evaluate, and keep checkpoints and one record an epoch in a folder.

    Args:
        task: what is learnt.
        recipe: how.
        folder: where `checkpoints/` and `metrics.jsonl` go.
        identity: what checkpoints and records are of, where `enter_run` holds the folder. None: it is held here, and
            they are of a new random name, or of the one to go on with.
        resumed: go on with the newest good checkpoint; the result has the bits of an undisturbed run.

    Raises:
        ValueError: the recipe cannot be, or not without `valid`, or the folder holds a run that is not to be resumed,
            or is being written by another process.
        FloatingPointError: too many steps in a row, or every evaluation, were not finite.
        OSError: a checkpoint or a record cannot be written.
    """
    require_sound(recipe)
    if identity is not None:
        return _train(task, recipe, folder, identity, resumed=resumed)
    with written_alone(folder) as name:
        return _train(task, recipe, folder, seal(name, {}), resumed=resumed, adopt=resumed)


def _train(
    task: Task, recipe: Recipe, folder: pathlib.Path, identity: str, *, resumed: bool, adopt: bool = False
) -> FitResult:
    if task.valid is None and (recipe.patience or recipe.plateau):
        raise ValueError("--patience and --schedule plateau ask for a validation, which this task has not")
    evaluation = _evaluation(task, recipe)
    shards = evaluation.devices
    first = require_batches(task.train.plan(0, shards=shards), 0)
    if task.valid is not None and not len(task.valid.plan(0, shards=shards)):
        raise ValueError("the validation has no batches; give it data, or leave it out with valid=None")
    optimizer = make_optimizer(recipe, steps=len(first) * recipe.epochs, frozen=task.frozen)
    objective = as_objective(task.weights)
    body = make_step(task.loss, optimizer, objective, ema_decay=recipe.ema or None)
    step = parallelise(body if task.members is None else _of_committee(body), how=recipe.parallel)

    def begin_one(key: Key[Array, ""], shard: PyTree) -> TrainState:
        return init_state(task.init(key, shard), optimizer, key=key, ema=recipe.ema > 0, rule=objective.init)

    def begin(key: Key[Array, ""], shard: PyTree) -> TrainState:
        if task.members is None:
            return begin_one(key, shard)
        return init_ensemble(lambda own: begin_one(own, shard), member_keys(key, task.members))

    folder.mkdir(parents=True, exist_ok=True)
    shard = jax.tree.map(lambda leaf: leaf[0], task.train.load(first[0][:1]))
    state, start = run_once(begin, jax.random.key(recipe.seed), shard), None
    with CheckpointStore(folder / "checkpoints", identity=None if adopt else identity) as store:
        if resumed:
            state, start, passed_over = resume(store, state)
            say(*passed_over, f"going on after epoch {start.epoch}, step {start.step}")
        store.identity = identity if store.identity is None else store.identity
        if task.learnt and task.valid is not None and start in (None, Progress()):
            before = _measure(evaluation, task, task.valid, step.replicate(inference_params(state)))
            say(*_progress({"epoch": 0, **{f"valid_{name}": value for name, value in before.items()}}, task.shown))
        log = MetricsLog(folder / "metrics.jsonl", name_of(store.identity))
        result = fit(
            state,
            step,
            lambda epoch: task.train.plan(epoch, shards=shards),
            pace=Pace(recipe.epochs, recipe.evaluate_every, recipe.patience, recipe.plateau),
            load=lambda item: task.train.load(step.local(item)),
            evaluate=None if task.valid is None else partial(_measure, evaluation, task, task.valid),
            keep=Keep(store, log, partial(_on_epoch, task)),
            start=start,
        )
    say(*result.passed_over)
    if task.valid is not None and result.stopped_by != "signal" and result.progress.best is None:
        raise FloatingPointError(
            f"no evaluation was finite in {result.progress.epoch} epochs, so there is nothing to report; start anew "
            "with a lower --learning-rate or --clip"
        )
    compilations = {**result.compilations, "evaluation": evaluation.compilations}
    return result._replace(compilations=compilations)


def measure(task: Task, recipe: Recipe, params: PyTree, batches: Batches) -> dict[str, float]:
    """Return the means of all that the task measures, and as "loss" the objective of them.

    Schedules are at their end, and what an objective carries is at its beginning, so that the same parameters have the
    same loss whenever they are measured.
    """
    return _measure(_evaluation(task, recipe), task, batches, params)


def member_keys(key: Key[Array, ""], members: int) -> Key[Array, " m"]:
    """Return the keys of the members of a committee: the run's, folded with their numbers."""
    return jax.vmap(jax.random.fold_in, (None, 0))(key, jnp.arange(members))


def _of_committee(step: Step) -> Step:
    """Return the step of all members, on the same batches, with metrics over all of them."""
    every = ensemble(step, at_once=AT_ONCE)

    def step_all(states: PyTree, batch: PyTree, axis_name: str | None = None) -> tuple[PyTree, PyTree]:
        states, metrics = every(states, batch, axis_name)
        return states, add_members(metrics)

    return step_all


def _evaluation(task: Task, recipe: Recipe) -> Parallel:
    one = make_evaluation(task.measure or task.loss)
    every = ensemble(one, at_once=AT_ONCE)

    def of_all(params: PyTree, batch: PyTree, axis_name: str | None = None) -> PyTree:
        return add_members(every(params, batch, axis_name))

    return parallelise(one if task.members is None else of_all, how=recipe.parallel, donate=False)


def _measure(evaluation: Parallel, task: Task, batches: Batches, params: PyTree) -> dict[str, float]:
    plan = require_batches(batches.plan(0, shards=evaluation.devices), 0)
    loaded = (batches.load(evaluation.local(item)) for item in plan)
    totals, objective = evaluate_batches(evaluation, params, loaded), as_objective(task.weights)
    sums, counts = ({name: pair[i] for name, pair in totals.items()} for i in (0, 1))
    if uncounted := sorted(name for name in objective.names if not np.any(counts.get(name, True))):
        raise ValueError(f"the validation counts nothing of {uncounted}, which have weights; give it such data")
    late = np.iinfo(np.int32).max
    with double_precision():
        sums, counts, carry = jax.tree.map(jnp.asarray, (sums, counts, objective.init))
        value, _ = evaluate_objective(objective, sums, counts, carry, jnp.asarray(late, jnp.int32))
    return means(scalars(totals)) | {"loss": float(value)}


def _on_epoch(task: Task, record: Mapping[str, Any]) -> None:
    """Say how it goes; refuse to go on without what is to be learnt."""
    names = as_objective(task.weights).names
    uncounted = sorted(name for name in names if math.isnan(record.get(f"train_{name}", 0.0)))
    if uncounted and record["train_skipped"] < 1:
        raise ValueError(f"the data count nothing of {uncounted} in epoch {record['epoch']}, which have weights")
    say(*_progress(record, task.shown))


def say(*lines: str) -> None:
    """Print to stderr on process 0."""
    if jax.process_index() == 0 and lines:
        print(*lines, sep="\n", file=sys.stderr)


def spoken(name: str) -> str:
    """Return a name as it is printed: "forces MAE" for "forces_mae"."""
    return " ".join(SPOKEN.get(word, word) for word in name.split("_"))


def _progress(record: Mapping[str, Any], shown: Mapping[str, tuple[float, str]]) -> list[str]:
    """Return the line of an evaluation, and none for an epoch without."""
    if "valid_loss" not in record:
        return []
    parts = [
        f"{spoken(name)} {factor * record[f'valid_{name}']:.4g} {unit}".rstrip()
        for name, (factor, unit) in shown.items()
        if f"valid_{name}" in record
    ]
    return [", ".join([f"epoch {record['epoch']}", *(parts or [f"loss {record['valid_loss']:.4g}"])])]
