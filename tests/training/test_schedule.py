"""Schedules against their formulas."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.training import Plateau, piecewise_linear, warmup_cosine


def test_warmup_cosine_is_its_formula():
    schedule = warmup_cosine(2.0, steps=110, warmup=10, final=0.5)
    t = np.arange(0, 130)
    cosine = 0.5 + 1.5 * (1 + np.cos(np.pi * (t - 10) / 100)) / 2
    expected = np.select([t < 10, t <= 110], [2.0 * t / 10, cosine], 0.5)
    with jax.numpy_dtype_promotion("standard"):
        np.testing.assert_allclose(jax.vmap(schedule)(jnp.asarray(t)), expected, rtol=1e-6)
        assert warmup_cosine(2.0, steps=5)(0) == 2.0
    with pytest.raises(ValueError, match="shorter than the run, not 5 of 5 steps"):
        warmup_cosine(1.0, steps=5, warmup=5)


def test_piecewise_schedule_passes_through_its_points():
    points = {100: 3.0, 0: 1.0, 200: 0.0}
    steps = jnp.asarray([0, 50, 99, 100, 150, 200, 10_000], jnp.int32)
    np.testing.assert_allclose(jax.jit(piecewise_linear(points))(steps), [1, 2, 2.98, 3, 1.5, 0, 0])
    with pytest.raises(ValueError, match="at least one"):
        piecewise_linear({})


def test_plateau_halves_after_its_patience_and_stops_at_its_floor():
    rule = Plateau(factor=0.5, patience=2, floor=0.2)
    assert rule.next_scale(1.0, 1) == (1.0, 1)
    assert rule.next_scale(1.0, 2) == (0.5, 0)
    assert rule.next_scale(0.25, 3) == (0.2, 0)
