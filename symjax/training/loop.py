"""The loop around a step: epochs, evaluation, early stopping, checkpoints, and an end that is never a surprise."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import PyTree
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress as Bar, TextColumn, TimeRemainingColumn

from symjax.training.checkpoints import (
    CheckpointStore,
    Progress,
    TrainState,
    inference_params,
    last_sound_step,
    longest_streak,
    require_finite,
    restore_params,
    save_state,
)
from symjax.training.interrupt import interruptions
from symjax.training.metrics import MetricsLog, add_sums, means
from symjax.training.parallel import Parallel
from symjax.training.recipe import Pace, require_batches, require_pace
from symjax.training.step import REPORTED


class FitResult(NamedTuple):
    """What a run leaves behind.

    Attributes:
        state: the last state, on the devices.
        progress: its place in the run.
        best_params: the inference parameters at the lowest validation loss, else the last ones; on the host.
        history: one record an epoch, as in the metrics file.
        stopped_by: "epochs", "patience" or "signal".
        passed_over: a sentence for each damaged checkpoint met on the way to the best parameters, which are then not
            the best.
        signal: the number of the signal that stopped it, else 0.
        compilations: how many shapes each compiled function met; 1 in a healthy run.
    """

    state: TrainState
    progress: Progress
    best_params: PyTree
    history: list[dict]
    stopped_by: str
    passed_over: tuple[str, ...] = ()
    compilations: Mapping[str, int] = {}
    signal: int = 0

    @property
    def exit_code(self) -> int:
        """What a process should end with: what a shell makes of the signal, so that no script goes on, else 0."""
        return 128 + self.signal if self.signal else 0


class Keep(NamedTuple):
    """Where a run keeps what it must not lose.

    Attributes:
        store: where checkpoints go.
        log: where the records go; what it holds beyond the start is cut off.
        on_epoch: called with each record.
    """

    store: CheckpointStore | None = None
    log: MetricsLog | None = None
    on_epoch: Callable[[dict], None] | None = None


def fit(
    state: TrainState,
    step: Parallel,
    batches: Callable[[int], Sequence],
    *,
    pace: Pace,
    load: Callable[[Any], PyTree] | None = None,
    evaluate: Callable[[PyTree], Mapping[str, float]] | None = None,
    keep: Keep | None = None,
    start: Progress | None = None,
) -> FitResult:
    """Train until the epochs are over, patience is lost, or a signal comes.

    A run that is killed at any instant and continued from `resume(store, state)` ends with the same bits.

    Args:
        state: the first state, from `init_state` or `resume`.
        step: a parallelised `make_step`.
        batches: the plan: epoch -> the sequence of its batches, a pure function.
        pace: how long, and how often.
        load: turns an item of the plan into a batch just before it is used; without it the items are batches.
        evaluate: inference parameters -> numbers, of which "loss" decides what is best: lower is better.
        keep: where checkpoints and records go.
        start: the place of `state` in the run; the beginning, by default.

    Raises:
        ValueError: if the pace is none, a plan is empty, or nothing was counted in an epoch.
        FloatingPointError: if the first parameters, or `pace.max_streak` steps in a row, were not finite.
        OSError: if a checkpoint or a record cannot be written.
    """
    keep, start = keep or Keep(), start or Progress()
    require_pace(pace)
    if start == Progress() and keep.store is not None and keep.store.steps():
        raise ValueError(
            f"{keep.store.directory} already holds a run: resume(store, state) it, or choose another folder"
        )
    history = [] if keep.log is None else keep.log.rewind(start.epoch)
    require_finite("the first parameters", state)
    run = _Run(step.replicate(state), start, history, step, pace, keep, longest_streak(state))

    with interruptions() as interrupted, _bar(pace.epochs) as show:
        while (reason := _finished(run.place, pace)) is None:
            began, plan = time.perf_counter(), require_batches(batches(run.place.epoch), run.place.epoch)
            for item in plan[run.place.index :]:
                run.advance(item if load is None else load(item))
                show(run.place, len(plan))
                if number := interrupted(run.place.step):
                    run.save()
                    return run.result("signal")._replace(signal=int(number))
                if run.is_time_to_save() and run.place.index < len(plan):
                    run.save()
            due = (run.place.epoch + 1) % pace.evaluate_every == 0 or run.place.epoch + 1 == pace.epochs
            record = run.close_epoch(evaluate if due else None, began)
            if due or run.is_time_to_save():
                run.save()
            if keep.on_epoch is not None:
                keep.on_epoch(record)
    return run.result(reason)


@dataclasses.dataclass
class _Run:
    """The moving parts of one call of `fit`."""

    state: TrainState
    place: Progress
    history: list[dict]
    step: Parallel
    pace: Pace
    keep: Keep
    streak: int
    best_params: PyTree = None
    pending: list = dataclasses.field(default_factory=list)

    def advance(self, batch: PyTree) -> None:
        self.state, metrics = self.step(self.state, batch)
        self.pending.append(metrics)
        self.place = self.place._replace(step=self.place.step + 1, index=self.place.index + 1)
        if len(self.pending) >= self.pace.report_every:
            self.drain()

    def is_time_to_save(self) -> bool:
        return bool(self.pace.save_every) and self.place.step % self.pace.save_every == 0

    def drain(self) -> None:
        """Fetch the metrics that wait on the devices; raise if too many steps in a row were not finite."""
        fetched, self.pending = jax.device_get(self.pending), []
        self.place = self.place._replace(sums=add_sums(self.place.sums, fetched))
        for behind, metrics in zip(range(len(fetched) - 1, -1, -1), fetched, strict=True):
            self.streak = self.streak + 1 if metrics["skipped"][0] else 0
            if self.streak >= self.pace.max_streak:
                raise FloatingPointError(self._diverged(behind))

    def _diverged(self, behind: int) -> str:
        last = self.place.step - behind
        return (
            f"the loss, its gradient or the step they make was not finite in {self.streak} steps in a row (steps "
            f"{last - self.streak + 1} to {last}, up to batch {self.place.index - behind} of epoch "
            f"{self.place.epoch + 1}); "
            f"{self._last_checkpoint(last)}. Lower the learning rate, or look at these batches"
        )

    def close_epoch(self, evaluate: Callable[[PyTree], Mapping[str, float]] | None, began: float) -> dict:
        """Measure, record and log the epoch just finished; return its record."""
        self.drain()
        _require_counted(self.place)
        trained = {f"train_{name}": value for name, value in means(self.place.sums).items()}
        self.place = self.place._replace(epoch=self.place.epoch + 1, index=0, sums={})
        record = {"epoch": self.place.epoch, "step": self.place.step} | trained
        if evaluate is not None:
            measured = evaluate(inference_params(self.state))
            record |= {f"valid_{name}": float(value) for name, value in measured.items()}
            self.weigh(measured)
        record["seconds"] = round(time.perf_counter() - began, 3)
        self.history.append(record)
        if self.keep.log is not None:
            self.keep.log.append(record)
        return record

    def weigh(self, measured: Mapping[str, float]) -> None:
        """Remember a new best, or count one more evaluation without."""
        if "loss" not in measured:
            raise ValueError(f"the evaluation has no 'loss' to tell the best by, only {sorted(measured)}")
        value = float(measured["loss"])
        if math.isfinite(value) and (self.place.best is None or value < self.place.best):
            self.place = self.place._replace(best=value, best_step=self.place.step, stale=0, flat=0)
            self.best_params = _on_host(inference_params(self.state))
            return
        self.place = self.place._replace(stale=self.place.stale + 1, flat=self.place.flat + 1)
        if self.pace.plateau is not None:
            scale = np.asarray(self.state.lr_scale)  # the same of all members of a committee
            lower, flat = self.pace.plateau.next_scale(float(scale.flat[0]), self.place.flat)
            self.place = self.place._replace(flat=flat)
            self.state = self.state._replace(lr_scale=self.step.replicate(np.full_like(scale, lower)))

    def save(self) -> None:
        self.drain()
        if self.keep.store is not None:
            save_state(self.keep.store, self.state, self.place)

    def result(self, reason: str) -> FitResult:
        if self.keep.store is not None:
            self.keep.store.wait()
        best, passed_over = self.best_params, ()
        if best is None and self.keep.store is not None and self.place.best_step is not None:
            best, _, passed_over = restore_params(self.keep.store, target=inference_params(self.state))
        if best is None:
            best = _on_host(inference_params(self.state))
        compilations = {"train": self.step.compilations}
        return FitResult(self.state, self.place, best, self.history, reason, passed_over, compilations)

    def _last_checkpoint(self, last: int) -> str:
        if self.keep.store is None:
            return "no checkpoints were asked for"
        self.keep.store.wait()
        sound = last_sound_step(self.keep.store, last, self.streak)
        if sound is None:
            return f"no checkpoint in {self.keep.store.directory} is of a step before them"
        return f"the last good checkpoint is step {sound} in {self.keep.store.directory}"


def _require_counted(place: Progress) -> None:
    """Refuse an epoch whose steps were taken and counted nothing."""
    named = {name: count for name, (_, count) in place.sums.items() if name not in REPORTED}
    skipped, steps = place.sums.get("skipped", (0.0, 0.0))
    if named and not any(named.values()) and skipped < steps:
        raise ValueError(
            f"the loss counted nothing in epoch {place.epoch + 1}: all counts of {', '.join(map(repr, named))} are 0"
        )


def _on_host(tree: PyTree) -> PyTree:
    return jax.tree.map(np.array, tree)


def _finished(place: Progress, pace: Pace) -> str | None:
    if pace.patience is not None and place.stale >= pace.patience:
        return "patience"
    return "epochs" if place.epoch >= pace.epochs else None


@contextmanager
def _bar(epochs: int) -> Iterator[Callable[[Progress, int], None]]:
    """Yield the function that moves the progress bar; there is none where nobody would see it."""
    console = Console(stderr=True)
    if jax.process_index() != 0 or not console.is_terminal:
        yield lambda place, length: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=console) as bar:
        task = bar.add_task("training")

        def show(place: Progress, length: int) -> None:
            best = "" if place.best is None else f", best {place.best:.4g}"
            done = place.epoch * length + place.index
            bar.update(
                task, completed=done, total=epochs * length, description=f"epoch {place.epoch + 1}/{epochs}{best}"
            )

        yield show
