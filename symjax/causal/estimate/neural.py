"""Effects that differ between units by networks, as tasks of the training engine: TARNet and its kin, and neural DML.

Columns and outcomes are standardised first; what is learnt is on their scale.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PyTree

from symjax.data import RowBatch, Rows
from symjax.models import Dragonnet, factual, mmd, wasserstein
from symjax.training import Task

BALANCES: Mapping[str, Callable[..., Array]] = MappingProxyType({"mmd": mmd, "wasserstein": wasserstein})


class Units(NamedTuple):
    """Rows of a table: covariates, arms and outcomes."""

    covariates: Float[Array | np.ndarray, "n p"]
    arm: Int[Array | np.ndarray, " n"]
    outcome: Float[Array | np.ndarray, " n"]


def potential_task(
    model: nn.Module,
    units: Units,
    *,
    balance: Literal["mmd", "wasserstein"] | None = None,
    balance_weight: float = 1.0,
    batch_size: int = 100,
    seed: int = 0,
    members: int | None = None,
) -> Task:
    """Return the task of a TARNet, a CFR where the arms' representations are balanced, or a Dragonnet.

    It minimises the mean of (y - m_a(x))^2, and beside it what the model and the options give:

        balance_weight distance(representations of either arm)                   balance
        cross-entropy of the treatment + (y - tilted m_a(x))^2                   Dragonnet

    A distance is that within a batch, averaged over batches.

    Args:
        model: a `TARNet` or a `Dragonnet`.
        units: standardised, on the host.
        balance: the distance; None: none.
        balance_weight: its weight.
        batch_size: units of a step.
        seed: of the order of the units.
        members: how many networks learn side by side; their mean is better than any.
    """

    def loss(params: PyTree, batch: RowBatch, key: Array) -> dict[str, tuple[Array, Array]]:
        x, arm, y = batch.rows
        found: Any = model.apply(params, x)
        terms = {"mse": batch.total((factual(found.outcomes, arm) - y) ** 2)}
        if found.logits is not None:
            terms["propensity"] = batch.total(jax.nn.softplus(jnp.where(arm == 1, -found.logits, found.logits)))
            terms["targeted"] = batch.total((factual(found.tilted, arm) - y) ** 2)
        if balance is not None:
            groups = (arm[None] == jnp.arange(2)[:, None]) & batch.mask[None]
            count = jnp.sum(batch.mask)
            terms["distance"] = BALANCES[balance](found.representation, groups) * count.astype(y.dtype), count
        return terms

    weights = {"mse": 1.0}
    if isinstance(model, Dragonnet):
        weights |= {"propensity": 1.0, "targeted": 1.0}
    if balance is not None:
        weights["distance"] = balance_weight
    return Task(
        init=lambda key, batch: model.init(key, batch.rows.covariates),
        loss=loss,
        weights=weights,
        train=Rows(units, batch_size, seed),
        members=members,
    )


def potential_outcomes(
    model: nn.Module, params: PyTree, covariates: Float[Array | np.ndarray, "n p"], *, members: bool = False
) -> Float[Array, "n 2"]:
    """Return the outcomes expected under either arm, tilted ones of a Dragonnet, in the mean over members."""

    def one(params: PyTree) -> Array:
        found: Any = model.apply(params, jnp.asarray(covariates))
        return found.outcomes if found.tilted is None else found.tilted

    return jnp.mean(jax.vmap(one)(params), axis=0) if members else one(params)


def nuisance_task(
    model: nn.Module,
    units: Units,
    folds: Int[np.ndarray, " n"],
    *,
    batch_size: int = 100,
    seed: int = 0,
    members: int | None = None,
) -> Task:
    """Return the task of E[Y | X] and E[T | X], by one network for each fold that learns from the units of the others.

    Args:
        model: units' covariates -> two numbers each.
        units: standardised, on the host.
        folds: of the units, 0, 1, ...
        batch_size: units of a step.
        seed: of the order of the units.
        members: how many such sets of networks learn side by side.
    """
    numbers = np.arange(np.max(folds) + 1)

    def init(key: Array, batch: RowBatch) -> PyTree:
        x = batch.rows[0].covariates
        return jax.vmap(lambda key: model.init(key, x))(jax.random.split(key, len(numbers)))

    def loss(params: PyTree, batch: RowBatch, key: Array) -> dict[str, tuple[Array, Array]]:
        (x, t, y), fold = batch.rows
        predicted: Any = jax.vmap(lambda p: model.apply(p, x))(params)
        others = (numbers[:, None] != fold[None]) & batch.mask[None]
        errors = jnp.sum((predicted - jnp.stack([y, t.astype(y.dtype)], axis=1)[None]) ** 2, axis=2)
        return {"mse": (jnp.sum(jnp.where(others, errors, 0)), jnp.sum(others))}

    return Task(init, loss, {"mse": 1.0}, Rows((units, folds), batch_size, seed), members=members)


def neural_residuals(
    model: nn.Module, params: PyTree, units: Units, folds: Int[np.ndarray, " n"], *, members: bool = False
) -> tuple[Float[Array, " n"], Float[Array, " n"]]:
    """Return Y - E[Y | X] and T - E[T | X] of a `nuisance_task`, each by the network that did not see the unit."""

    def predict(params: PyTree) -> Array:
        found: Any = jax.vmap(lambda p: model.apply(p, jnp.asarray(units.covariates)))(params)
        return jnp.take_along_axis(found, jnp.asarray(folds)[None, :, None], axis=0)[0]

    predicted = jnp.mean(jax.vmap(predict)(params), axis=0) if members else predict(params)
    return jnp.asarray(units.outcome) - predicted[:, 0], jnp.asarray(units.arm, predicted.dtype) - predicted[:, 1]


def orthogonal_task(
    model: nn.Module,
    covariates: Float[np.ndarray, "n p"],
    outcome: Float[np.ndarray, " n"],
    treatment: Float[np.ndarray, " n"],
    *,
    batch_size: int = 100,
    seed: int = 0,
    members: int | None = None,
) -> Task:
    """Return the task of neural DML: the tau(x) of the smallest mean of (Y~ - T~ tau(x))^2 over cross-fitted residuals.

    Errors of the nuisances move it in the second order only (Nie and Wager 2021; Chernozhukov et al. 2018).

    Args:
        model: units' covariates -> one number each.
        covariates: standardised, on the host.
        outcome: residuals Y~, as of `neural_residuals`.
        treatment: residuals T~, of arms or of doses.
        batch_size: units of a step.
        seed: of the order of the units.
        members: how many networks learn side by side; their mean is better than any.
    """

    def loss(params: PyTree, batch: RowBatch, key: Array) -> dict[str, tuple[Array, Array]]:
        x, y, t = batch.rows
        found: Any = model.apply(params, x)
        return {"orthogonal": batch.total((y - t * found[:, 0]) ** 2)}

    return Task(
        init=lambda key, batch: model.init(key, batch.rows[0]),
        loss=loss,
        weights={"orthogonal": 1.0},
        train=Rows((covariates, outcome, treatment), batch_size, seed),
        members=members,
    )
