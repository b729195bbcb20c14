import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import networkx as nx
import numpy as np
import pytest
from jax.experimental.sparse import BCOO

from symjax.data import from_networkx
from symjax.laws import Hops, check, random_params
from symjax.models import LAYERS, Affine, GraphNetwork
from tests.cases import start
from tests.cases.inputs import plain

KEY = jax.random.key(0)
GRAPH = jax.tree.map(jnp.asarray, plain())


@functools.cache
def two_layers():
    """A network of two convolutions, and its compiled function of the nodes of a path of six."""
    path = from_networkx([nx.path_graph(6)])
    path = jax.tree.map(jnp.asarray, path._replace(nodes=np.random.default_rng(0).standard_normal((6, 2))))
    model = GraphNetwork(2, width=3)
    params = random_params(model, path, key=KEY)
    return path, jax.jit(functools.partial(model.apply, params))


def test_two_layers_see_two_hops_and_not_one():
    path, fn = two_layers()
    assert np.asarray(Hops(2).relation(path).allowed).sum() == 24
    assert check(fn, path, key=KEY, laws=[Hops(2)])
    (entry,) = check(fn, path, key=KEY, laws=[Hops(1)]).entries
    assert entry.verdict == "BROKEN"
    assert str(Hops(2)) == "Causality: nodes see 2 hops"


@pytest.mark.parametrize("layer", ["gcn", "sage", "gat", "gatv2", "gin"])
def test_sparse_features_are_dense_ones(layer):
    model = GraphNetwork(2, layer, width=4, layers=1)
    features = np.where(np.arange(32).reshape(8, 4) % 3 == 0, np.asarray(GRAPH.nodes), 0)
    params, apply = start(model, GRAPH._replace(nodes=jnp.asarray(features)))
    dense, sparse = (apply(params, GRAPH._replace(nodes=x)).nodes for x in (features, BCOO.fromdense(features)))
    np.testing.assert_allclose(sparse, dense, atol=1e-12)


def test_dropout_has_a_key():
    model = GraphNetwork(2, width=3, dropout=0.5)
    params, apply = start(model, GRAPH)
    once, again, other = (apply(params, GRAPH, rngs={"dropout": jax.random.key(k)}).nodes for k in (1, 1, 2))
    np.testing.assert_array_equal(once, again)
    assert jnp.abs(once - other).max() > 0.01
    plain_network = GraphNetwork(2, width=3)
    np.testing.assert_allclose(apply(params, GRAPH).nodes, plain_network.apply(params, GRAPH).nodes, atol=1e-12)


def test_skips_add_and_norms_follow_every_hidden_layer():
    """With a norm that makes everything zero, what is skipped is all that is left."""
    deep = GraphNetwork(3, "sage", 4, 2, of="graphs", norm=Affine, skip=True)
    params, apply = start(deep, GRAPH)
    nothing = {"scale": jnp.zeros(4), "shift": jnp.zeros(4)}
    silent = {"params": params["params"] | {"norm_0": nothing, "norm_1": nothing}}
    np.testing.assert_allclose(apply(silent, GRAPH).nodes, GRAPH.nodes, atol=1e-12)


def test_a_batch_norm_in_evaluation_is_an_affine_map():
    x = jnp.asarray(np.random.default_rng(1).standard_normal((6, 3)))
    mean, var, scale, bias = np.random.default_rng(2).uniform(0.5, 2, (4, 3))
    norm = nn.BatchNorm(use_running_average=True, epsilon=1e-5, dtype=float, param_dtype=float)
    wanted = norm.apply({"params": {"scale": scale, "bias": bias}, "batch_stats": {"mean": mean, "var": var}}, x)
    factor = scale / np.sqrt(var + 1e-5)
    found = Affine().apply({"params": {"scale": factor, "shift": bias - mean * factor}}, x)
    np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_masked_edges_are_not_there():
    model = GraphNetwork(2, "gat", 4, options={"heads": 2})
    params, apply = start(model, GRAPH)
    mask = jnp.arange(9) < 7
    fewer = GRAPH._replace(senders=GRAPH.senders[:7], receivers=GRAPH.receivers[:7], n_edge=jnp.array([6, 1]))
    np.testing.assert_allclose(apply(params, GRAPH, mask).nodes, apply(params, fewer).nodes, atol=1e-12)


def test_what_is_not_known_is_said():
    with pytest.raises(ValueError, match="`layer` among gcn, sage, gat"):
        GraphNetwork(2, "gnc").init(KEY, GRAPH)
    with pytest.raises(ValueError, match="`readout` among sum, mean, max, set2set, got 'median'"):
        GraphNetwork(2, of="graphs", readout="median").init(KEY, GRAPH)
    with pytest.raises(ValueError, match=r"real features of nodes \[n, c\], got int64\[9, 3\]"):
        GraphNetwork(2).init(KEY, GRAPH._replace(nodes=np.ones((9, 3), int)))
    with pytest.raises(ValueError, match=r"outputs, width and layers each, got \(2, 16, 0\)"):
        GraphNetwork(2, layers=0)
    with pytest.raises(ValueError, match="a width that 3 heads divide, got 4"):
        GraphNetwork(2, "gat", 4, options={"heads": 3}).init(KEY, GRAPH)
    assert set(LAYERS) == {"gcn", "sage", "gat", "gatv2", "gin", "gine", "mpnn"}
