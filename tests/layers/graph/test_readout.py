import functools

import jax
import jax.numpy as jnp
import jraph
import numpy as np

from symjax.layers.graph import Set2Set, max_nodes, mean_nodes, sum_nodes

NODES = jnp.array([[1.0, -2.0], [3.0, -4.0], [jnp.nan, jnp.nan], [5.0, -6.0]])
MASK = jnp.array([True, True, False, True])
NONE = jnp.zeros(0, int)
GRAPH = jraph.GraphsTuple(NODES, None, NONE, NONE, None, jnp.array([3, 0, 1]), jnp.zeros(3, int))


def test_masked_nodes_are_not_read_and_empty_graphs_read_as_zero():
    read_out = jax.jit(lambda graph, mask: [f(graph, mask) for f in (sum_nodes, mean_nodes, max_nodes)])
    total, mean, largest = read_out(GRAPH, MASK)
    np.testing.assert_array_equal(total, [[4, -6], [0, 0], [5, -6]])
    np.testing.assert_array_equal(mean, [[2, -3], [0, 0], [5, -6]])
    np.testing.assert_array_equal(largest, [[3, -2], [0, 0], [5, -6]])


def test_set2set_does_not_read_masked_nodes():
    layer = Set2Set(2)
    clean = GRAPH._replace(nodes=jnp.where(MASK[:, None], NODES, 7))
    params = jax.tree.map(lambda s: jnp.ones(s.shape), jax.eval_shape(layer.init, jax.random.key(0), GRAPH))

    @jax.jit
    @functools.partial(jax.value_and_grad, has_aux=True)
    def value(params, graph):
        y = layer.apply(params, graph, MASK)
        return jnp.sum(y**2), y

    y = value(params, GRAPH)[0][1]
    jax.tree.map(np.testing.assert_array_equal, value(params, GRAPH), value(params, clean))
    np.testing.assert_array_equal(y[1, 2:], 0)
    np.testing.assert_allclose(y[2, 2:], NODES[3])
    without = GRAPH._replace(nodes=NODES[MASK], n_node=jnp.array([2, 0, 1]))
    np.testing.assert_allclose(y, layer.apply(params, without), rtol=1e-12)
