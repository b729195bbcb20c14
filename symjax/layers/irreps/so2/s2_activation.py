"""Nonlinearities of functions on the sphere, whose coefficients are irreps (Liao et al. 2024, arXiv:2306.12059)."""

import dataclasses
import functools
import math
from collections.abc import Callable
from typing import Literal

import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import numpy as np
from jax.lax import Precision
from jaxtyping import Array, Float

from symjax.math import by_order, double_precision

Kind = Literal["silu", "product"]


@dataclasses.dataclass(frozen=True)
class S2Activation:
    """A nonlinearity of coefficients x [n, components, c] of functions f(r) = sum_lm x_lm Y_lm(r) on the sphere.

        silu:     y_0 = silu(gate),    y_l = [silu(f)]_l for l > 0
        product:  y_l = silu(gate) [f g]_l

    with scalars as gates. [...]_l are coefficients by a quadrature: of a silu they are nearly those of the function,
    and the smaller the steps of the grid the nearer; of a product they are exact on the smallest grid. So "silu" obeys
    rotations up to `tolerance`, and "product", which is what the gated activation of Liao et al. 2026 (EquiformerV3,
    arXiv:2604.09130) is for, up to rounding.

    Attributes:
        kind: "silu", or "product" of two functions, the halves of the channels.
        l_max: The largest degree.
        m_max: The largest order of components in frames, in the order of `by_order`; None: all, degree by degree.
        resolution: Circles of latitude, and points on each, of the grid of a silu.

    Raises:
        ValueError: The grid is too coarse for the degree.
    """

    kind: Kind
    l_max: int
    m_max: int | None = None
    resolution: int = 18

    def __post_init__(self) -> None:
        """Refuse unknown kinds, and grids on which different functions look the same."""
        if self.kind not in ("silu", "product"):
            raise ValueError(f'expected the activation "silu" or "product", got {self.kind!r}')
        if self.kind == "silu":
            require_resolution(self.resolution, self.l_max)

    def width(self, channels: int) -> int:
        """Return how many channels go in, for so many to come out."""
        return channels if self.kind == "silu" else 2 * channels

    @property
    def tolerance(self) -> float | None:
        """How far rotations may be missed, of the size of the output; None: no farther than rounding."""
        return s2_tolerance(self.l_max, self.resolution) if self.kind == "silu" else None

    def __call__(
        self,
        x: Float[Array, "n components w"],
        gates: Float[Array, "n c"],
        point: Callable[[Array], Array] = jax.nn.silu,
    ) -> Float[Array, "n components c"]:
        """Return the coefficients of the outcome; `point` is the function of the channels at a point of the grid."""
        if self.kind == "product":
            to, back = s2_grid(self.l_max, self.m_max, *product_points(self.l_max, self.m_max))
            f, g = jnp.split(on_grid(to, x), 2, axis=2)
            return jax.nn.silu(gates)[:, None] * on_grid(back, f * g)
        to, back = s2_grid(self.l_max, self.m_max, self.resolution, self.resolution)
        y = on_grid(back, point(on_grid(to, x)))
        return y.at[:, 0].set(jax.nn.silu(gates))


def on_grid(matrix: Float[np.ndarray, "o i"], x: Float[Array, "n i c"]) -> Float[Array, "n o c"]:
    """Return values on a grid of coefficients, or coefficients of values."""
    return jnp.einsum("oi,nic->noc", jnp.asarray(matrix, x.dtype), x, precision=Precision.HIGHEST)


def require_resolution(resolution: int, l_max: int) -> None:
    """Refuse a grid that is too coarse.

    Raises:
        ValueError: It has fewer than 2 (l_max + 1) points in a direction.
    """
    least = 2 * (l_max + 1)
    if resolution < least:
        raise ValueError(
            f"expected a grid of at least {least} points in each direction for l = {l_max}, got {resolution}"
        )


def product_points(l_max: int, m_max: int | None) -> tuple[int, int]:
    """Return the latitudes and longitudes of the smallest grid on which [f g]_l is exact, of degree 3 l_max."""
    return (3 * l_max) // 2 + 1, 3 * (l_max if m_max is None else m_max) + 1


def s2_tolerance(l_max: int, resolution: int) -> float:
    """Return how far a silu on a grid may miss rotations, in units of the output: 1.5 (step / wavelength)^2.

    So much at any size of the input, where silu looks like a relu; a smooth one on small inputs misses far less.
    """
    return 1.5 * ((l_max + 1) / resolution) ** 2


@functools.lru_cache
def s2_grid(
    l_max: int, m_max: int | None, latitudes: int, longitudes: int
) -> tuple[Float[np.ndarray, "g components"], Float[np.ndarray, "components g"]]:
    """Return the matrices from coefficients to values on a grid, and from values to coefficients by its quadrature.

    Latitudes are Gauss-Legendre nodes, longitudes even. Values of independent standard normal coefficients have unit
    variance, and so have the coefficients of independent values of unit variance.
    """
    y, weights = np.polynomial.legendre.leggauss(latitudes)
    angles = (np.arange(longitudes) + 0.5) * (2 * math.pi / longitudes)
    ring = np.stack([np.sin(angles), np.zeros_like(angles), np.cos(angles)], axis=1)
    points = np.sqrt(1 - y**2)[:, None, None] * ring + y[:, None, None] * np.array([0.0, 1.0, 0.0])
    with double_precision():
        irreps, places = (
            e3nn.Irreps.spherical_harmonics(l_max),
            e3nn.IrrepsArray("1o", jnp.asarray(points.reshape(-1, 3))),
        )
        harmonics = e3nn.spherical_harmonics(irreps, places, True, "component").array
        values = np.asarray(harmonics, float)
    if m_max is not None:
        values = values[:, by_order(l_max, m_max)]
    size = math.sqrt(values.shape[1])
    shares = np.repeat(weights / (2 * longitudes), longitudes)
    return values / size, (values * shares[:, None]).T * size
