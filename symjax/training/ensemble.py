"""Many states in one compiled step, over seeds and hyperparameters, and many steps in one call."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key, PyTree

from symjax.training.checkpoints import TrainState

HELD, SCHEDULED = "hyperparams", "hyperparams_states"  # where optax.inject_hyperparams keeps numbers and schedules
Step: TypeAlias = Callable[..., PyTree]


def init_ensemble(
    begin: Callable[[Key[Array, ""]], TrainState], keys: Key[Array, "*m"], hyperparameters: Mapping[str, Any] = {}
) -> TrainState:
    """Return the states `begin(key)` of all keys, stacked: every leaf has a leading axis of members.

    Args:
        begin: as `init_state` with its parameters made from the key; traced once.
        keys: one for each member, whose randomness it is.
        hyperparameters: numbers [m] by name, one for each member: "lr_scale", or what `optax.inject_hyperparams` keeps
            in the optimiser's state, such as "learning_rate" and "weight_decay".

    Raises:
        ValueError: there is no key, no hyperparameter of a name, or not one number for each key.
    """
    if keys.ndim != 1 or not len(keys):
        raise ValueError(f"an ensemble has keys of shape [members], one at least; got shape {list(keys.shape)}")
    values = {name: jnp.asarray(numbers) for name, numbers in hyperparameters.items()}
    for name, numbers in values.items():
        if numbers.shape != keys.shape:
            raise ValueError(f"expected {len(keys)} numbers of {name!r}, one a member; got shape {list(numbers.shape)}")

    def begin_with(key: Key[Array, ""], values: Mapping[str, Array]) -> TrainState:
        return _set(begin(key), values)

    return jax.vmap(begin_with)(keys, values)


def ensemble(step: Step, *, own: PyTree = False, at_once: int | None = None) -> Step:
    """Return the step of stacked states, `(states, batch, axis_name=None) -> (states, metrics)`.

    Members do not see one another: each has its own key, counters and skipped steps, and metrics are [m]. It goes into
    `scanned` and `parallelise` as any step does, and its states into a checkpoint as any tree does.

    Args:
        step: of one state, as `make_step` returns it, or what is measured of one, as `make_evaluation` does.
        own: whether each member has its own batch, in leaves [shards, m, ...], instead of one for all; or a tree that
            says so for the leaves of a batch.
        at_once: how many members are computed together, by default all; the others follow in a loop on the device. One
            is best where a single member keeps the device busy or fills its cache.
    """

    def step_all(states: PyTree, batch: PyTree, axis_name: str | None = None) -> PyTree:
        leaves, structure = jax.tree.flatten(batch)
        is_own = jax.tree.leaves(jax.tree.broadcast(own, batch))
        mine = [jnp.moveaxis(leaf, 1, 0) for leaf, each in zip(leaves, is_own, strict=True) if each]

        def step_one(given: tuple[PyTree, list[Array]]) -> PyTree:
            state, rest = given[0], iter(given[1])
            seen = [next(rest) if each else leaf for leaf, each in zip(leaves, is_own, strict=True)]
            return step(state, jax.tree.unflatten(structure, seen), axis_name)

        if at_once is None:
            return jax.vmap(step_one)((states, mine))
        return jax.lax.map(step_one, (states, mine), batch_size=None if at_once == 1 else at_once)

    return step_all


def add_members(sums: PyTree) -> PyTree:
    """Return the sums and counts of all members as one, so that their means are those over the members."""
    return jax.tree.map(lambda each: each.sum(axis=0), sums)


def member(states: PyTree, i: int) -> PyTree:
    """Return the state of member i."""
    return jax.tree.map(lambda leaf: leaf[i], states)


def scanned(step: Step, length: int | None = None) -> Step:
    """Return so many steps as one, `(state, batch, axis_name=None) -> (state, metrics)`, looped on the device.

    The metrics, which are sums and counts, are added over the steps. This pays where a step is shorter than its call.

    Args:
        step: of one state or of an ensemble.
        length: how many steps, all on the same batch; without it, one for each batch in leaves [shards, steps, ...].
    """

    def step_often(state: PyTree, batch: PyTree, axis_name: str | None = None) -> tuple[PyTree, PyTree]:
        def body(state: PyTree, own: PyTree) -> tuple[PyTree, PyTree]:
            return step(state, batch if length else own, axis_name)

        stacked = None if length else jax.tree.map(lambda leaf: jnp.moveaxis(leaf, 1, 0), batch)
        state, metrics = jax.lax.scan(body, state, stacked, length)
        return state, jax.tree.map(lambda each: each.sum(axis=0), metrics)

    return step_often


def _set(state: TrainState, values: Mapping[str, Array]) -> TrainState:
    """Give hyperparameters of a state their values, wherever the optimiser keeps them."""
    own = {"lr_scale", *_names(state.opt_state, HELD)} - _names(state.opt_state, SCHEDULED)
    if missing := sorted(values.keys() - own):
        raise ValueError(
            f"there is no number {missing[0]!r} to set, only {sorted(own)}; make the optimiser with "
            "optax.inject_hyperparams, and what members differ in no schedule"
        )

    def put(path: tuple, leaf: Array) -> Array:
        *_, parent, name = ("", *_words(path))
        return values[name].astype(leaf.dtype) if parent == HELD and name in values else leaf

    opt_state = jax.tree_util.tree_map_with_path(put, state.opt_state)
    scale = values.get("lr_scale", state.lr_scale).astype(state.lr_scale.dtype)
    return state._replace(opt_state=opt_state, lr_scale=scale)


def _names(opt_state: PyTree, parent: str) -> set[str]:
    """Return the names just below a parent."""
    paths = [_words(path) for path, _ in jax.tree_util.tree_flatten_with_path(opt_state)[0]]
    return {name for words in paths for above, name in itertools.pairwise(words) if above == parent}


def _words(path: tuple) -> list[str]:
    return jax.tree_util.keystr(path, simple=True, separator="/").split("/")
