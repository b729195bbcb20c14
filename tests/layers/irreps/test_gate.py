import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.layers.irreps import gate, gated_irreps, scaled_silu, scaled_tanh


@pytest.mark.parametrize("wanted", ["2x0e + 3x1o + 1x2e", "2x0e + 1x0o + 2x1e + 1x1o", "3x0e", "2x1o"])
def test_gate_is_that_of_e3nn(wanted):
    irreps = gated_irreps(e3nn.Irreps(wanted))
    x = e3nn.IrrepsArray(irreps, jnp.asarray(np.random.default_rng(0).normal(size=(2, irreps.dim))))

    @jax.jit
    def compute(x):
        peer = e3nn.gate(x, scaled_silu, scaled_tanh, scaled_silu, scaled_tanh, normalize_act=False)
        return gate(x), peer

    ours, theirs = compute(x)
    assert ours.irreps == theirs.irreps == e3nn.Irreps(wanted)
    np.testing.assert_allclose(ours.array, theirs.array, rtol=1e-14)


@pytest.mark.parametrize("irreps", ["1x0e + 2x1o", "2x0e + 1x0o + 1x1o"])
def test_too_few_gates_are_refused(irreps):
    irreps = e3nn.Irreps(irreps)
    with pytest.raises(ValueError, match="an even scalar for each irrep to gate"):
        gate(e3nn.IrrepsArray(irreps, jnp.ones((2, irreps.dim))))


@pytest.mark.parametrize("activation", [scaled_silu, scaled_tanh])
def test_activations_have_unit_mean_square(activation):
    points, weights = np.polynomial.hermite_e.hermegauss(128)
    values = np.asarray(activation(jnp.asarray(points)))
    np.testing.assert_allclose(weights @ values**2 / weights.sum(), 1, rtol=1e-12)
