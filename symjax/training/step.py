"""One optimisation step whose gradient does not depend on how the samples were dealt out to shards and devices."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, PyTree

from symjax.training.checkpoints import TrainState
from symjax.training.metrics import scalars
from symjax.training.objective import Arrays, Objective, Weight, as_objective, evaluate_objective

REPORTED = {"loss", "grad_norm", "skipped"}  # by the step itself
Sums: TypeAlias = Mapping[str, tuple]
Loss: TypeAlias = Callable[..., Sums]


def make_step(
    loss: Loss,
    optimizer: optax.GradientTransformation,
    objective: Objective | Mapping[str, Weight],
    *,
    ema_decay: float | None = None,
) -> Callable:
    """Return the pure step `(state, batch, axis_name=None) -> (state, metrics)`.

    The objective is a function F of the means m = sum / count, where sums and counts run over every shard of every
    device: sum_name weight_name m_name, or any other `Objective`. Sums and counts are added over the devices, F is
    differentiated there, (dF/dm) / count is pulled back through the local sums, and the gradients are added: empty and
    unequal shards are exact, and so is a variance of means. The optimiser (and whatever it clips) sees that reduced
    gradient.

    A step whose objective, gradient or outcome is not finite changes neither parameters, average, optimiser state nor
    carry; it is counted in `state.skipped` and `state.streak`, and adds nothing to the metrics. A finite gradient whose
    norm overflows is handed on shorter, so that what clips it finds its direction; its norm is the largest number there
    is.

    Args:
        loss: `loss(params, shard, key) -> {name: (sum, count)}`; a sum is an array, and its count a number or an array
            that broadcasts to it. Counts do not depend on the parameters. Names that the objective does not read are
            reported and not optimised.
        optimizer: any optax transformation; its updates are multiplied by `state.lr_scale`.
        objective: an `Objective`, or a number or a schedule (a function of `state.step`) for each optimised name.
        ema_decay: d of the moving average p' <- d_t p' + (1 - d_t) p, warm-started from the first parameters with
            d_t = min(d, (1 + t) / (10 + t)), hence without a bias to correct.

    Returns:
        The step. Every leaf of its batch has a leading axis of shards (see `parallelise`). Its metrics are again sums
        and counts, on device, of single numbers: every number that the loss returned, entry i of a vector as "name_i"
        (larger arrays are left out), and "loss", "grad_norm" and "skipped", one count a step.

    Raises:
        ValueError: if nothing has a weight, or one or the decay is out of its range; and while tracing, if a name of
            the objective is missing from the loss, or the state lacks an average or a carry.
        TypeError: while tracing, if the loss or the objective returns something else.
    """
    objective = as_objective(objective)
    if ema_decay is not None and not 0 <= ema_decay < 1:
        raise ValueError(f"ema_decay is at least 0 and below 1, or None for no average; got {ema_decay}")

    def step(state: TrainState, batch: PyTree, axis_name: str | None = None) -> tuple[TrainState, dict]:
        _require_own(state, objective, averaged=ema_decay is not None)
        key = jax.random.fold_in(state.key, state.step)

        def sums_of(params: PyTree) -> tuple[dict[str, Array], dict[str, Array]]:
            sums, counts = _local_sums(loss, batch, key, axis_name, params)
            return {n: s if n in objective.names else jax.lax.stop_gradient(s) for n, s in sums.items()}, counts

        own, pull_back, counts = jax.vjp(sums_of, _varying(state.params, axis_name), has_aux=True)
        sums, counts = _over_devices((own, counts), axis_name)
        value, rule, slope = _differentiate(objective, sums, counts, state)
        (gradient,) = pull_back(jax.grad(lambda own: sum((slope[n] * own[n]).sum() for n in slope))(own))
        gradient, norm = _of_finite_norm(_over_devices(gradient, axis_name))

        proposal = (*_descend(optimizer, ema_decay, state, gradient), rule)
        counted = functools.reduce(jnp.logical_and, [(count >= 0).all() for count in counts.values()])
        good = counted & jnp.isfinite(value) & jnp.isfinite(norm) & _stays_finite(proposal, _current(state))
        metrics = scalars({name: (sums[name], counts[name]) for name in sums})
        metrics |= {"loss": (value, jnp.ones_like(value)), "grad_norm": (norm, jnp.ones_like(norm))}
        known = good | ~counted  # what counts wrongly is told by its counts
        metrics = jax.tree.map(lambda x: jnp.where(known, x, jnp.zeros_like(x)), metrics)
        bad = jnp.logical_not(good).astype(state.skipped.dtype)
        metrics["skipped"] = (bad, jnp.ones_like(bad))
        return _accept(state, proposal, good, bad), metrics

    return step


def make_evaluation(loss: Loss) -> Callable:
    """Return the pure `(params, batch, axis_name=None) -> {name: (sum, count)}` over every shard of every device.

    The key handed to the loss is fixed: two evaluations of the same parameters agree.
    """

    def evaluation(params: PyTree, batch: PyTree, axis_name: str | None = None) -> dict:
        sums, counts = _local_sums(loss, batch, jax.random.key(0), axis_name, params)
        return _over_devices({name: (sums[name], counts[name]) for name in sums}, axis_name)

    return evaluation


def _local_sums(
    loss: Loss, batch: PyTree, key: Array, axis_name: str | None, params: PyTree
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return sums and counts over this device's shards; shard i of the whole batch sees the key folded with i."""
    shards = jax.tree.leaves(batch)[0].shape[0]
    first = 0 if axis_name is None else jax.lax.axis_index(axis_name) * shards
    keys = jax.vmap(jax.random.fold_in, (None, 0))(key, first + jnp.arange(shards, dtype=jnp.int32))

    def pairs_of(*arguments: Any) -> dict[str, tuple]:
        return _pairs(loss(*arguments))

    if shards == 1:
        pairs = pairs_of(params, jax.tree.map(lambda x: x.squeeze(0), batch), keys.squeeze(0))
    else:
        pairs = jax.tree.map(lambda x: x.sum(0), jax.vmap(pairs_of, (None, 0, 0))(params, batch, keys))
    sums = {name: jnp.asarray(total) for name, (total, _) in pairs.items()}
    return sums, {name: jnp.asarray(count).astype(sums[name].dtype) for name, (_, count) in pairs.items()}


def _pairs(returned: Any) -> dict[str, tuple]:
    """Return what a loss returned.

    Raises:
        TypeError: it is not {name: (sum, count)}, or a count has another shape than its sum.
    """
    if not isinstance(returned, Mapping) or not returned:
        raise TypeError(f"a loss returns {{name: (sum, count)}}, with a name at least; got {_shown(returned)}")
    for name, pair in returned.items():
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise TypeError(f"a loss returns {{name: (sum, count)}}; got {_shown(pair)} for {name!r}")
        total, count = jnp.shape(pair[0]), jnp.shape(pair[1])
        if len(count) > len(total) or any(c not in (1, t) for c, t in zip(count[::-1], total[::-1], strict=False)):
            raise TypeError(f"a count broadcasts to its sum; got the shapes {count} and {total} for {name!r}")
    return {name: tuple(pair) for name, pair in returned.items()}


def _shown(value: Any) -> str:
    return f"an array of shape {value.shape}" if isinstance(value, jax.Array) else f"{value!r:.60}"


def _require_own(state: TrainState, objective: Objective, *, averaged: bool) -> None:
    """Refuse a state that lacks what the step keeps in it, or has more."""
    if averaged != (state.ema is not None):
        raise ValueError(
            "a moving average needs make_step(..., ema_decay=...) and init_state(..., ema=True); one is missing"
        )
    if jax.tree.structure(state.rule) != jax.tree.structure(objective.init):
        raise ValueError(
            "what an objective carries begins in the state: init_state(..., rule=objective.init); "
            f"expected {objective.init!r:.60}, got {state.rule!r:.60}"
        )


def _differentiate(
    objective: Objective, sums: Arrays, counts: Arrays, state: TrainState
) -> tuple[Array, PyTree, Arrays]:
    """Return an objective, its next carry, and its derivative by each sum that it reads."""
    if reserved := sorted(counts.keys() & REPORTED):
        raise ValueError(f"the loss may not return {reserved}: the step reports its own; use another name")

    def value_of(read: Arrays) -> tuple[Array, PyTree]:
        return evaluate_objective(objective, {**sums, **read}, counts, state.rule, state.step)

    read = {name: total for name, total in sums.items() if name in objective.names}
    (value, rule), slope = jax.value_and_grad(value_of, has_aux=True)(read)
    return value, rule, slope


def _descend(
    optimizer: optax.GradientTransformation, ema_decay: float | None, state: TrainState, gradient: PyTree
) -> tuple[PyTree, PyTree, PyTree]:
    """Return the next parameters, optimiser state and moving average."""
    with jax.numpy_dtype_promotion("standard"):  # optax raises floats to integer counts
        updates, opt_state = optimizer.update(gradient, state.opt_state, state.params)
    updates = jax.tree.map(lambda u: u * state.lr_scale.astype(u.dtype), updates)
    params = optax.apply_updates(state.params, updates)
    if ema_decay is None:
        return params, opt_state, None
    t = state.step.astype(jnp.result_type(float))
    decay = jnp.minimum(jnp.asarray(ema_decay, t.dtype), (1 + t) / (10 + t))
    ema = jax.tree.map(lambda mean, p: mean + (1 - decay).astype(p.dtype) * (p - mean), state.ema, params)
    return params, opt_state, ema


def _of_finite_norm(gradient: PyTree) -> tuple[PyTree, Array]:
    """Return a gradient and its norm; a finite one is shortened where the sum of its squares overflows."""
    sizes = _by_shape([jnp.abs(leaf) for leaf in jax.tree.leaves(gradient) if leaf.size])
    dtype = jnp.result_type(*(same[0].dtype for same in sizes))
    squares = [functools.reduce(jnp.add, [size**2 for size in same]).sum().astype(dtype) for same in sizes]
    norm = jnp.sqrt(functools.reduce(jnp.add, squares))
    largest = functools.reduce(jnp.maximum, [functools.reduce(jnp.maximum, same).max().astype(dtype) for same in sizes])
    over, most = jnp.isinf(norm) & jnp.isfinite(largest), jnp.asarray(jnp.finfo(dtype).max, dtype)
    bound = jnp.sqrt(most / (2 * sum(size.size for same in sizes for size in same)))
    factor = jnp.where(over, bound / jnp.where(over, largest, 1), 1)
    return jax.tree.map(lambda leaf: leaf * factor.astype(leaf.dtype), gradient), jnp.where(over, most, norm)


def _stays_finite(proposal: PyTree, current: PyTree) -> Array:
    """Return whether no number ceases to be finite; an optimiser's state may have infinities from its beginning."""
    pairs = zip(jax.tree.leaves(proposal), jax.tree.leaves(current), strict=True)
    fine = [jnp.isfinite(new) | ~jnp.isfinite(old) for new, old in pairs if jnp.issubdtype(new.dtype, jnp.inexact)]
    verdicts = [functools.reduce(jnp.logical_and, same).all() for same in _by_shape(fine)]
    return functools.reduce(jnp.logical_and, verdicts, jnp.asarray(True))


def _by_shape(leaves: list[Array]) -> list[list[Array]]:
    """Return the leaves of each shape and type together, so that one kernel reduces them all."""
    groups: dict[Any, list[Array]] = {}
    for leaf in leaves:
        groups.setdefault((leaf.shape, leaf.dtype), []).append(leaf)
    return [*groups.values()]


def _current(state: TrainState) -> tuple[PyTree, ...]:
    return state.params, state.opt_state, state.ema, state.rule


def _accept(state: TrainState, proposal: tuple[PyTree, ...], good: Array, bad: Array) -> TrainState:
    """Take the proposal where it is good, else keep everything but the counters."""
    params, opt_state, ema, rule = jax.tree.map(lambda new, old: jnp.where(good, new, old), proposal, _current(state))
    return state._replace(
        params=params,
        opt_state=opt_state,
        ema=ema,
        rule=rule,
        step=state.step + 1,
        skipped=state.skipped + bad,
        streak=(state.streak + bad) * bad,
    )


def _varying(params: PyTree, axis_name: str | None) -> PyTree:
    """Mark replicated parameters as device-varying, so that autodiff inside `shard_map` leaves the sum to us."""
    return params if axis_name is None else jax.lax.pcast(params, axis_name, to="varying")


def _over_devices(tree: PyTree, axis_name: str | None) -> PyTree:
    return tree if axis_name is None else jax.lax.psum(tree, axis_name)
