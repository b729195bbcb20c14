"""Series whose best forecast is known exactly: one channel drives another, y_t = 0.7 y_t-1 + 0.2 x_t-1 + 0.1 e_t."""

import numpy as np
from jaxtyping import Float

from symjax.data.series.series import Series

MEMORY, DRIVE, NOISE = 0.7, 0.2, 0.1


def synthetic_series(count: int, length: int, seed: int) -> list[Series]:
    """Return independent series of y and x with normal x_t, e_t and y_0 = 0."""
    x, e = np.random.default_rng(seed).standard_normal((2, length, count))
    y = np.zeros((length, count))
    for t in range(1, length):
        y[t] = MEMORY * y[t - 1] + DRIVE * x[t - 1] + NOISE * e[t]
    values = np.stack([y, x], axis=-1)
    return [
        Series(values[:, i], np.arange(length), ("y", "x"), str(i) if count > 1 else "", np.zeros((0, 0)))
        for i in range(count)
    ]


def synthetic_oracle(past: Float[np.ndarray, "*n l 2"], horizon: int) -> Float[np.ndarray, "*n h"]:
    """Return the expectation of y at each step ahead: 0.7^h y_T + 0.2 0.7^(h-1) x_T."""
    decay = MEMORY ** np.arange(horizon)
    y, x = past[..., -1, 0, None], past[..., -1, 1, None]
    return decay * (MEMORY * y + DRIVE * x)


def synthetic_optimum(horizon: int) -> Float[np.ndarray, " h"]:
    """Return the mean square error of `synthetic_oracle` at each step, which no forecast is below.

    v_h = 0.1^2 sum_{k < h} 0.7^2k + 0.2^2 sum_{k < h - 1} 0.7^2k
    """
    squares = np.cumsum(MEMORY ** (2 * np.arange(horizon)))
    return NOISE**2 * squares + DRIVE**2 * np.concatenate([[0], squares[:-1]])
