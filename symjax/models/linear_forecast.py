"""Linear forecasters, the baselines that usually beat networks.

DLinear and NLinear are of Zeng et al. 2022 (arXiv:2205.13504, sec. 4), RLinear of Li et al. 2023 (arXiv:2305.10721,
sec. 4). One map, shared by all channels, takes the window of a channel to its next steps. The three differ in how a
window is seen, its `View`, and therefore in what a forecast follows.
"""

from typing import Any, NamedTuple

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from symjax.groups import Amplitude, Offsets, S
from symjax.laws import Equivariance, Law
from symjax.layers.sequence import normalise
from symjax.reps import Axis, Channels

AVERAGED = 25  # instants of DLinear's moving average


class View(NamedTuple):
    """A window as a linear map sees it: the forecast is base + scale times what the map makes of the rows."""

    rows: Float[Array, "k c"]
    base: Float[Array, " c"]
    scale: Float[Array, " c"]


def decomposed(x: Float[Array, "t c"]) -> View:
    """Return DLinear's view: a moving average of 25 instants, the ends repeated, and below it what is left."""
    t, reach = len(x), AVERAGED // 2
    places = (np.clip(np.arange(t) + step, 0, t - 1) for step in range(-reach, reach + 1))
    trend = jnp.asarray(sum(np.eye(t)[place] for place in places) / AVERAGED, x.dtype) @ x
    return View(jnp.concatenate([trend, x - trend]), jnp.zeros_like(x[0]), jnp.ones_like(x[0]))


def from_last(x: Float[Array, "t c"]) -> View:
    """Return NLinear's view: every instant relative to the last."""
    return View(x - x[-1:], x[-1], jnp.ones_like(x[0]))


def standardised(x: Float[Array, "t c"]) -> View:
    """Return RLinear's view: the window with mean zero and deviation one, channel by channel."""
    z, stats = normalise(x, kind="window")
    return View(z, stats.mean[0], stats.deviation[0])


def linear_forecast(kernel: Float[Array, "h k"], bias: Float[Array, " h"], view: View) -> Float[Array, "h c"]:
    """Return base + scale (kernel rows + bias), channel by channel."""
    y = kernel @ view.rows + bias[:, None]
    return y * view.scale[None] + view.base[None]


class DLinear(nn.Module):
    """`linear_forecast` of the view `decomposed`: one map of the trend and one of the rest.

    Attributes:
        horizon: Steps to forecast.
    """

    horizon: int

    def laws(self, x: Float[Any, "t c"]) -> tuple[Law, ...]:
        """The channels are forecast alike, each from itself."""
        return (_alike(x),)

    @nn.compact
    def __call__(self, x: Float[Array, "t c"]) -> Float[Array, "{self.horizon} c"]:
        """Return the forecast of every channel."""
        return _forecast(self, decomposed(x), instants=len(x))


class NLinear(nn.Module):
    """`linear_forecast` of the view `from_last`.

    Attributes:
        horizon: Steps to forecast.
    """

    horizon: int

    def laws(self, x: Float[Any, "t c"]) -> tuple[Law, ...]:
        """The channels are forecast alike, each from itself, and the forecast follows their zeros."""
        return _alike(x), Equivariance(Offsets(x.shape[1]), Channels(), Channels())

    @nn.compact
    def __call__(self, x: Float[Array, "t c"]) -> Float[Array, "{self.horizon} c"]:
        """Return the forecast of every channel."""
        return _forecast(self, from_last(x), instants=len(x))


class RLinear(nn.Module):
    """`linear_forecast` of the view `standardised`.

    Attributes:
        horizon: Steps to forecast.
    """

    horizon: int

    def laws(self, x: Float[Any, "t c"]) -> tuple[Law, ...]:
        """The channels are forecast alike, each from itself, and the forecast follows their zeros and units."""
        return _alike(x), Equivariance(Amplitude(x.shape[1]), Channels(), Channels())

    @nn.compact
    def __call__(self, x: Float[Array, "t c"]) -> Float[Array, "{self.horizon} c"]:
        """Return the forecast of every channel."""
        return _forecast(self, standardised(x), instants=len(x))


def _alike(x: Float[Any, "t c"]) -> Law:
    return Equivariance(S(x.shape[1]), Axis(1), Axis(1))


def _forecast(module: Any, view: View, *, instants: int) -> Float[Array, "h c"]:
    """Return `linear_forecast` with the parameters of a module; every map begins as a mean of the window."""
    (rows, _), dtype = view.rows.shape, view.rows.dtype
    kernel = module.param("kernel", nn.initializers.constant(1 / instants), (module.horizon, rows), dtype)
    bias = module.param("bias", nn.initializers.zeros, (module.horizon,), dtype)
    return linear_forecast(kernel, bias, view)
