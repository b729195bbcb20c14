import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.layers.graph import PaiNNNodes, painn_message, painn_update
from symjax.layers.graph.painn import SMOOTH
from tests.cases.inputs import directed


@pytest.fixture
def graph():
    return jax.tree.map(jnp.asarray, directed(2))


def test_messages_edge_by_edge(graph):
    send, weigh = (np.random.default_rng(k).standard_normal((rows, 6)) for k, rows in ((0, 2), (1, 3)))
    out = jax.jit(lambda graph: painn_message(lambda s: s @ send, lambda b: b @ weigh, graph))(graph).nodes
    (s, v), (directions, radial, envelope) = (jax.tree.map(np.asarray, part) for part in graph[:2])
    scalars, vectors = s.copy(), v.copy()
    for edge, (i, j) in enumerate(zip(graph.receivers, graph.senders, strict=True)):
        a, b, c = np.split((s[j] @ send) * (radial[edge] @ weigh) * envelope[edge], 3)
        scalars[i] += a
        vectors[i] += v[j] * b[:, None] + np.outer(c, directions[edge])
    np.testing.assert_allclose(out.scalars, scalars, atol=1e-12)
    np.testing.assert_allclose(out.vectors, vectors, atol=1e-12)


def test_updates_atom_by_atom(graph):
    mix, gate = (np.random.default_rng(k).standard_normal(shape) for k, shape in ((2, (2, 4)), (3, (4, 6))))
    out = jax.jit(lambda nodes: painn_update(lambda v: v @ mix, lambda x: x @ gate, nodes))(graph.nodes)
    assert isinstance(out, PaiNNNodes)
    for atom, (s, v) in enumerate(zip(*map(np.asarray, graph.nodes), strict=True)):
        u, w = mix[:, :2].T @ v, mix[:, 2:].T @ v
        p, q, r = np.split(np.concatenate([s, np.sqrt((w**2).sum(axis=1) + SMOOTH)]) @ gate, 3)
        np.testing.assert_allclose(out.scalars[atom], s + q + r * (u * w).sum(axis=1), atol=1e-12)
        np.testing.assert_allclose(out.vectors[atom], v + p[:, None] * u, atol=1e-12)
