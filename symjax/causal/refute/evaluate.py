"""An estimator called again and again on changed data, in chunks of bounded memory.

An estimator is a function `estimate(outcome, treatment, covariates, weights, key)` that returns a number or something
with one as its `value`; with an instrument it takes `instrument=` too. It fits all it needs itself, so that nothing of
one simulation is used in another. It is compiled once for all refuters that are given the same function. One with a
method `prepare(sample)` that returns a function of a `Change` is asked that way instead; `regression` is.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key, Shaped

CELLS, HOST_CELLS = 2**20, 2**17  # numbers in the arrays of one chunk, few enough to stay in a cache
Values = Array | np.ndarray


class Sample(NamedTuple):
    """What was measured on n units.

    Attributes:
        outcome: one number a unit.
        treatment: 0 and 1, arms, or numbers.
        covariates: what is adjusted for.
        weights: of units; None: all the same.
        instrument: one, or several columns, or None.
        clusters: the number of each unit's cluster, for resampling; None: units are independent.
    """

    outcome: Float[Values, " n"]
    treatment: Shaped[Values, " n"]
    covariates: Float[Values, "n p"]
    weights: Float[Values, " n"] | None = None
    instrument: Shaped[Values, "n ..."] | None = None
    clusters: Int[Values, " n"] | None = None


class Change(NamedTuple):
    """What is different in each of s simulations; None is as it was.

    Attributes:
        outcome: in place of the outcome.
        treatment: in place of the treatment.
        extra: one more covariate.
        weights: times the weights.
        instrument: in place of the instrument.
    """

    outcome: Float[np.ndarray, "s n"] | None = None
    treatment: Shaped[np.ndarray, "s n"] | None = None
    extra: Float[np.ndarray, "s n"] | None = None
    weights: Float[np.ndarray, "s n"] | None = None
    instrument: Shaped[np.ndarray, "s n ..."] | None = None


def estimate_once(estimate: Callable[..., Any], sample: Sample, key: Key[Array, ""], draws: int) -> float:
    """Return the estimate from the data as they are, by the program that so many changed samples take."""
    many, _, size = _program(estimate, sample, key, draws)
    return float(_numbers(many(Change(weights=np.ones((size, len(sample.outcome))))))[0])


def evaluate(
    estimate: Callable[..., Any], sample: Sample, key: Key[Array, ""], change: Callable[[int], Change], draws: int
) -> Float[np.ndarray, " s"]:
    """Return the estimates from so many changed samples; `change(size)` makes the next ones.

    Raises:
        ValueError: for arrays of different lengths, or an estimate that is not one number.
    """
    many, chunks, size = _program(estimate, sample, key, draws)
    return np.concatenate([_numbers(many(change(size))) for _ in range(chunks)])[:draws]


def _program(
    estimate: Callable[..., Any], sample: Sample, key: Key[Array, ""], draws: int
) -> tuple[Callable[[Change], Any], int, int]:
    """Return what takes a chunk of changes, how many chunks there are, and how many changes are in each."""
    n, p = sample.covariates.shape
    for name, values in sample._asdict().items():
        if values is not None and len(values) != n:
            raise ValueError(f"expected {n} rows in all of the sample, got {len(values)} of {name}")
    prepare = getattr(estimate, "prepare", None)
    chunks = -(-draws // max(1, (HOST_CELLS if prepare else CELLS // (p + 8)) // n))
    size = -(-draws // chunks)
    if prepare:
        return prepare(sample), chunks, size
    return functools.partial(_many, estimate, jax.random.split(key, size), sample), chunks, size


def _numbers(found: Values) -> Float[np.ndarray, " s"]:
    if found.ndim != 1:
        raise ValueError(f"expected an estimate of one number, got shape {list(found.shape[1:])}: refute one by one")
    return np.asarray(found, float)


def _many(estimate: Callable[..., Any], keys: Key[Array, " s"], sample: Sample, change: Change) -> Array:
    """Return s estimates; what may change has an axis of simulations, so that one program serves all refuters."""
    base = sample._replace(weights=np.ones(len(sample.outcome)) if sample.weights is None else sample.weights)

    def spread(name: str) -> Array | None:
        old, new = getattr(base, name), getattr(change, name)
        if name == "weights" and new is not None:
            return jnp.asarray(new * np.asarray(old))
        return (
            old if old is None else jnp.asarray(np.broadcast_to(old, (len(keys), *old.shape)) if new is None else new)
        )

    moved = [spread(name) for name in ("outcome", "treatment", "weights", "instrument")]
    extra = None if change.extra is None else jnp.asarray(change.extra)
    return _vmapped(estimate, jnp.asarray(sample.covariates), extra, *moved, keys)


@functools.partial(jax.jit, static_argnums=0)
def _vmapped(estimate, covariates, extra, outcome, treatment, weights, instrument, keys):
    def one(extra, outcome, treatment, weights, instrument, key):
        given = covariates if extra is None else jnp.concatenate([covariates, extra[:, None]], axis=1)
        named = {} if instrument is None else {"instrument": instrument}
        found = estimate(outcome, treatment, given, weights, key, **named)
        return jnp.asarray(getattr(found, "value", found))

    return jax.vmap(one)(extra, outcome, treatment, weights, instrument, keys)
