"""All that a run is: what lives on the devices, what the host counts, and how both are saved and resumed."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int, PyTree

from symjax.training.checkpoints.checkpoint import CheckpointStore
from symjax.training.checkpoints.leaves import first_infinite


class TrainState(NamedTuple):
    """What a step reads and writes; replicated over the devices.

    Attributes:
        params: the parameters being optimised.
        opt_state: the optimiser's state.
        ema: the moving average of the parameters, or None.
        key: the run's random key; step t of shard s uses it folded with t and s, so it never changes.
        step: steps taken, skipped ones included.
        lr_scale: multiplies every update; the plateau rule lowers it between epochs.
        skipped: steps skipped because they were not finite.
        streak: how many of them were the last ones.
        rule: what the objective carries from step to step; () where that is nothing.
    """

    params: PyTree
    opt_state: PyTree
    ema: PyTree
    key: Array
    step: Int[Any, ""]
    lr_scale: Float[Any, ""]
    skipped: Int[Any, ""]
    streak: Int[Any, ""]
    rule: PyTree = ()


class Progress(NamedTuple):
    """What the host knows of a run between two steps; the same in every process.

    Attributes:
        epoch: epochs finished.
        index: batches of the current epoch already used.
        step: steps taken.
        best: the lowest monitored value so far, or None.
        best_step: the step it was measured at.
        stale: evaluations since then (early stopping).
        flat: evaluations since then or since the last cut of the learning rate (plateau).
        sums: sums and counts of the current epoch's metrics so far, float64.
    """

    epoch: int = 0
    index: int = 0
    step: int = 0
    best: float | None = None
    best_step: int | None = None
    stale: int = 0
    flat: int = 0
    sums: Mapping[str, tuple] = {}


class Resumed(NamedTuple):
    """A state and its place in the run, and one sentence for each damaged checkpoint that was passed over."""

    state: TrainState
    progress: Progress
    passed_over: tuple[str, ...]


class Trained(NamedTuple):
    """Inference parameters on the host, the step they are of, and a sentence for each damaged checkpoint."""

    params: PyTree
    step: int
    passed_over: tuple[str, ...]


def init_state(
    params: PyTree, optimizer: optax.GradientTransformation, *, key: Array, ema: bool = False, rule: PyTree = ()
) -> TrainState:
    """Return the state before the first step, of an objective whose carry begins as `rule`.

    With `ema`, the average starts at `params`.
    No two leaves share a buffer, because a step that donates the state may use each buffer only once.

    Raises:
        ValueError: there are no parameters.
    """
    if not jax.tree.leaves(params):
        raise ValueError(f"there are no parameters to learn in {params!r:.60}; look at what init returns")
    return TrainState(
        params=params,
        opt_state=optimizer.init(params),
        ema=jax.tree.map(jnp.copy, params) if ema else None,
        key=key,
        step=jnp.zeros((), jnp.int32),
        lr_scale=jnp.ones((), jnp.float32),
        skipped=jnp.zeros((), jnp.int32),
        streak=jnp.zeros((), jnp.int32),
        rule=jax.tree.map(jnp.array, rule),
    )


def inference_params(state: TrainState) -> PyTree:
    """Return the parameters to evaluate and to serve: the moving average where there is one."""
    return state.params if state.ema is None else state.ema


def longest_streak(state: TrainState) -> int:
    """Return how many of the last steps were skipped; of a committee, by the member that skipped most."""
    return int(np.max(state.streak))


def save_state(store: CheckpointStore, state: TrainState, progress: Progress) -> None:
    """Save parameters, average, carry and the rest as separate items, so that serving reads only what it needs.

    Raises:
        FloatingPointError: parameters or average are not finite, and nothing is saved.
        OSError: as `CheckpointStore.save`.
    """
    require_finite(f"step {progress.step}", state)
    meta = {"progress": progress._asdict(), "averaged": state.ema is not None}
    sound = last_sound_step(store, progress.step, longest_streak(state))
    store.save(progress.step, _items(state), meta, protect=(progress.best_step, sound))


def save_params(store: CheckpointStore, params: PyTree) -> None:
    """Save parameters that were learnt elsewhere, as step 0 of a run that has no other."""
    store.save(0, {"params": params}, {"progress": Progress()._asdict(), "averaged": False})


def require_finite(what: str, state: TrainState) -> None:
    """Refuse parameters, or an average of them, that are not finite.

    Raises:
        FloatingPointError: they are not; the sentence names the first.
    """
    if name := first_infinite({"params": state.params, "ema": state.ema}):
        raise FloatingPointError(f"{what} cannot be kept, for {name} is not finite; look at the initial values")


def last_sound_step(store: CheckpointStore, step: int, streak: int) -> int | None:
    """Return the newest saved step with no step skipped just before it, `step` itself where `streak` is 0.

    From within a streak a run can only go on into what ended it.

    Args:
        store: where the run saves.
        step: the step just finished.
        streak: how many of the last steps were skipped.
    """
    return max((saved for saved in {*store.steps(), step} if saved <= step - streak), default=None)


def resume(store: CheckpointStore, state: TrainState) -> Resumed:
    """Return the newest good checkpoint, or `state` at the beginning of a run if there is none.

    Args:
        store: where the run saves. Steps after the one restored are renamed, for the run will reach them again.
        state: a fresh state of the same model and optimiser.

    Raises:
        ValueError: if the checkpoints are of another model, or all are damaged.
    """
    saved = store.restore(_items(state))
    if saved is None:
        return Resumed(state, Progress(), ())
    store.set_aside_after(saved.step)
    items = {"ema": None, "rule": {"carry": state.rule}, **saved.items}
    restored = TrainState(items["params"], ema=items["ema"], rule=items["rule"]["carry"], **items["rest"])
    return Resumed(restored, _progress(saved.meta), saved.passed_over)


def restore_params(store: CheckpointStore, *, latest: bool = False, target: PyTree = None) -> Trained:
    """Return the best (or the latest) inference parameters of a run and nothing of its optimiser.

    Args:
        store: where the run saved; it is only read.
        latest: take the newest step instead of the best.
        target: a tree of the shapes to expect; without it nested dictionaries are returned as written.

    Raises:
        ValueError: if there is no good checkpoint, or it is of another model.
    """
    newest = store.restore({})
    if newest is None:
        raise ValueError(f"there is no checkpoint in {store.directory}")
    item = "ema" if newest.meta["averaged"] else "params"
    best = None if latest else _progress(newest.meta).best_step
    wanted = newest.step if best is None else best
    saved = store.restore({item: target}, prefer=wanted)
    if saved is None:
        raise ValueError(f"the checkpoints in {store.directory} went away while they were read; try again")
    store.require_own(newest.step, newest.identity)
    passed_over = tuple(dict.fromkeys(newest.passed_over + saved.passed_over))
    if wanted not in store.steps():
        passed_over += (f"checkpoint {wanted} in {store.directory}, the best, is not there",)
    if passed_over:
        instead = f"the best that step {newest.step} knew of" if saved.step == wanted else f"in place of step {wanted}"
        passed_over = (*passed_over[:-1], f"{passed_over[-1]}; step {saved.step} is served, {instead}")
    return Trained(saved.items[item], saved.step, passed_over)


def restore_run(folder: pathlib.Path, *, identity: str, target: PyTree) -> Trained:
    """Return the best inference parameters of a run directory.

    Args:
        folder: of the run; it is only read.
        identity: what its checkpoints carry.
        target: a tree of the shapes to expect.

    Raises:
        ValueError: there is no good checkpoint, or it is of another model.
    """
    place = folder / "checkpoints"
    if (place.is_dir() or not os.path.lexists(place)) and not any(place.glob("[0-9]*")):
        raise ValueError(f"{folder} has no checkpoints yet; let the training finish an epoch first")
    with CheckpointStore(place, identity=identity, read_only=True) as store:
        return restore_params(store, target=target)


def _items(state: TrainState) -> dict[str, PyTree]:
    """Return what is saved, by item; an average and a carry only where there are some."""
    rest = state._asdict()
    items = {"params": rest.pop("params"), "ema": rest.pop("ema"), "rule": {"carry": rest.pop("rule")}, "rest": rest}
    return {name: item for name, item in items.items() if jax.tree.leaves(item)}


def _progress(meta: Mapping[str, Any]) -> Progress:
    progress = Progress(**meta["progress"])
    return progress._replace(sums={name: tuple(pair) for name, pair in progress.sums.items()})
