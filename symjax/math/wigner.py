"""Rotations that take an edge to the pole, and what they do to irreps, without angles: smooth in every chart.

The pole is y, the real basis and the order of its components are e3nn's: the component (l, m) of features [..., k, c]
has the row l^2 + l + m, and (m, -m) turn about the pole like (cos, sin) of m times the angle.
"""

import functools
import math

import jax.numpy as jnp
import numpy as np
from jax.lax import Precision
from jaxtyping import Array, Float, Int

from symjax.math.safe import safe_divide, safe_norm


def frames(vectors: Float[Array, "e 3"], *, turn: Float[Array, " e"] | None = None) -> Float[Array, "e 3 3"]:
    """Return a rotation R for each vector with R v = |v| (0, 1, 0), and zero for a vector of length zero.

    The shortest one for vectors of the upper half, and for those of the lower half the one that first makes half a turn
    about x: each is a rational function of v / |v|, singular only at the far pole of the other half. No choice of R is
    smooth everywhere; what does not depend on the angle about the pole (see `turn`) has derivatives of any order.

    Args:
        vectors: v, of any length.
        turn: angle in radians of a further rotation about the pole, from z to x.
    """
    length = safe_norm(vectors, keepdims=True)
    unit = safe_divide(vectors, length)
    half = jnp.where(unit[:, 1] < 0, -1, 1).astype(vectors.dtype)
    flip = jnp.stack([jnp.ones_like(half), half, half], axis=-1)
    x, y, z = jnp.moveaxis(flip * unit, -1, 0)
    k = 1 / (1 + y)
    rows = ((1 - x * x * k, -x, -x * z * k), (x, y, z), (-x * z * k, -z, 1 - z * z * k))
    shortest = jnp.stack([jnp.stack(row, -1) for row in rows], -2) * flip[:, None]
    shortest = jnp.where(length[..., None] > 0, shortest, 0)
    if turn is None:
        return shortest
    cos, sin, zero = jnp.cos(turn), jnp.sin(turn), jnp.zeros_like(turn)
    about = ((cos, zero, sin), (zero, 1 + zero, zero), (-sin, zero, cos))
    return jnp.matmul(jnp.stack([jnp.stack(row, -1) for row in about], -2), shortest, precision=Precision.HIGHEST)


def wigner_matrices(
    l_max: int, rotations: Float[Array, "e 3 3"], *, m_max: int | None = None
) -> tuple[Float[Array, "e _ _"], ...]:
    """Return the rows |m| <= m_max of the matrices D^l of rotations on the irreps of degree l = 0 ... l_max.

    Degree l is the largest part of degree l - 1 times vectors, D^l = L (D^(l-1) (x) R) Q with Q the isometry into that
    product and L any of its left inverses. Here L is the one with a single entry in the rows |m| < l, which the product
    with y reaches, and two in the rows m = +-l. So there is no table of matrices and no largest degree, and a row needs
    no row of another order: the cost is m_max l_max^2 products of small matrices.

    Args:
        l_max: the largest degree.
        rotations: R, proper ones.
        m_max: the largest order; None for all.

    Returns:
        D^l [e, 2 min(l, m_max) + 1, 2 l + 1] for each degree, orders rising.

    Raises:
        ValueError: If m_max is negative or larger than l_max.
    """
    m_max = l_max if m_max is None else m_max
    require_order(m_max, l_max)
    first = rotations if m_max else rotations[:, 1:2]
    found = [jnp.ones_like(rotations[:, :1, :1]), first]
    for degree in range(2, l_max + 1):
        found.append(_raised(found[-1], rotations, degree, m_max))
    return tuple(found[: l_max + 1])


def require_order(m_max: int, l_max: int) -> None:
    """Refuse orders that no component has.

    Raises:
        ValueError: If m_max is negative or larger than l_max.
    """
    if not 0 <= m_max <= l_max:
        raise ValueError(f"expected 0 <= m_max <= l_max, orders that components have, got m_max={m_max}, l_max={l_max}")


def _raised(d: Float[Array, "e _ _"], r: Float[Array, "e 3 3"], degree: int, m_max: int) -> Float[Array, "e _ _"]:
    """Return the rows of D^l, given those of D^(l-1) and R."""
    q, n = _isometry(degree), degree - 1
    orders = np.arange(-min(n, m_max), min(n, m_max) + 1)
    scaled = d * jnp.asarray(1 / q[n + orders, 1, degree + orders], d.dtype)[None, :, None]
    products = scaled[..., None] * r[:, None, None, 1]
    if m_max >= degree:
        half = 0.5 / q[-1, 2, -1].item()
        x, z = half * r[:, None, None, 0], half * r[:, None, None, 2]
        sine, cosine = d[:, :1, :, None], d[:, -1:, :, None]
        products = jnp.concatenate([sine * z + cosine * x, products, cosine * z - sine * x], axis=1)
    flat = products.reshape(*products.shape[:2], products.shape[2] * products.shape[3])
    return jnp.matmul(flat, jnp.asarray(q.reshape(-1, q.shape[2]), d.dtype), precision=Precision.HIGHEST)


@functools.lru_cache
def _isometry(degree: int) -> Float[np.ndarray, "_ 3 _"]:
    """Return Q[a, b, k], the part of degree l of Y_a v_b for harmonics Y of degree l - 1, columns of length one.

    With C_m and S_m for the components m and -m: (z + i x) (C_m + i S_m) has the part up (C_(m+1) + i S_(m+1)) and
    (z - i x) (C_m + i S_m) the part down (C_(m-1) + i S_(m-1)); y keeps m.
    """
    n, x, y, z = degree - 1, 0, 1, 2
    q = np.zeros((2 * n + 1, 3, 2 * degree + 1))
    for m in range(n + 1):
        q[[n + m, n - m], y, [degree + m, degree - m]] = math.sqrt((n + 1) ** 2 - m**2)
        up = math.sqrt((n + m + 1) * (n + m + 2)) / (2 if m else math.sqrt(2))
        q[n + m, z, degree + m + 1] = q[n + m, x, degree - m - 1] = up
        down = -math.sqrt((n - m + 1) * (n - m + 2)) / (2 if m > 1 else math.sqrt(2))
        if m > 0:
            q[n - m, z, degree - m - 1], q[n - m, x, degree + m + 1] = up, -up
            q[n + m, z, degree + m - 1] = q[n - m, x, degree + m - 1] = down
        if m > 1:
            q[n - m, z, degree - m + 1], q[n + m, x, degree - m + 1] = down, -down
    return q / np.sqrt(np.sum(q**2, axis=(0, 1)))


@functools.lru_cache
def by_order(l_max: int, m_max: int) -> Int[np.ndarray, " k"]:
    """Return the rows l^2 + l + m of components with |m| <= m_max: m = 0 first, then for each m all +m, then all -m."""
    rows = [degree * (degree + 1) for degree in range(l_max + 1)]
    for m in range(1, m_max + 1):
        rows += [degree * (degree + 1) + sign * m for sign in (1, -1) for degree in range(m, l_max + 1)]
    return np.array(rows)
