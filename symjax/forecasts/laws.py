"""The laws that forecasts declare: what they follow, and that hidden features do not see the future."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from symjax.forecasts.blueprint import Blueprint
from symjax.forecasts.forecaster import Forecaster
from symjax.forecasts.methods import METHODS, NETWORK, TITLES
from symjax.groups import Amplitude
from symjax.laws import Equivariance, Law
from symjax.models import CausalStack, DLinear, NLinear, RLinear
from symjax.reps import Channels

LINEAR = {"dlinear": DLinear, "nlinear": NLinear, "rlinear": RLinear}


class Claim(NamedTuple):
    """A function of a window, the window, and what it promises."""

    title: str
    fn: Callable[[Array], Any]
    x: Float[Array, "l c"]
    laws: tuple[Law, ...]


def claims(forecaster: Forecaster, window: Float[np.ndarray, "t c"]) -> list[Claim]:
    """Return what the method that was kept and the network promise of a scaled window, in double precision.

    What is known ahead is held as it is. The ridge regression has no laws.
    """
    plan, double = forecaster.plan, jnp.asarray(window, float)
    past, ahead = double[: plan.lookback], double[plan.lookback :, plan.unknown :]
    params = jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf), float), dict(forecaster.params))

    def claim(name: str) -> Claim:
        seen = plan.targets if name in LINEAR else plan.unknown
        rest, x = past[:, seen:], past[:, :seen]
        fn = lambda x: METHODS[name](plan, params.get(name), jnp.concatenate([x, rest], axis=1), ahead)  # noqa: E731
        return Claim(TITLES[name], fn, x, _laws(name, plan, x))

    made = [claim(name) for name in dict.fromkeys([forecaster.kept, NETWORK])]
    return [*made, _hidden(plan, params[NETWORK], past)]


def _laws(name: str, plan: Blueprint, x: Array) -> tuple[Law, ...]:
    if name == NETWORK:
        return plan.build().laws(x)
    if name in LINEAR:
        return LINEAR[name](plan.horizon).laws(x)
    if name == "ridge":
        return ()
    return (Equivariance(Amplitude(x.shape[1]), Channels(), Channels(tuple(range(plan.targets)))),)


def _hidden(plan: Blueprint, params: Any, x: Array) -> Claim:
    """Return the claim of the features of the network at all instants."""
    stack = CausalStack(plan.net["hidden"], plan.net["layers"], plan.net["heads"])
    inner = {"params": params["params"]["CausalStack_0"]}
    return Claim("hidden features of the network", lambda x: stack.apply(inner, x), x, stack.laws(x))
