"""Windows of convolutions are as long as they say, and one product of matrices is the sum over taps."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.laws import Stationarity, check
from symjax.layers.sequence import DilatedBlock, causal_convolution, receptive_field
from tests.cases import KEY, start
from tests.cases.inputs import series


@pytest.mark.parametrize(("dilation", "width"), [(1, 1), (1, 2), (3, 2), (3, 4)])
def test_is_a_sum_over_taps(dilation, width):
    x, kernel = series(9, 2), np.random.default_rng(0).standard_normal((width, 2, 3))
    got = causal_convolution(*map(jnp.asarray, (kernel, x)), dilation=dilation)
    wanted = np.zeros((9, 3))
    for t, s in itertools.product(range(9), range(width)):
        if t >= s * dilation:
            wanted[t] += x[t - s * dilation] @ kernel[width - 1 - s]
    np.testing.assert_allclose(got, wanted, atol=1e-12)


def _span(module, instants):
    """How far back the last output has a gradient."""
    x = jnp.asarray(series(instants, 2))
    params, apply = start(module, x)
    slopes = jax.jit(jax.grad(lambda x: apply(params, x)[-1].sum()))(x)
    return instants - int(jnp.argmax(jnp.any(slopes != 0, axis=1)))


@pytest.mark.parametrize(
    ("layers", "width", "convolutions", "wanted"), [(4, 2, 1, 16), (4, 3, 1, 31), (2, 4, 1, 10), (3, 3, 2, 29)]
)
def test_gradients_span_the_receptive_field(layers, width, convolutions, wanted):
    block = DilatedBlock(layers, width, convolutions)
    assert block.receptive_field == wanted
    assert _span(block, wanted + 5) == wanted


def test_a_repeated_stack_sees_as_much_again():
    assert receptive_field(2, [1, 2, 4]) == 8
    assert receptive_field(2, [1, 2, 4] * 3) == 22
    assert receptive_field(1, [1, 2, 4]) == 1


def test_the_hour_means_nothing_after_the_receptive_field_alone():
    block, x = DilatedBlock(2, 2), jnp.asarray(series(9))
    (entry,) = check(block, x, key=KEY, laws=[Stationarity(4)]).entries
    assert entry.residual == 0
    assert not check(block, x, key=KEY, laws=[Stationarity(3)])  # where padding is still seen
