import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.layers.irreps import Interaction, radial_weights
from tests.cases import load


def test_radial_weights_vanish_with_the_basis():
    kernels = [jnp.asarray(np.random.default_rng(0).normal(size=shape)) for shape in ((2, 5), (5, 3))]
    weights = jax.jit(radial_weights)(kernels, jnp.array([[0.0, 0.0], [1.0, 2.0]]))
    np.testing.assert_array_equal(weights[0], 0)
    assert jnp.abs(weights[1]).min() > 0


def test_irreps_that_nothing_reaches_are_left_out():
    """Scalars and even vectors times harmonics 0e + 1o + 2e never give 3o, and 1o only through the scalars."""
    graph = load("Interaction").x
    layer = Interaction("4x3o + 2x1o + 3x0e + 1x3e", 2, 3.0)
    assert layer.output_irreps(graph) == e3nn.Irreps("3x0e + 2x1o + 1x3e")
    shapes = jax.eval_shape(lambda graph: layer.init_with_output(jax.random.key(0), graph), graph)
    assert shapes[0].nodes.features.irreps == layer.output_irreps(graph)


def test_vectors_without_a_scalar_to_gate_them_are_refused():
    module, graph, _, _ = load("Interaction")
    nodes = graph.nodes._replace(features=graph.nodes.features.filter("1e"))
    edges = graph.edges._replace(harmonics=graph.edges.harmonics.filter("0e"))
    with pytest.raises(ValueError, match="even scalars that gate"):
        module.init(jax.random.key(0), graph._replace(nodes=nodes, edges=edges))
