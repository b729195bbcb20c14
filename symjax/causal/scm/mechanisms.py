"""Mechanisms: how each variable comes from its causes and its own noise, all of a model's in one stack of arrays.

A mechanism has `predict(k, causes, x, noise)`, the value of variable k from those of all values x [n, d] that are its
causes and from its noise [n]; and where it is invertible `abduct(k, causes, x, value)`, the noise that a value came
from. k may be traced: parameters are stacked along their first axis, so that one program serves every variable.
"""

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar, Protocol, dataclass_transform

import jax
import jax.numpy as jnp
from jax.scipy.stats import norm
from jaxtyping import Array, Bool, Float, Key

Causes = Bool[Array, " d"]
Row = Float[Array, " n"]
Units = Float[Array, "n d"]
REACH = 4.0  # noises beyond which a spline is the identity
LEAST = 1e-3  # width and height of a bin, of the whole, and slope of a knot


class Mechanisms(Protocol):
    """What a model asks of its mechanisms."""

    invertible: ClassVar[bool]

    def draw(self, key: Key[Array, ""], n: int) -> Float[Array, "n d ..."]:
        """Return the noise of n units."""
        ...

    def predict(self, k: Any, causes: Causes, x: Units, noise: Float[Array, "n ..."]) -> Row:
        """Return the values of variable k."""
        ...

    def abduct(self, k: Any, causes: Causes, x: Units, value: Row) -> Float[Array, "n ..."]:
        """Return the noise of variable k."""
        ...


@dataclass_transform(frozen_default=True)
def _stacked(*names: str) -> Callable[[type], type]:
    """Return a decorator: a frozen dataclass whose fields of these names are arrays, and the others constants.

    A tree of other leaves (specifications, masks of an optimiser) is made without asking whether they are arrays.
    """

    def decorate(cls: type) -> type:
        cls = dataclasses.dataclass(frozen=True)(cls)
        constants = [field.name for field in dataclasses.fields(cls) if field.name not in names]

        def flatten(value: Any) -> tuple[Any, Any]:
            keyed = [(jax.tree_util.GetAttrKey(name), getattr(value, name)) for name in names]
            return keyed, tuple(getattr(value, name) for name in constants)

        def unflatten(fixed: Any, leaves: Any) -> Any:
            value = object.__new__(cls)
            for name, leaf in zip((*names, *constants), (*leaves, *fixed), strict=True):
                object.__setattr__(value, name, leaf)
            return value

        jax.tree_util.register_pytree_with_keys(cls, flatten, unflatten)
        return cls

    return decorate


@_stacked("weights", "intercept", "scale")
class Linear:
    """V_k = sum_j weights[k, j] V_j + intercept_k + N_k, with normal N_k of standard deviation scale_k."""

    weights: Float[Array, "d d"]
    intercept: Float[Array, " d"]
    scale: Float[Array, " d"]
    invertible: ClassVar[bool] = True

    def draw(self, key: Key[Array, ""], n: int) -> Float[Array, "n d"]:
        """Return normal noise."""
        return self.scale[None] * jax.random.normal(key, (n, len(self.scale)), self.scale.dtype)

    def predict(self, k: Any, causes: Causes, x: Units, noise: Row) -> Row:
        """Return the sum of causes and noise."""
        return self._mean(k, causes, x) + noise

    def abduct(self, k: Any, causes: Causes, x: Units, value: Row) -> Row:
        """Return what the causes leave."""
        return value - self._mean(k, causes, x)

    def log_density(self, k: Any, causes: Causes, x: Units, value: Row) -> Row:
        """Return log p(V_k = value | causes)."""
        return norm.logpdf(value, self._mean(k, causes, x), self.scale[k])

    def _mean(self, k: Any, causes: Array, x: Array) -> Array:
        return x @ jnp.where(causes, self.weights[k], 0) + self.intercept[k]


@_stacked("hidden", "hidden_bias", "out", "out_bias")
class Networks:
    """One perceptron of one hidden layer a variable: out_k tanh(hidden_k x + b_k) + c_k, of m outputs."""

    hidden: Float[Array, "d d h"]
    hidden_bias: Float[Array, "d h"]
    out: Float[Array, "d h m"]
    out_bias: Float[Array, "d m"]

    @classmethod
    def init(cls, key: Key[Array, ""], variables: int, width: int, outputs: int) -> "Networks":
        """Return random networks whose outputs start near zero."""
        first, second = jax.random.split(key)
        d, h, m = variables, width, outputs
        hidden = jax.random.normal(first, (d, d, h)) / jnp.sqrt(1.0 * d)
        out = 0.1 * jax.random.normal(second, (d, h, m)) / jnp.sqrt(1.0 * h)
        return cls(hidden, jnp.zeros((d, h)), out, jnp.zeros((d, m)))

    def __call__(self, k: Any, causes: Causes, x: Units) -> Float[Array, "n m"]:
        """Return the outputs of network k."""
        hidden = x @ jnp.where(causes[:, None], self.hidden[k], 0) + self.hidden_bias[k][None]
        return jnp.tanh(hidden) @ self.out[k] + self.out_bias[k][None]


@_stacked("mean", "log_scale")
class Additive:
    """V_k = f_k(causes) + N_k, with a network f_k and normal N_k of standard deviation exp(log_scale_k)."""

    mean: Networks
    log_scale: Float[Array, " d"]
    invertible: ClassVar[bool] = True

    @classmethod
    def init(cls, key: Key[Array, ""], variables: int, width: int = 16) -> "Additive":
        """Return mechanisms at random."""
        return cls(Networks.init(key, variables, width, 1), jnp.zeros(variables))

    def draw(self, key: Key[Array, ""], n: int) -> Float[Array, "n d"]:
        """Return normal noise."""
        return jnp.exp(self.log_scale)[None] * jax.random.normal(key, (n, len(self.log_scale)), self.log_scale.dtype)

    def predict(self, k: Any, causes: Causes, x: Units, noise: Row) -> Row:
        """Return mean and noise added."""
        return self.mean(k, causes, x)[:, 0] + noise

    def abduct(self, k: Any, causes: Causes, x: Units, value: Row) -> Row:
        """Return what the mean leaves."""
        return value - self.mean(k, causes, x)[:, 0]

    def log_density(self, k: Any, causes: Causes, x: Units, value: Row) -> Row:
        """Return log p(V_k = value | causes)."""
        return norm.logpdf(value, self.mean(k, causes, x)[:, 0], jnp.exp(self.log_scale[k]))


@_stacked("networks")
class LocationScale:
    """V_k = f_k(causes) + exp(g_k(causes)) N_k, with networks f_k and g_k and standard normal N_k."""

    networks: Networks
    invertible: ClassVar[bool] = True

    @classmethod
    def init(cls, key: Key[Array, ""], variables: int, width: int = 16) -> "LocationScale":
        """Return mechanisms at random."""
        return cls(Networks.init(key, variables, width, 2))

    def draw(self, key: Key[Array, ""], n: int) -> Float[Array, "n d"]:
        """Return standard normal noise."""
        return jax.random.normal(key, (n, len(self.networks.out)), self.networks.out.dtype)

    def predict(self, k: Any, causes: Causes, x: Units, noise: Row) -> Row:
        """Return the noise, scaled and moved."""
        location, scale = self.networks(k, causes, x).T
        return location + jnp.exp(scale) * noise

    def abduct(self, k: Any, causes: Causes, x: Units, value: Row) -> Row:
        """Return the noise."""
        location, scale = self.networks(k, causes, x).T
        return (value - location) * jnp.exp(-scale)

    def log_density(self, k: Any, causes: Causes, x: Units, value: Row) -> Row:
        """Return log p(V_k = value | causes)."""
        location, scale = self.networks(k, causes, x).T
        return norm.logpdf(value, location, jnp.exp(scale))


@_stacked("networks")
class Flow:
    """V_k = f_k + exp(g_k) s_k(N_k): s_k a rising spline whose knots depend on the causes too, N_k standard normal.

    Splines are rational-quadratic (Durkan et al. 2019, arXiv:1906.04032) on [-4, 4], the identity beyond, so that any
    mechanism that rises with its noise is near one of these.
    """

    networks: Networks
    bins: int = 8
    invertible: ClassVar[bool] = True

    @classmethod
    def init(cls, key: Key[Array, ""], variables: int, width: int = 16, bins: int = 8) -> "Flow":
        """Return mechanisms at random."""
        return cls(Networks.init(key, variables, width, 3 * bins + 1), bins)

    def draw(self, key: Key[Array, ""], n: int) -> Float[Array, "n d"]:
        """Return standard normal noise."""
        return jax.random.normal(key, (n, len(self.networks.out)), self.networks.out.dtype)

    def predict(self, k: Any, causes: Causes, x: Units, noise: Row) -> Row:
        """Return the noise through the spline, scaled and moved."""
        location, scale, *knots = self._parts(k, causes, x)
        return location + jnp.exp(scale) * jax.vmap(spline)(noise, *knots)

    def abduct(self, k: Any, causes: Causes, x: Units, value: Row) -> Row:
        """Return the noise."""
        location, scale, *knots = self._parts(k, causes, x)
        return jax.vmap(inverse_spline)((value - location) * jnp.exp(-scale), *knots)

    def log_density(self, k: Any, causes: Causes, x: Units, value: Row) -> Row:
        """Return log p(V_k = value | causes)."""
        location, scale, *knots = self._parts(k, causes, x)
        noise = jax.vmap(inverse_spline)((value - location) * jnp.exp(-scale), *knots)
        return norm.logpdf(noise) - scale - jnp.log(jax.vmap(jax.grad(spline))(noise, *knots))

    def _parts(self, k: Any, causes: Array, x: Array) -> list[Array]:
        """Return location, log-scale, and the knots: places and heights [n, bins + 1], slopes [n, bins + 1]."""
        raw, b = self.networks(k, causes, x), self.bins
        ends = [
            jnp.pad(jnp.cumsum(LEAST + (1 - b * LEAST) * jax.nn.softmax(part), axis=1), ((0, 0), (1, 0)))
            for part in (raw[:, :b], raw[:, b : 2 * b])
        ]
        slopes = LEAST + (1 - LEAST) * jax.nn.softplus(raw[:, 2 * b : 3 * b - 1] + 0.5413)
        slopes = jnp.pad(slopes, ((0, 0), (1, 1)), constant_values=1.0)
        return [raw[:, -2], raw[:, -1], *(REACH * (2 * part - 1) for part in ends), slopes]


def spline(u: Array, places: Float[Array, " b"], heights: Float[Array, " b"], slopes: Float[Array, " b"]) -> Array:
    """Return the rising rational-quadratic spline through knots, the identity beyond them (Durkan et al., eq. 4)."""
    inside = (u > places[0]) & (u < places[-1])
    k, v = _bin(jnp.where(inside, u, 0.0), places)
    width, height, d0, d1 = places[k + 1] - places[k], heights[k + 1] - heights[k], slopes[k], slopes[k + 1]
    t, s = (v - places[k]) / width, height / width
    top = height * (s * t**2 + d0 * t * (1 - t))
    return jnp.where(inside, heights[k] + top / (s + (d1 + d0 - 2 * s) * t * (1 - t)), u)


def inverse_spline(
    y: Array, places: Float[Array, " b"], heights: Float[Array, " b"], slopes: Float[Array, " b"]
) -> Array:
    """Return the u with spline(u) = y (Durkan et al., eqs. 6-8), which one of Newton's steps rids of cancellation."""
    inside = (y > heights[0]) & (y < heights[-1])
    k, v = _bin(jnp.where(inside, y, 0.0), heights)
    width, height, d0, d1 = places[k + 1] - places[k], heights[k + 1] - heights[k], slopes[k], slopes[k + 1]
    s, up = height / width, v - heights[k]
    bend = d1 + d0 - 2 * s
    a, b, c = height * (s - d0) + up * bend, height * d0 - up * bend, -s * up
    t = 2 * c / (-b - jnp.sqrt(jnp.maximum(b**2 - 4 * a * c, 0)))
    below, rest = s + bend * t * (1 - t), 1 - t
    slope = s * (d1 * t**2 + 2 * s * t * rest + d0 * rest**2) / below**2
    t = t - ((s * t**2 + d0 * t * rest) / below - up / height) / slope
    return jnp.where(inside, places[k] + t * width, y)


def _bin(v: Array, knots: Array) -> tuple[Array, Array]:
    return jnp.clip(jnp.searchsorted(knots, v, side="right") - 1, 0, len(knots) - 2), v


@dataclasses.dataclass(frozen=True)
class Functions:
    """Mechanisms that you write: one function (x [n, d], noise [n]) -> [n] a variable, and its inverse in the noise.

    What is no cause of a variable is zero in the x that its function sees.

    Attributes:
        forward: by variable.
        inverse: (x [n, d], value [n]) -> [n] by variable; None: not known.
        noise: (key, n) -> [n, d]; None: standard normal.
    """

    forward: tuple[Callable[[Array, Array], Array], ...]
    inverse: tuple[Callable[[Array, Array], Array], ...] | None = None
    noise: Callable[[Array, int], Array] | None = None

    @property
    def invertible(self) -> bool:
        """Whether the inverses are known."""
        return self.inverse is not None

    def draw(self, key: Key[Array, ""], n: int) -> Float[Array, "n d"]:
        """Return the noise."""
        return jax.random.normal(key, (n, len(self.forward))) if self.noise is None else self.noise(key, n)

    def predict(self, k: Any, causes: Causes, x: Units, noise: Row) -> Row:
        """Return the values of the function of k."""
        return jax.lax.switch(k, self.forward, jnp.where(causes[None], x, 0), noise)

    def abduct(self, k: Any, causes: Causes, x: Units, value: Row) -> Row:
        """Return the noise by the inverse of k."""
        assert self.inverse is not None
        return jax.lax.switch(k, self.inverse, jnp.where(causes[None], x, 0), value)


jax.tree_util.register_static(Functions)
