"""The forecasters beside each other: what repeats, what is linear, and the network."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from symjax.data import Windows
from symjax.forecasts.blueprint import Blueprint
from symjax.forecasts.ridge import fit_ridge, sum_products
from symjax.models import View, decomposed, from_last, linear_forecast, standardised

CHUNK = 256  # windows at a time
WIDEST = 4000  # numbers that the ridge regression on all channels takes from a window
NETWORK = "temporal"


def _last(plan: Blueprint, params: Any, past: Float[Array, "l c"], ahead: Float[Array, "h k"]) -> Float[Array, "h m"]:
    """Every step is as the last instant."""
    return jnp.tile(past[-1:, : plan.targets], (plan.horizon, 1))


def _seasonal(
    plan: Blueprint, params: Any, past: Float[Array, "l c"], ahead: Float[Array, "h k"]
) -> Float[Array, "h m"]:
    """Every step is as a season before it, or the last season that there was."""
    assert plan.season is not None
    return past[len(past) - plan.season + np.arange(plan.horizon) % plan.season, : plan.targets]


def _linear(
    see: Callable, plan: Blueprint, params: Any, past: Float[Array, "l c"], ahead: Float[Array, "h k"]
) -> Float[Array, "h m"]:
    y = linear_forecast(params["kernel"], params["bias"], see(plan, past, ahead))
    return y.reshape(plan.horizon, plan.targets)


def _of_targets(view: Callable, plan: Blueprint, past: Float[Array, "l c"], ahead: Float[Array, "h k"]) -> View:
    """Return a view of the target channels, which one map forecasts each from itself."""
    return view(past[:, : plan.targets])


def _of_all(plan: Blueprint, past: Float[Array, "l c"], ahead: Float[Array, "h k"]) -> View:
    """Return all there is in one column, of which one map forecasts all targets."""
    everything = jnp.concatenate([past.ravel(), ahead.ravel()])
    return View(everything[:, None], jnp.zeros_like(past[0, :1]), jnp.ones_like(past[0, :1]))


VIEWS = {
    "dlinear": partial(_of_targets, decomposed),
    "nlinear": partial(_of_targets, from_last),
    "rlinear": partial(_of_targets, standardised),
    "ridge": _of_all,
}
METHODS: dict[str, Callable[..., Float[Array, "h m"]]] = {
    "last": _last,
    "seasonal": _seasonal,
    **{name: partial(_linear, see) for name, see in VIEWS.items()},
    NETWORK: Blueprint.apply,
}
TITLES = {
    "last": "last value",
    "seasonal": "seasonal naive",
    "dlinear": "DLinear",
    "nlinear": "NLinear",
    "rlinear": "RLinear",
    "ridge": "ridge regression",
    NETWORK: "temporal network",
}


def methods_of(plan: Blueprint) -> list[str]:
    """Return the methods there are: without a season nothing repeats it, and ridge takes no window that is too wide."""
    numbers = plan.lookback * len(plan.columns) + plan.horizon * plan.known
    absent = {"seasonal": plan.season is None, "ridge": numbers > WIDEST}
    return [name for name in METHODS if not absent.get(name)]


def forecast(
    name: str, plan: Blueprint, params: Any, past: Float[np.ndarray, "n l c"], ahead: Float[np.ndarray, "n h k"]
) -> Float[np.ndarray, "n h m"]:
    """Return the scaled forecasts of many scaled windows by one method."""
    return np.concatenate([*_mapped(partial(METHODS[name], plan), params, past, ahead)])


def fit_linear(plan: Blueprint, train: Windows, valid: Windows) -> dict[str, dict[str, Float[np.ndarray, "..."]]]:
    """Return kernel and bias of every linear method: least squares on the training windows, the ridge by validation."""
    fitted = {}
    for name in [name for name in methods_of(plan) if name in VIEWS]:
        products = [sum_products(_seen(VIEWS[name], plan, part)) for part in (train, valid)]
        fitted[name] = jax.tree.map(np.float32, fit_ridge(*products))
    return fitted


def truth_and_ahead(plan: Blueprint, windows: Windows) -> tuple[Any, Any]:
    """Return what is to be forecast of windows [n, h, m], and what is known ahead [n, h, k]."""
    return windows.future[..., : plan.targets], windows.future[..., plan.unknown :]


def _seen(see: Callable, plan: Blueprint, windows: Windows) -> Iterator[tuple[View, Float[np.ndarray, "n _ c"]]]:
    """Yield the views of some windows at a time with what came next, target by target or all in one column."""
    (truth, ahead), first = truth_and_ahead(plan, windows), 0
    for view in _mapped(lambda _, *inputs: see(plan, *inputs), None, windows.past, ahead):
        y = truth[first : first + len(view.base)]
        first += len(y)
        yield view, y.reshape(len(y), -1, view.base.shape[1])


def _mapped(
    one: Callable, params: Any, past: Float[np.ndarray, "n l c"], ahead: Float[np.ndarray, "n h k"]
) -> Iterator[Any]:
    """Yield a function of all windows, in chunks of one shape; the places left in the last one are cut off."""
    count = len(past)
    mapped, size = jax.jit(jax.vmap(one, (None, 0, 0))), min(CHUNK, count)
    for start in range(0, count, size):
        places = np.minimum(np.arange(start, start + size), count - 1)
        results = mapped(params, past[places], ahead[places])
        yield jax.tree.map(lambda leaf, left=count - start: np.asarray(leaf)[:left], results)
