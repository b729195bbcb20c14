"""Ordinary differential equations at fixed steps, which compile fast and differentiate in both modes."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


def runge_kutta(
    field: Callable[[Float[Array, "..."]], Float[Array, "..."]],
    start: Float[Array, "*s"],
    times: Float[Array, " t"],
    *,
    substeps: int = 1,
) -> Float[Array, "t *s"]:
    """Return x at `times`, where dx/dt = field(x) and x = start at times[0].

    The classical method of order four: with h the distance of two times divided by `substeps`, each step adds
    h (a + 2b + 2c + d) / 6, a = f(x), b = f(x + h a / 2), c = f(x + h b / 2), d = f(x + h c). The error is O(h^4).

    Args:
        field: the right-hand side, which does not depend on time.
        start: the first state, of any shape.
        times: increasing or decreasing; they need not be equally far apart.
        substeps: steps between two times, four evaluations of `field` each.

    Raises:
        ValueError: if `substeps` is not positive.
    """
    if substeps < 1:
        raise ValueError(f"expected at least one step between two times, got substeps={substeps}")

    def advance(state: Array, interval: Array) -> tuple[Array, Array]:
        step = (interval / substeps).astype(state.dtype)
        state, _ = jax.lax.scan(lambda x, _: (_runge_kutta_step(field, x, step), None), state, length=substeps)
        return state, state

    _, path = jax.lax.scan(advance, start, jnp.diff(times))
    return jnp.concatenate([start[None], path])


def integration_matrix(times: Float[np.ndarray, " t"]) -> Float[np.ndarray, "t t"]:
    """Return W with sum_j W_ij f(t_j) = the integral of f from t_0 to t_i, exact for polynomials of degree t - 1.

    A field f fits a path x where x(t_i) - x(t_0) = sum_j W_ij f(x(t_j)): a test without steps, one evaluation a state.
    The error of t equidistant points is O(h^(t + 1)).

    Args:
        times: distinct, few.
    """
    powers = np.arange(len(times))
    unit = np.ptp(times) or 1.0
    nodes = (times - times[0]) / unit
    integrals = nodes[:, None] ** (powers + 1) / (powers + 1)
    return unit * np.linalg.solve(np.vander(nodes, increasing=True).T, integrals.T).T


def _runge_kutta_step(field: Callable[[Array], Array], state: Array, step: Float[Array, ""]) -> Array:
    first = field(state)
    second = field(state + step / 2 * first)
    third = field(state + step / 2 * second)
    fourth = field(state + step * third)
    return state + step / 6 * (first + 2 * second + 2 * third + fourth)
