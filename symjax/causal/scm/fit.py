"""Fitting mechanisms to data: least squares for linear ones, maximum likelihood for the others, and a test of both."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import cho_solve
from jaxtyping import Array, Float, Key

from symjax.causal.graphs import ADMG
from symjax.causal.scm.mechanisms import Linear
from symjax.causal.scm.model import SCM, abduct
from symjax.data import RowBatch, Rows
from symjax.training import Task


def fit_linear(graph: ADMG, data: Float[Array, "n d"], weights: Float[Array, " n"] | None = None) -> SCM:
    """Return the linear model of most likelihood: each variable regressed on its causes.

    Weights are traced, so that bootstraps are a vmap over them; all moments come from one product. Where causes are
    collinear, the coefficients are NaN.

    Args:
        graph: whose nodes are the columns, without hidden causes.
        data: a row for each unit.
        weights: of the units.
    """
    model = SCM.of(graph, None)
    w = jnp.ones(len(data), data.dtype) if weights is None else weights
    mean = w @ data / jnp.sum(w)
    centred = data - mean[None]
    moments = (centred * w[:, None]).T @ centred / jnp.sum(w)

    def regress(mask: Array, target: Array) -> tuple[Array, Array]:
        gram = jnp.where(mask[:, None] & mask[None], moments, jnp.eye(len(moments), dtype=data.dtype))
        b = cho_solve((jnp.linalg.cholesky(gram), True), jnp.where(mask, moments[:, target], 0))
        left = moments[target, target] - 2 * b @ moments[:, target] + b @ moments @ b
        return b, jnp.sqrt(jnp.maximum(left, 0))

    b, scale = jax.vmap(regress)(jnp.asarray(model.parents), jnp.arange(len(graph.nodes)))
    return SCM.of(graph, Linear(b, mean - b @ mean, scale))


def likelihood_task(model: SCM, data: Float[np.ndarray, "n d"], *, batch_size: int = 256, seed: int = 0) -> Task:
    """Return the task of maximum likelihood: train it by `symjax.training.train`; its parameters are the mechanisms.

    A tenth of the rows is held out. Standardise the columns first.
    """
    order = np.random.default_rng(seed).permutation(len(data))
    held = max(1, len(data) // 10)

    def loss(mechanisms: Any, batch: RowBatch, key: Array) -> dict[str, tuple[Array, Array]]:
        parents = jnp.asarray(model.parents)

        def minus_log(k: Array) -> Array:
            return -mechanisms.log_density(k, parents[k], batch.rows, batch.rows[:, k])

        return {"nll": batch.total(jnp.sum(jax.lax.map(minus_log, jnp.arange(len(model.names))), axis=0))}

    return Task(
        init=lambda key, batch: model.mechanisms,
        loss=loss,
        weights={"nll": 1.0},
        train=Rows(data[order[held:]], batch_size, seed),
        valid=Rows(data[order[:held]], batch_size),
        shown={"nll": (1.0, "nats")},
    )


class ResidualTest(NamedTuple):
    """Whether the noise that a model finds depends on the causes.

    Attributes:
        name: of the variable.
        statistic: the largest rank correlation of |noise| or noise with a cause or its distance from the median.
        p: by permutations of the noise, corrected for the number of variables (Holm).
        verdict: in a sentence.
    """

    name: str
    statistic: float
    p: float
    verdict: str


def check_residuals(
    model: SCM, data: Float[Array, "n d"], key: Key[Array, ""], *, permutations: int = 200
) -> tuple[ResidualTest, ...]:
    """Return for each variable with causes whether its noise depends on them, as it must not where the model is right.

    The noise and its absolute value are correlated, by ranks, with each cause and with its distance from the median:
    what is left of a mean, and scales that change, as of multiplicative noise under an additive model, are found.
    """
    noise = np.asarray(abduct(model, data))
    rng = np.random.default_rng(np.asarray(jax.random.key_data(key)).ravel())
    found: list[tuple[str, float, float]] = []
    for k, name in enumerate(model.names):
        causes = np.asarray(data)[:, model.parents[k]]
        if not causes.shape[1]:
            continue
        seen = _ranks(np.concatenate([causes, np.abs(causes - np.median(causes, axis=0))], axis=1))
        own = _ranks(np.stack([noise[:, k], np.abs(noise[:, k] - np.median(noise[:, k]))], axis=1))
        value = np.abs(seen.T @ own).max()
        chance = [np.abs(seen.T @ own[rng.permutation(len(own))]).max() for _ in range(permutations)]
        found.append((name, float(value), (1 + sum(c >= value for c in chance)) / (1 + permutations)))
    order, tests, least = sorted(found, key=lambda row: row[2]), {}, 0.0
    for place, (name, value, p) in enumerate(order):
        least = max(least, min(1.0, p * (len(order) - place)))
        wrong = least < 0.05
        told = "depends on its causes: another mechanism is needed" if wrong else "tells nothing of its causes"
        tests[name] = ResidualTest(name, value, least, f"The noise of {name} {told} (p = {least:.2g}).")
    return tuple(tests[name] for name, *_ in found)


def _ranks(x: np.ndarray) -> np.ndarray:
    ranks = x.argsort(axis=0).argsort(axis=0) - (len(x) - 1) / 2
    return ranks / np.linalg.norm(ranks, axis=0)
