"""Radial bases and cutoff envelopes: functions of a distance, finite with their derivatives at zero distance.

Distances and cutoffs share one unit. A basis does not vanish at the cutoff with its derivatives; multiply it by an
envelope for energies and forces that are continuous there.
"""

import math

import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from symjax.math.safe import safe_sinc


def bessel_basis(
    r: Float[Array, "..."], *, cutoff: float, count: int, roots: Float[Array, " count"] | None = None
) -> Float[Array, "... count"]:
    """Return b_n(r) = sqrt(2 / rc) sin(n pi r / rc) / r for n = 1..count, orthonormal on the ball of radius rc.

    Trained `roots` take the place of n pi / rc. At r = 0 it is the limit sqrt(2 / rc) n pi / rc. Source: Gasteiger et
    al. 2020, arXiv:2003.03123, eq. 7.
    """
    roots = bessel_roots(cutoff=cutoff, count=count, dtype=r.dtype) if roots is None else roots
    return jnp.multiply.outer(jnp.ones_like(r), math.sqrt(2 / cutoff) * roots) * safe_sinc(jnp.multiply.outer(r, roots))


def bessel_roots(*, cutoff: float, count: int, dtype: DTypeLike) -> Float[Array, " count"]:
    """Return n pi / rc for n = 1..count, where the functions of `bessel_basis` vanish at the cutoff."""
    return jnp.arange(1, count + 1, dtype=dtype) * (math.pi / cutoff)


def gaussian_basis(
    r: Float[Array, "..."], *, cutoff: float, count: int, width: float = 1.0
) -> Float[Array, "... count"]:
    """Return g_k(r) = exp(-(r - mu_k)^2 / (2 delta^2)), with `count` >= 2 centres mu_k in [0, rc] a step apart.

    delta is `width` steps. Source: Schütt et al. 2017, arXiv:1706.08566, section 4.1, with the width tied to the step.
    """
    delta = cutoff / (count - 1)
    centres = jnp.linspace(0, cutoff, count, dtype=r.dtype)
    return jnp.exp(-0.5 * (jnp.subtract.outer(r, centres) / (width * delta)) ** 2)


def exp_normal_basis(
    r: Float[Array, "..."], *, cutoff: float, count: int, decay: float = 1.0
) -> Float[Array, "... count"]:
    """Return e_k(r) = exp(-beta (exp(-a r) - mu_k)^2), with mu_k evenly spaced from exp(-a rc) to 1 and a = `decay`.

    Every width is beta = (2 (1 - exp(-a rc)) / count)^-2. `decay` has the unit of an inverse distance. Source: Unke and
    Meuwly 2019, arXiv:1902.08408, eq. 7, with a = 1 / Å; TorchMD-NET (arXiv:2202.02541, eq. 3) takes a = 5 / rc.
    """
    nearest = math.exp(-decay * cutoff)
    centres = jnp.linspace(nearest, 1, count, dtype=r.dtype)
    beta = (2 * (1 - nearest) / count) ** -2
    return jnp.exp(-beta * jnp.subtract.outer(jnp.exp(-decay * r), centres) ** 2)


def poly_envelope(r: Float[Array, "..."], *, cutoff: float, p: int = 6) -> Float[Array, "..."]:
    """Return u(d) = 1 - (p+1)(p+2)/2 d^p + p(p+2) d^(p+1) - p(p+1)/2 d^(p+2) with d = r / rc.

    u falls from 1 to 0 with two continuous derivatives; at and beyond the cutoff it is exactly zero, and so is every
    derivative. Source: Gasteiger et al. 2020, arXiv:2003.03123, eq. 8.
    """
    inside = r < cutoff
    d = jnp.where(inside, r / cutoff, 0)
    u = 1 - (p + 1) * (p + 2) / 2 * d**p + p * (p + 2) * d ** (p + 1) - p * (p + 1) / 2 * d ** (p + 2)
    return jnp.where(inside, u, 0)


def cosine_envelope(r: Float[Array, "..."], *, cutoff: float) -> Float[Array, "..."]:
    """Return (cos(pi r / rc) + 1) / 2 inside the cutoff and zero at and beyond it, with one continuous derivative.

    Source: Behler and Parrinello 2007, doi:10.1103/PhysRevLett.98.146401, eq. 4.
    """
    return jnp.where(r < cutoff, 0.5 * (jnp.cos(math.pi / cutoff * r) + 1), 0)


def xplor_envelope(r: Float[Array, "..."], *, cutoff: float, onset: float) -> Float[Array, "..."]:
    """Return s^2 (3 - 2 s) with s = (rc^2 - r^2) / (rc^2 - ro^2) from the onset ro to the cutoff; 1 before, 0 beyond.

    It has one continuous derivative. Source: the switching of X-PLOR, as in HOOMD-blue's pair potentials.
    """
    s = jnp.where(r < cutoff, (cutoff**2 - r * r) / (cutoff**2 - onset**2), 0)
    return jnp.where(r < onset, 1, s * s * (3 - 2 * s))
