"""Layers and stacks of them agree with PyTorch Geometric 2.8.1, gradients included, from random weights.

Its graph has a lonely node, a node that only sends, a double edge and a loop; sometimes double loops.
"""

import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.layers.graph import max_nodes, mean_nodes, sum_nodes
from tests.golden import convert, read
from tests.golden_graphs import plain_graph

FOLDER = pathlib.Path(__file__).parents[2] / "golden"
FILES = {
    "gatconv": "gat",
    "gatconv_edge": "gat",
    "gatv2conv_edge": "gatv2",
    "gatv2conv_shared_edge": "gatv2",
    "gcnconv": "gcn",
    "gcnconv_weighted": "gcn",
    "gcnconv_weighted_no_loops": "gcn",
    "gineconv_edge": "gine",
    "ginconv": "gin",
    "model_gat": "graph_network",
    "model_gcn": "graph_network",
    "model_gin_norm": "graph_network",
    "nnconv_mpnn": "nnconv",
    "sageconv_max_project_normalize": "sage",
    "sageconv_mean": "sage",
}


@pytest.mark.parametrize("file", FILES)
def test_reference_outputs_and_gradients(file):
    weights, config, arrays = read(FOLDER / f"pyg_{file}.npz")
    module, params = convert(FILES[file], weights, config)
    graph = plain_graph(arrays)

    def loss(fields):
        y = module.apply(params, graph._replace(**fields)).nodes
        return jnp.sum(y * jnp.cos(jnp.arange(y.size, dtype=float)).reshape(y.shape)), y

    fields = {"nodes": graph.nodes, "edges": graph.edges}
    (_, y), gradients = jax.jit(jax.value_and_grad(loss, has_aux=True))(fields)
    np.testing.assert_allclose(y, arrays["out/y"], rtol=0, atol=1e-10)
    np.testing.assert_allclose(gradients["nodes"], arrays["out/grad_x"], rtol=0, atol=1e-10)
    if "out/grad_edges" in arrays:
        np.testing.assert_allclose(gradients["edges"], arrays["out/grad_edges"], rtol=0, atol=1e-10)


@pytest.mark.parametrize(("file", "kind"), [("nnconv_gru", "nnconv"), ("set2set", "set2set")])
def test_reference_recurrent_units(file, kind):
    weights, config, arrays = read(FOLDER / f"pyg_{file}.npz")
    module, params = convert(kind, weights, config)
    y = jax.jit(module.apply)(params, plain_graph(arrays))
    np.testing.assert_allclose(y.nodes if kind == "nnconv" else y, arrays["out/y"], rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", ["sum", "mean", "max"])
def test_reference_readouts(name):
    arrays = read(FOLDER / "pyg_model_gcn.npz")[2]
    graph = plain_graph(arrays)._replace(nodes=jnp.asarray(arrays["out/y"]))
    read_out = {"sum": sum_nodes, "mean": mean_nodes, "max": max_nodes}[name]
    np.testing.assert_allclose(jax.jit(read_out)(graph), arrays[f"out/pool_{name}"], rtol=0, atol=1e-10)


def test_reference_softmax():
    weights, config, arrays = read(FOLDER / "pyg_segment_softmax.npz")
    module, params = convert("segment_softmax", weights, config)
    ends, nodes = np.stack([arrays["in/index"]] * 2), np.zeros((arrays["in/index"].max() + 1, 0))
    graph = plain_graph({"in/x": nodes, "in/edge_index": ends, "in/edge_attr": arrays["in/src"]})
    np.testing.assert_allclose(module.apply(params, graph).edges, arrays["out/y"], rtol=0, atol=1e-12)
