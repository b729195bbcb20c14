"""One instant after the other gives the rows of the whole, in shapes that never grow."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.laws import random_params
from symjax.layers.sequence import (
    AttentionPool,
    CausalAttention,
    CausalConvolution,
    DilatedBlock,
    PrefixNorm,
    stream,
)
from symjax.models import CausalStack, CausalTemporalNetwork
from tests.cases import KEY
from tests.cases.inputs import series

X = jnp.asarray(series(11, 4))
STREAMS = {
    "convolution": CausalConvolution(3, width=3, dilation=2),
    "block": DilatedBlock(layers=3, width=2, convolutions=2),
    "attention": CausalAttention(heads=2, window=4),
    "rotary attention": CausalAttention(heads=2, window=4, rotary=True),
    "attention to itself": CausalAttention(heads=2, window=1),
    "prefix norm": PrefixNorm(),
    "stack": nn.Sequential(
        [PrefixNorm(), CausalStack(hidden=4, layers=2, heads=2, window=4), nn.Dense(2, param_dtype=float)]
    ),
}


@pytest.mark.parametrize("name", STREAMS)
def test_equals_the_whole(name):
    module = STREAMS[name]
    params = random_params(module, X, key=KEY)
    whole = jax.jit(module.apply)(params, X)
    init, step = stream(module)
    state = init(params, X[0])
    shapes = jax.tree.map(jnp.shape, state)
    traced = []
    jitted = jax.jit(lambda *args: traced.append(args) or step(*args))
    for t, x in enumerate(X):
        state, y = jitted(params, state, x)
        np.testing.assert_allclose(y, whole[t], atol=1e-12)
    assert jax.tree.map(jnp.shape, state) == shapes
    assert len(traced) == 1  # one program at any instant


def test_several_streams_are_a_vmap():
    module = STREAMS["stack"]
    params = random_params(module, X, key=KEY)
    init, step = stream(module)
    both = jnp.stack([X[0], X[1]])
    states = jax.vmap(init, (None, 0))(params, both)
    _, y = jax.jit(jax.vmap(step, (None, 0, 0)))(params, states, both)
    np.testing.assert_allclose(y[1], jax.jit(step)(params, init(params, X[1]), X[1])[1], atol=1e-12)


@pytest.mark.parametrize(
    "module", [CausalAttention(2), AttentionPool(2), CausalTemporalNetwork(2, hidden=4, layers=1, heads=1)]
)
def test_what_cannot_go_on_says_so(module):
    params = random_params(module, X, key=KEY)
    with pytest.raises(ValueError, match=r"window=\.\.\.|go on from the instants before"):
        stream(module).init(params, X[0])
