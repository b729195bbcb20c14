"""Convolutions in time are stationary after their receptive field, and nothing that knows the hour is."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.laws import Stationarity, check

KEY, X = jax.random.key(0), jax.random.normal(jax.random.key(1), (12, 2))
KERNEL = np.random.default_rng(0).standard_normal((4, 2, 2))


def convolved(x):
    past = jnp.concatenate([jnp.zeros((3, 2)), x])
    return sum(past[s : s + 12] @ KERNEL[s] for s in range(4))


def judge(fn, field, **options):
    (entry,) = check(fn, X, key=KEY, laws=[Stationarity(field)], **options).entries
    return entry


def test_a_convolution_sees_its_window_alone():
    assert judge(convolved, 4).residual == 0
    assert judge(convolved, 4, effort="thorough").verdict == "obeyed"
    assert judge(convolved, 3).verdict == "BROKEN"  # the padding shows


@pytest.mark.parametrize(
    "fn",
    [
        lambda x: convolved(x) + jnp.arange(12.0)[:, None],
        lambda x: jnp.cumsum(x, axis=0),
        lambda x: x - x.mean(axis=0, keepdims=True),
        lambda x: jnp.roll(x, 8, axis=0),
    ],
    ids=["the hour", "a sum from the start", "a mean of the window", "what comes round"],
)
def test_what_knows_when_it_is_is_caught(fn):
    assert judge(fn, 4).verdict == "BROKEN"


def test_bad_fields_are_refused():
    with pytest.raises(ValueError, match="at least 1, got 0"):
        Stationarity(0)
    with pytest.raises(ValueError, match="more than 12 instants"):
        judge(convolved, 12)
    assert str(Stationarity(4)) == "stationary after 4 instants"
