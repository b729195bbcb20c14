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
from symjax.models.tarnet import factual, mmd, wasserstein
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
        model: units' covariates -> `Potential`.
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
            terms["distance"] = BALANCES[balance](found.representation, groups) * count, count
        return terms

    weights = {"mse": 1.0}
    if jax.eval_shape(lambda key: model.init_with_output(key, units.covariates[:1])[0], jax.random.key(0)).logits:
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
