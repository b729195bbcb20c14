"""The layers agree with PyTorch Geometric 2.8.1, gradients included."""

import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.golden import convert, read
from tests.golden_graphs import plain_graph

FOLDER = pathlib.Path(__file__).parents[2] / "golden"
FILES = {
    "gcnconv": "gcn",
    "gcnconv_weighted": "gcn",
    "sageconv_mean": "sage",
    "gatconv": "gat",
    "gatv2conv_shared_edge": "gatv2",
    "ginconv": "gin",
    "nnconv_mpnn": "nnconv",
}


@pytest.mark.parametrize("file", FILES)
def test_reference_outputs_and_gradients(file):
    weights, config, arrays = read(FOLDER / f"pyg_{file}.npz")
    module, params = convert(FILES[file], weights, config)
    graph = plain_graph(arrays)

    def weighed(x):
        y = module.apply(params, graph._replace(nodes=x)).nodes
        return jnp.sum(y * jnp.cos(jnp.arange(y.size, dtype=float)).reshape(y.shape)), y

    (_, y), gradient = jax.jit(jax.value_and_grad(weighed, has_aux=True))(arrays["in/x"])
    np.testing.assert_allclose(y, arrays["out/y"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(gradient, arrays["out/grad_x"], rtol=0, atol=1e-12)
