"""Pools count what is there and keep the newest."""

import jax.numpy as jnp
import numpy as np
import pytest

from symjax.laws import check
from symjax.layers.sequence import attention_pool, causal_average, windows_law
from tests.cases import KEY
from tests.cases.inputs import series

X = jnp.asarray(series(7))


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_averages_windows_that_end_at_the_newest(stride):
    ends = range(6, -1, -stride)[::-1]
    wanted = [X[max(0, end - 2) : end + 1].mean(axis=0) for end in ends]
    got = causal_average(X, 3, stride=stride)
    np.testing.assert_allclose(got, wanted, atol=1e-12)
    np.testing.assert_allclose(attention_pool(jnp.full(7, 2.0), X, 3, stride=stride), got, atol=1e-12)


def test_the_start_is_not_pulled_to_zero_and_the_newest_is_kept():
    ones, moved = jnp.ones((7, 1)), X.at[-1].add(1)
    assert (causal_average(ones, 3) == 1).all()
    assert jnp.convolve(ones[:, 0], jnp.ones(3) / 3)[0] < 0.5  # a window of zeros before the start
    assert (causal_average(moved, 3, stride=3)[-1] != causal_average(X, 3, stride=3)[-1]).all()
    cut = [x[:6].reshape(2, 3, -1).mean(axis=1) for x in (X, moved)]
    assert (cut[0] == cut[1]).all()  # blocks from the start do not see the newest at all


def test_scores_choose():
    scores = jnp.zeros(7).at[3].set(100.0)
    np.testing.assert_allclose(attention_pool(scores, X, 4)[3:7], jnp.broadcast_to(X[3], (4, 2)), atol=1e-12)


@pytest.mark.parametrize("stride", [1, 3])
def test_sees_its_window_alone(stride):
    law = windows_law(7, 3, stride=stride)
    assert check(lambda x: causal_average(x, 3, stride=stride), X, key=KEY, laws=[law])
    assert not check(lambda x: causal_average(x, 4, stride=stride), X, key=KEY, laws=[law])


def test_windows_of_nothing_are_refused():
    with pytest.raises(ValueError, match="at least 1, got 0 and 1"):
        causal_average(X, 0)
