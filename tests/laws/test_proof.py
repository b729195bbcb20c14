"""What is proved never moves by a bit; what leaks is never proved, and the equation that lets it in is named."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from symjax import Causality, check, prove

T = 6
KEY, X = jax.random.key(0), jax.random.normal(jax.random.key(1), (T, 2))
PAST = Causality.past(T)
SQUARE = jnp.asarray(np.random.default_rng(0).standard_normal((2, 2)))


def verdict(fn, x=X, law=PAST):
    (found,) = prove(fn, x, key=KEY, laws=[law]).verdicts
    return found


def mixed(x):
    return jnp.tanh(x @ SQUARE)


def convolved(x):
    kernel = jnp.ones((3, 2, 2))
    return jax.lax.conv_general_dilated(x[None], kernel, (1,), [(2, 0)], dimension_numbers=("NWC", "WIO", "NWC"))[0]


def attended(x):
    scores = jnp.where(np.tri(T, dtype=bool), x @ x.T, -jnp.inf)
    return jax.nn.softmax(scores, axis=-1) @ x


def recurrent(x):
    def turn(h, row):
        h = jnp.tanh(h @ SQUARE + row)
        return h, h

    return jax.lax.scan(turn, jnp.zeros(2), x)[1]


def averaged(x):
    return jnp.cumsum(x, axis=0) / jnp.arange(1.0, T + 1)[:, None]


def counted(x):
    def turn(state):
        i, y = state
        return i + 1, y.at[i].add(x[i])

    return jax.lax.while_loop(lambda state: state[0] < T, turn, (0, x))[1]


def remembered(x):
    return x + jnp.concatenate([jnp.zeros((1, 2)), x[:-1]])


def chosen(x):
    return jax.lax.cond(x[0, 0] > 0, lambda y: y + 1, lambda y: -y, x)


def looked_up(x):
    return x[np.maximum(np.arange(T) - 2, 0)]


LAWFUL = [mixed, convolved, attended, recurrent, averaged, counted, remembered, chosen, looked_up, jnp.sin]
CHECKPOINTED = jax.checkpoint(attended)


def window_norm(x):
    return (x - x.mean(axis=0, keepdims=True)) / (x.std(axis=0, keepdims=True) + 1e-5)


def wrong_axis(x):
    return jax.nn.softmax(jnp.where(np.tri(T, dtype=bool), x @ x.T, -jnp.inf), axis=0) @ x


def backward(x):
    return jax.lax.cumsum(x, axis=0, reverse=True)


def until_large(x):
    return jax.lax.while_loop(lambda y: jnp.sum(y) < 1, lambda y: y + 1, x)


LEAKS = {
    window_norm: "reduce_sum|sub|div",
    wrong_axis: "exp|div|sub|dot_general",
    backward: "cumsum",
    lambda x: x + x[::-1]: "rev",
    lambda x: x[jnp.argsort(x[:, 0])]: "sort|gather|lt|select_n",
    lambda x: jnp.fft.irfft(jnp.fft.rfft(x, axis=0), T, axis=0): "fft|transpose",
    until_large: "add|eqn|while|`",
    lambda x: x + jax.lax.cond(x[-1, 0] > 0, lambda: 1.0, lambda: 2.0): "add|`",
}


@pytest.mark.parametrize("fn", [*LAWFUL, CHECKPOINTED, jax.jit(averaged)], ids=lambda fn: fn.__name__)
def test_causal_layers_are_proved(fn):
    assert verdict(fn).verdict == "proved"
    assert verdict(fn, law=Causality(np.tri(T, k=-1))).verdict == "open"


@pytest.mark.parametrize("fn", LEAKS, ids=lambda fn: fn.__name__)
def test_a_leak_is_open_and_its_equation_named(fn):
    found = verdict(fn)
    assert found.verdict == "open"
    assert any(f"`{name}" in found.reason or name == "`" for name in LEAKS[fn].split("|")), found.reason
    assert "measured: " in found.reason
    assert "test_proof.py" in found.reason or "numpy" in found.reason


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(LAWFUL), min_size=1, max_size=4), st.booleans())
def test_what_is_proved_never_moves_by_a_bit(layers, leaks):
    planted = [*layers[:1], window_norm, *layers[1:]] if leaks else layers
    composed = functools.partial(functools.reduce, lambda x, layer: layer(x), planted)
    assert (verdict(composed).verdict == "proved") is not leaks
    assert bool(check(composed, X, key=KEY, laws=[PAST])) is not leaks


def test_an_unknown_primitive_is_open_by_its_name():
    found = verdict(lambda x: jax.lax.bessel_i1e(x))
    assert found.verdict == "open"
    assert "`bessel_i1e`" in found.reason
    assert "measured: obeyed" in found.reason


def test_callbacks_are_open_and_a_large_negative_mask_is_no_proof():
    def asked(x):
        return jax.pure_callback(lambda y: np.asarray(y), jax.ShapeDtypeStruct((T, 2), float), x)

    assert "pure_callback" in verdict(asked).reason
    finite = verdict(lambda x: jax.nn.softmax(x @ x.T - 1e9 * (1 - np.tri(T)), axis=-1) @ x)
    assert finite.verdict == "open"
    assert "measured: obeyed" in finite.reason


def test_trees_have_rows_in_every_leaf():
    state = {"x": X, "gap": jnp.arange(T)}
    assert (
        verdict(lambda d: (d["x"] * d["gap"][:, None].astype(float), jnp.cumsum(d["gap"])), state).verdict == "proved"
    )
    with pytest.raises(ValueError, match="expected 6 rows in every leaf of the output"):
        prove(lambda x: x[:2], X, key=KEY, laws=[PAST])
    with pytest.raises(TypeError, match="expected a law of causality"):
        prove(jnp.sin, X, key=KEY, laws=[])


def test_ancestors_are_what_edges_lead_from():
    chain = np.eye(4, k=1)
    assert Causality.ancestors(chain) == Causality(np.tri(4, k=-1))
    assert Causality.past(4) == Causality(np.tri(4))
    with pytest.raises(ValueError, match="cycles, got 0 -> 1 -> 2 -> 0"):
        Causality.ancestors(np.roll(np.eye(3), 1, axis=1))
    with pytest.raises(ValueError, match="a square matrix"):
        Causality.ancestors(np.ones((2, 3)))
