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


def wigner_matrices(l_max: int, rotations: Float[Array, "e 3 3"]) -> tuple[Float[Array, "e _ _"], ...]:
    """Return the matrices D^l [e, 2 l + 1, 2 l + 1] of rotations on the irreps of degree l = 0 ... l_max.

        D^l = Q_l^T (D^(l-1) (x) R) Q_l

    with the isometry Q_l of degree l into degree l - 1 times vectors. Entries of D^l are polynomials in those of R, and
    rounding does not grow: there is no table and no largest degree.

    Args:
        l_max: the largest degree.
        rotations: R, proper ones.
    """
    found = [jnp.ones_like(rotations[:, :1, :1]), rotations]
    for degree in range(2, l_max + 1):
        q = jnp.asarray(_isometry(degree), rotations.dtype)
        half = jnp.einsum("eax,xyk->eayk", found[-1], q, precision=Precision.HIGHEST)
        both = jnp.einsum("eby,eayk->eabk", rotations, half, precision=Precision.HIGHEST)
        found.append(jnp.einsum("abj,eabk->ejk", q, both, precision=Precision.HIGHEST))
    return tuple(found[: l_max + 1])


@functools.lru_cache
def _isometry(degree: int) -> Float[np.ndarray, "_ 3 _"]:
    """Return Q[a, b, k], the part of degree l of Y_a v_b for harmonics Y of degree l - 1, columns of length one.

    With C_m and S_m for the components m and -m: (z + i x) (C_m + i S_m) has the part r (C_(m+1) + i S_(m+1)) and
    (z - i x) (C_m + i S_m) the part s (C_(m-1) + i S_(m-1)); y keeps m.
    """
    n, x, y, z = degree - 1, 0, 1, 2
    q = np.zeros((2 * n + 1, 3, 2 * degree + 1))
    for m in range(n + 1):
        q[[n + m, n - m], y, [degree + m, degree - m]] = math.sqrt((n + 1) ** 2 - m**2)
        up, down = math.sqrt((n + m + 1) * (n + m + 2)) / 2, -math.sqrt((n - m + 1) * (n - m + 2)) / 2
        for step, r in ((1, up * math.sqrt(2) if m == 0 else up), (-1, down * math.sqrt(2) if m == 1 else down)):
            to = m + step
            if m == 0 and step < 0:
                continue
            q[n + m, z, degree + to] = r
            if m > 0:
                q[n - m, x, degree + to] = -step * r
            if to > 0:
                q[n + m, x, degree - to] = step * r
            if m > 0 and to > 0:
                q[n - m, z, degree - to] = r
    return q / np.sqrt(np.sum(q**2, axis=(0, 1)))


@functools.lru_cache
def by_order(l_max: int, m_max: int) -> Int[np.ndarray, " k"]:
    """Return the rows l^2 + l + m of components with |m| <= m_max: m = 0 first, then for each m all +m, then all -m."""
    rows = [degree * (degree + 1) for degree in range(l_max + 1)]
    for m in range(1, m_max + 1):
        rows += [degree * (degree + 1) + sign * m for sign in (1, -1) for degree in range(m, l_max + 1)]
    return np.array(rows)
