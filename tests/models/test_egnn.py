import json
import pathlib

import jax
import jax.numpy as jnp
import jraph
import numpy as np
import pytest

from symjax.graphs import PointNodes
from symjax.models import EGNN

GOLDEN = pathlib.Path(__file__).parents[1] / "golden" / "egnn_nbody.npz"


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN, allow_pickle=False) as file:
        return dict(file)


def as_params(read, layers):
    """The flax parameters of the reference's, where `read(name)` is a torch weight [out, in] or bias."""

    def dense(name, *, bias=True):
        return {"kernel": read(f"{name}.weight").T} | ({"bias": read(f"{name}.bias")} if bias else {})

    def perceptron(name, *, bias=True):
        return {"hidden": dense(f"{name}.0"), "output": dense(f"{name}.2", bias=bias)}

    def layer(k):
        return {
            "message_kernel": read(f"gcl_{k}.edge_mlp.0.weight").T,
            "message_bias": read(f"gcl_{k}.edge_mlp.0.bias")[None],
            "message": dense(f"gcl_{k}.edge_mlp.2"),
            "move": perceptron(f"gcl_{k}.coord_mlp", bias=False),
            "push": perceptron(f"gcl_{k}.coord_mlp_vel"),
            "update": perceptron(f"gcl_{k}.node_mlp"),
        }

    return {"params": {"embedding": dense("embedding")} | {f"layer_{k}": layer(k) for k in range(layers)}}


def as_graph(golden):
    count = len(golden["in/nodes"])
    nodes = PointNodes(*(golden[f"in/{name}"] for name in ("nodes", "loc", "vel")))
    sizes = np.array([count]), np.array([len(golden["in/row"])])
    graph = jraph.GraphsTuple(nodes, golden["in/edge_attr"], golden["in/row"], golden["in/col"], None, *sizes)
    return jax.tree.map(jnp.asarray, graph)


def test_reference_outputs_and_gradients(golden):
    config = json.loads(str(golden["meta"]))["cfg"]
    model, graph = EGNN(width=config["hidden_nf"], layers=config["n_layers"]), as_graph(golden)
    params = as_params(lambda name: golden[f"w/{name}"], config["n_layers"])

    def loss(params, positions, velocities):
        nodes = graph.nodes._replace(positions=positions, velocities=velocities)
        predicted = model.apply(params, graph._replace(nodes=nodes)).nodes.positions
        return jnp.mean((predicted - golden["in/loc_end"]) ** 2), predicted

    value = jax.jit(jax.value_and_grad(loss, argnums=(0, 1, 2), has_aux=True))
    (mean, predicted), gradients = value(params, graph.nodes.positions, graph.nodes.velocities)
    expected = (
        as_params(lambda name: golden[f"out/gw/{name}"], config["n_layers"]),
        golden["out/grad_x"],
        golden["out/grad_vel"],
    )
    np.testing.assert_allclose(mean, golden["out/loss"], rtol=1e-12)
    np.testing.assert_allclose(predicted, golden["out/pred"], rtol=0, atol=1e-10)
    jax.tree.map(lambda got, want: np.testing.assert_allclose(got, want, rtol=0, atol=1e-10), gradients, expected)
