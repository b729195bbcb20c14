import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.layers import Interaction, gate, gated_irreps
from symjax.layers.interaction import RadialWeights, scaled_silu, scaled_tanh
from tests.cases import CASES


@pytest.mark.parametrize("wanted", ["2x0e + 3x1o + 1x2e", "2x0e + 1x0o + 2x1e + 1x1o", "3x0e", "2x1o"])
def test_gate_is_that_of_e3nn(wanted):
    irreps = gated_irreps(e3nn.Irreps(wanted))
    x = e3nn.IrrepsArray(irreps, jnp.asarray(np.random.default_rng(0).normal(size=(2, irreps.dim))))
    expected = e3nn.gate(x, scaled_silu, scaled_tanh, scaled_silu, scaled_tanh, normalize_act=False)
    assert gate(x).irreps == expected.irreps == e3nn.Irreps(wanted)
    np.testing.assert_allclose(gate(x).array, expected.array, rtol=1e-14)


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


def test_radial_weights_vanish_with_the_basis():
    network, basis = RadialWeights((5, 3)), jnp.array([[0.0, 0.0], [1.0, 2.0]])
    weights = network.apply(network.init(jax.random.key(0), basis), basis)
    np.testing.assert_array_equal(weights[0], 0)
    assert jnp.abs(weights[1]).min() > 0


def test_irreps_that_nothing_reaches_are_left_out():
    """Scalars and even vectors times harmonics 0e + 1o + 2e never give 3o, and 1o only through the scalars."""
    _, graph = CASES["Interaction"]()
    layer = Interaction("4x3o + 2x1o + 3x0e + 1x3e", 2, 3.0)
    assert layer.output_irreps(graph) == e3nn.Irreps("3x0e + 2x1o + 1x3e")
    shapes = jax.eval_shape(lambda graph: layer.init_with_output(jax.random.key(0), graph), graph)
    assert shapes[0].nodes.features.irreps == layer.output_irreps(graph)


def test_vectors_without_a_scalar_to_gate_them_are_refused():
    module, graph = CASES["Interaction"]()
    nodes = graph.nodes._replace(features=graph.nodes.features.filter("1e"))
    edges = graph.edges._replace(harmonics=graph.edges.harmonics.filter("0e"))
    with pytest.raises(ValueError, match="even scalars that gate"):
        module.init(jax.random.key(0), graph._replace(nodes=nodes, edges=edges))
