import jax
import jax.numpy as jnp
import jraph
import numpy as np

from symjax.layers.graph import SchNetEdges, SchNetLayer, schnet_layer, shifted_softplus


def as_graph(radial, envelope):
    """Node 0 hears from 1 and 2, node 1 hears from 0, node 2 hears nothing."""
    nodes, edges = jnp.array([[1.0, 2.0], [3.0, 5.0], [7.0, 11.0]]), SchNetEdges(jnp.asarray(radial), envelope)
    senders, receivers, sizes = jnp.array([1, 2, 0]), jnp.array([0, 0, 1]), (jnp.array([3]), jnp.array([3]))
    return jraph.GraphsTuple(nodes, edges, receivers, senders, None, *sizes)


def test_messages_are_products_of_features_and_filters_and_are_summed():
    graph = as_graph([[10.0, 100.0], [20.0, 200.0], [30.0, 300.0]], jnp.array([1.0, 0.5, 0.0]))
    out = schnet_layer(lambda h: 2 * h, lambda radial: radial + 1, lambda heard: -heard, graph).nodes
    heard = [[2 * (3 * 11 + 7 * 21 / 2), 2 * (5 * 101 + 11 * 201 / 2)], [0, 0], [0, 0]]
    np.testing.assert_allclose(out, graph.nodes - jnp.array(heard), rtol=1e-14)


def test_softplus_passes_zero():
    x = jnp.array([-800.0, -1.5, 0.0, 1.5, 800.0])
    expected = [-np.log(2), np.log1p(np.exp(-1.5)) - np.log(2), 0, np.log1p(np.exp(1.5)) - np.log(2), 800 - np.log(2)]
    np.testing.assert_allclose(shifted_softplus(x), expected, atol=1e-15)


def test_single_precision_stays_single():
    graph = as_graph(np.ones((3, 4)), jnp.ones(3))
    graph = jax.tree.map(lambda x: x.astype(jnp.float32) if jnp.issubdtype(x.dtype, jnp.floating) else x, graph)
    layer = SchNetLayer(filters=5)
    out, params = jax.eval_shape(lambda graph: layer.init_with_output(jax.random.key(0), graph), graph)
    assert {leaf.dtype for leaf in jax.tree.leaves((out.nodes, params))} == {jnp.dtype("float32")}
    assert out.nodes.shape == (3, 2)
    assert params["params"]["send"]["kernel"].shape == (2, 5)
