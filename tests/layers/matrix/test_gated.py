"""Gates and functions of single numbers: the values, and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.groups import SU, O, Parity, S, Z
from symjax.layers.matrix import Gated, Pointwise, gated, gated_rep
from symjax.reps import Scalar, T, V


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_tensors_have_gates_and_scalars_are_their_own():
    rep = (2 * Scalar + 2 * V)(O(3))
    assert gated_rep(rep) == (2 * Scalar + 2 * V + 2 * Scalar)(O(3))
    x = np.random.default_rng(0).standard_normal(10)
    gates = np.array([x[0], x[1], *3 * [x[8]], *3 * [x[9]]])
    np.testing.assert_allclose(gated(rep, jnp.asarray(x)), sigmoid(gates) * x[:8], atol=1e-14)


def test_features_without_gates_are_refused():
    rep = (2 * Scalar + 2 * V)(O(3))
    with pytest.raises(ValueError, match=r"expected 10 numbers along the last axis, of .*, got shape \(5, 8\)"):
        gated(rep, jnp.ones((5, 8)))


def test_permuted_numbers_need_no_gate():
    rep = (V + T(2))(S(3))
    assert gated_rep(rep) == rep
    x = np.linspace(-2, 2, rep.size)
    np.testing.assert_allclose(gated(rep, jnp.asarray(x)), sigmoid(x) * x, atol=1e-14)


def test_complex_gates_open_by_their_real_part():
    rep = V(SU(2))
    y = Gated(rep).apply({}, jnp.array([1j, 2.0, 3.0 + 4j]))
    np.testing.assert_allclose(y, sigmoid(3.0) * np.array([1j, 2.0]), atol=1e-14)


@pytest.mark.parametrize(
    ("rep", "function"),
    [(V(S(3)), jax.nn.relu), (T(2)(Z(4)), jnp.exp), ((V + 2 * Scalar)(Parity()), jnp.tanh), (V(Parity()), jnp.sin)],
)
def test_lawful_functions_of_numbers(rep, function):
    x = jnp.linspace(-1.0, 1.0, rep.size)
    np.testing.assert_array_equal(Pointwise(rep, function).apply({}, x), function(x))


@pytest.mark.parametrize("function", [lambda x: jnp.cumsum(x, -1), jax.nn.softmax, jnp.sum])
def test_functions_that_mix_numbers_are_refused(function):
    with pytest.raises(ValueError, match="expected a function of every number by itself"):
        Pointwise(V(S(3)), function).apply({}, jnp.ones(3))


def clipped(x):
    return jnp.clip(x, -4.0, 5.0)


@pytest.mark.parametrize(
    ("rep", "function"),
    [
        (V(Parity()), jax.nn.relu),
        (V(Parity()), clipped),
        (V(O(3)), jnp.tanh),
        (V(O(3)), jax.nn.relu),
        (V(SU(2)), jnp.tanh),
    ],
)
def test_others_are_refused_in_one_sentence(rep, function):
    with pytest.raises(ValueError, match=r"breaks the symmetry of .*; use Gated"):
        Pointwise(rep, function).apply({}, jnp.ones(rep.size))
