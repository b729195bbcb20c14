"""The temporal network forecasts its targets in their own units, and its stack is proved causal."""

import dataclasses

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax import prove
from symjax.groups import Amplitude
from symjax.laws import Causality, Equivariance, Stationarity, check, random_params
from symjax.layers.sequence import PrefixNorm, denormalise, normalise
from symjax.models import CausalStack, CausalTemporalNetwork
from symjax.reps import Channels
from tests.cases import KEY, start
from tests.cases.inputs import series

X = jnp.asarray(series(12, 3))
MODEL = CausalTemporalNetwork(horizon=5, targets=(2,), hidden=4, layers=2, heads=2)
STACK = CausalStack(hidden=4, layers=2, heads=2)


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_the_forecast_follows_amplitudes(scale):
    params, apply = start(MODEL, X)
    y = apply(params, X)
    assert y.shape == (5, 1)
    np.testing.assert_allclose(apply(params, scale * X + 7 * scale), scale * y + 7 * scale, rtol=1e-9)
    others = X * jnp.array([[scale, 2.0, 1.0]])
    np.testing.assert_allclose(apply(params, others), y, rtol=1e-9)


def test_statistics_of_another_channel_break_the_law():
    def forecast(x, column):
        z, stats = normalise(x, kind="window")
        return denormalise(jnp.tanh(z[-2:, :1] + z[-2:, 1:2]), stats, columns=[column])

    law = Equivariance(Amplitude(3), Channels(), Channels((0,)))
    assert check(lambda x: forecast(x, 0), X, key=KEY, laws=[law])
    assert not check(lambda x: forecast(x, 1), X, key=KEY, laws=[law])


def test_targets_are_columns_of_the_series():
    with pytest.raises(ValueError, match="columns from 0 to 2"):
        jax.eval_shape(CausalTemporalNetwork(2, targets=(3,)).init, KEY, X)


def test_a_constant_channel_forecasts_itself_with_finite_gradients():
    x = X.at[:, 2].set(0.1)
    params, apply = start(MODEL, x)
    assert (apply(params, x) == 0.1).all()
    slopes = jax.jit(jax.grad(lambda params, x: jnp.sum(apply(params, x) ** 2), argnums=(0, 1)))(params, x)
    assert all(jnp.isfinite(slope).all() for slope in jax.tree.leaves(slopes))


def test_what_is_known_ahead_is_seen():
    known = jnp.asarray(series(17, 2))
    params = jax.jit(MODEL.init)(KEY, X, known)
    apply = jax.jit(MODEL.apply)
    y = apply(params, X, known)
    assert all((apply(params, X, known.at[i].add(1)) != y).any() for i in (3, 16))


def test_dropout_needs_a_key():
    model = dataclasses.replace(MODEL, dropout=0.5)
    params, apply = start(MODEL, X)
    drop = jax.jit(lambda key: model.apply(params, X, rngs={"dropout": key}))
    assert jnp.allclose(start(model, X)[1](params, X), apply(params, X), atol=1e-12)
    assert (drop(jax.random.key(0)) != drop(jax.random.key(1))).any()


def test_the_stack_is_proved_and_with_window_statistics_it_is_not():
    params = random_params(STACK, X, key=KEY)
    assert prove(STACK, X, key=KEY, params=params)

    def leaking(x):
        return STACK.apply(params, normalise(x, kind="window")[0])

    (found,) = prove(leaking, X, key=KEY, laws=[Causality.past(12)]).verdicts
    assert found.verdict == "open"
    assert "measured: BROKEN" in found.reason
    assert "norm.py" in found.reason


def test_the_first_prefix_has_finite_gradients_through_every_norm():
    params, apply = start(nn.Sequential((PrefixNorm(), STACK)), X)  # row 0 is zero in all channels, and so are biases
    slopes = jax.jit(jax.grad(lambda params, x: jnp.sum(apply(params, x)[0] ** 2), argnums=(0, 1)))(params, X)
    assert all(jnp.isfinite(slope).all() for slope in jax.tree.leaves(slopes))


def test_the_last_instant_is_that_of_the_whole():
    params, apply = start(STACK, X)
    _, last = start(dataclasses.replace(STACK, queries=1), X)
    np.testing.assert_allclose(last(params, X), apply(params, X)[-1:], atol=1e-12)


def test_a_window_of_attention_makes_the_stack_stationary():
    x = jnp.asarray(series(14))
    stack = CausalStack(hidden=4, layers=2, heads=2, width=2, attentions=1, window=3, rotary=True)
    field = 4 + 2
    assert check(stack, x, key=KEY, laws=[Stationarity(field)])
    assert not check(stack, x, key=KEY, laws=[Stationarity(field - 1)])
