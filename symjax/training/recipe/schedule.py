"""Learning rates and loss weights as functions of the step; optax has the shapes, these name the usual ones."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import optax


def warmup_cosine(peak: float, *, steps: int, warmup: int = 0, final: float = 0.0) -> optax.Schedule:
    """Return the learning rate that rises linearly for `warmup` steps and falls along half a cosine to step `steps`.

    f(t) = peak t / warmup, then final + (peak - final) (1 + cos(pi (t - warmup) / (steps - warmup))) / 2, then `final`
    (Loshchilov & Hutter 2017, arXiv:1608.03983, eq. 5, one cycle).

    Raises:
        ValueError: if the warm-up is as long as the run.
    """
    if not 0 <= warmup < steps:
        raise ValueError(f"the warm-up must be shorter than the run, not {warmup} of {steps} steps")
    return optax.warmup_cosine_decay_schedule(0.0 if warmup else peak, peak, warmup, steps, final)


def piecewise_linear(values: Mapping[int, float]) -> optax.Schedule:
    """Return the schedule that passes through `values[step]` on straight lines, constant before and after them.

    A weight of forces that gives way to energies: `piecewise_linear({0: 1.0, 10_000: 100.0})`.
    """
    steps, heights = _sorted(values)
    return lambda step: jnp.interp(jnp.asarray(step, jnp.result_type(float)), steps, heights)


def read_schedule(text: str, flag: str) -> dict[int, float]:
    """Return {step: value} from a number, or from a schedule such as 0:1,5000:10 (step:value).

    Raises:
        ValueError: the text is neither, or a value is negative or not finite.
    """
    try:
        points = [entry.split(":") for entry in text.split(",")]
        values = {0: float(text)} if ":" not in text else {int(step): float(value) for step, value in points}
        if not all(0 <= value < math.inf for value in values.values()):
            raise ValueError("a weight is negative or not finite")
    except ValueError:
        raise ValueError(
            f"{flag} is a number of at least 0, or a schedule such as 0:1,5000:10 (step:weight), not {text!r}"
        ) from None
    return values


class Plateau(NamedTuple):
    """Multiply the learning rate by `factor` after `patience` evaluations without a new best, down to `floor`."""

    factor: float = 0.5
    patience: int = 10
    floor: float = 1e-3

    def next_scale(self, scale: float, flat: int) -> tuple[float, int]:
        """Return the next learning-rate scale and count of flat evaluations."""
        return (max(scale * self.factor, self.floor), 0) if flat >= self.patience else (scale, flat)


def _sorted(values: Mapping[int, float]) -> tuple[np.ndarray, np.ndarray]:
    if not values:
        raise ValueError("a schedule needs at least one {step: value}")
    dtype = jnp.result_type(float)
    steps = sorted(values)
    return np.array(steps, dtype), np.array([values[step] for step in steps], dtype)
