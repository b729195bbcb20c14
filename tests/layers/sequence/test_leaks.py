"""Every known way to see the future is caught by `check` and by `prove`, and what is proved never moves by a bit."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from symjax import Causality, check, prove
from symjax.layers.sequence import (
    CausalAttention,
    CausalConvolution,
    DilatedBlock,
    PrefixNorm,
    ScaleInvariantNorm,
    causal_average,
    causal_mask,
    normalise,
)
from tests.cases import KEY
from tests.cases.inputs import series

T = 6
X, PAST = jnp.asarray(series(T, 4)), Causality.past(T)


def wrong_axis(x):
    """Weights that sum to one over the queries, so that each is divided by those of later ones."""
    weights = jax.nn.softmax(jnp.where(causal_mask(T), x @ x.T, -jnp.inf), axis=0)
    return weights @ x


LEAKS = {
    "anti-causal": lambda x: jnp.cumsum(x[::-1], axis=0),
    "window statistics": lambda x: normalise(x, kind="window")[0],
    "softmax over the wrong axis": wrong_axis,
    "time reversed": lambda x: x[::-1],
    "centred average": lambda x: jnp.concatenate([causal_average(x, 3)[1:], x[-1:]]),
    "mask of what is blocked": lambda x: jnp.where(~causal_mask(T), x @ x.T, 0) @ x,
}
LAYERS = {
    "attention": CausalAttention(2),
    "window": CausalAttention(1, rotary=True, window=3),
    "convolution": CausalConvolution(4, 2, 2),
    "block": DilatedBlock(2, 2),
    "norm": ScaleInvariantNorm(),
    "prefix": PrefixNorm(),
    "average": lambda x: causal_average(x, 3),
}


def both(layers):
    module = nn.Sequential(layers)
    proof = prove(module, X, key=KEY, laws=[PAST])
    return bool(proof), check(module, X, key=KEY, laws=[PAST]).entries[0].residual


@pytest.mark.parametrize("name", LEAKS)
def test_known_leaks_are_caught_twice(name):
    proved, residual = both([LEAKS[name], LAYERS["norm"]])
    assert not proved
    assert residual > 1e-6


@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.sampled_from(list(LAYERS)), min_size=1, max_size=3), st.none() | st.sampled_from(list(LEAKS)), st.data()
)
def test_what_is_proved_never_moves_by_a_bit(names, leak, data):
    layers = [LAYERS[name] for name in names]
    if leak is not None:
        layers.insert(data.draw(st.integers(0, len(layers))), LEAKS[leak])
    proved, residual = both(layers)
    assert proved is (leak is None)
    if proved:
        assert residual == 0
