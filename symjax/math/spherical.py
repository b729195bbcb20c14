"""Spherical Bessel functions of the first kind and the radial basis they make on a ball."""

import functools
import math

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


def spherical_bessel(x: Float[Array, "e l n"]) -> Float[Array, "e l n"]:
    """Return j_l(x) for x >= 0 of degree l in row l: the upward recurrence where x > l + 1, else the power series.

        j_{l+1}(x) = (2l + 1) / x j_l(x) - j_{l-1}(x),  j_l(x) = x^l / (2l + 1)!! (1 - x^2/2 / (2l + 3) (1 - ...))

    Each is accurate and has finite derivatives of every order where it is taken. Source: dlmf.nist.gov, 10.51, 10.53.
    """
    degrees = np.arange(x.shape[1]).reshape(1, -1, 1)
    far = x > jnp.broadcast_to(jnp.asarray(degrees + 1, x.dtype), x.shape)
    return jnp.where(far, _recurrence(jnp.where(far, x, x.shape[1] + 1)), _series(jnp.where(far, 0, x)))


def _recurrence(x: Float[Array, "e l n"]) -> Float[Array, "e l n"]:
    """Each row starts from sin(x) / x and climbs to its own degree."""
    sine, cosine = jnp.sin(x) / x, jnp.cos(x) / x
    below, here, rows = cosine, sine, [sine[:, 0]]
    for degree in range(1, x.shape[1]):
        below, here = here[:, 1:], (2 * degree - 1) / x[:, degree:] * here[:, 1:] - below[:, 1:]
        rows.append(here[:, 0])
    return jnp.stack(rows, axis=1)


def _series(x: Float[Array, "e l n"]) -> Float[Array, "e l n"]:
    count = x.shape[1]
    odd = 2 * np.arange(count).reshape(1, -1, 1) + 1
    square, total = x * x / 2, jnp.ones_like(x)
    for k in range(12 + count, 0, -1):
        total = 1 - square * jnp.asarray(1 / (k * (odd + 2 * k)), x.dtype) * total
    powers = [x[:, degree] ** degree / math.prod(range(1, 2 * degree + 2, 2)) for degree in range(count)]
    return jnp.stack(powers, axis=1) * total


@functools.cache
def bessel_zeros(degrees: int, count: int) -> Float[np.ndarray, "l n"]:
    """Return the first `count` positive zeros of j_l for l = 0..degrees - 1, in double precision.

    Zeros of j_{l+1} lie between neighbouring zeros of j_l.
    """
    from scipy.optimize import brentq
    from scipy.special import spherical_jn

    rows = [np.pi * np.arange(1, count + degrees)]
    for degree in range(1, degrees):
        f = functools.partial(spherical_jn, degree)
        between = zip(rows[-1][:-1], rows[-1][1:], strict=True)
        rows.append(np.array([brentq(f, low, high, xtol=1e-14) for low, high in between]))
    zeros = np.stack([row[:count] for row in rows])
    zeros.flags.writeable = False
    return zeros


def spherical_bessel_basis(
    r: Float[Array, " e"], *, cutoff: float, degrees: int, count: int, rounded: bool = False
) -> Float[Array, "e l n"]:
    """Return N_ln j_l(z_ln r / rc), with z_ln the n-th zero of j_l and N_ln = (j_{l+1}(z_ln)^2 / 2)^(-1/2).

    They are orthonormal on [0, rc] with the weight (r / rc)^2 / rc. With `rounded` zeros have single precision, as in
    programs of DimeNet. Beyond the cutoff the value is that at the cutoff. Source: Gasteiger et al. 2020,
    arXiv:2003.03123, eq. 6.
    """
    from scipy.special import spherical_jn

    zeros = bessel_zeros(degrees, count)
    zeros = zeros.astype(np.float32).astype(np.float64) if rounded else zeros
    normal = math.sqrt(2) / np.abs(spherical_jn(1 + np.arange(degrees)[:, None], zeros))
    d = jnp.minimum(r / cutoff, 1)
    waves = spherical_bessel(jnp.multiply.outer(d, jnp.asarray(zeros, r.dtype)))
    return waves * jnp.broadcast_to(jnp.asarray(normal, r.dtype), waves.shape)
