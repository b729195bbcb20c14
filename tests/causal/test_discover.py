"""Discovery: graphs that are found, what standardising takes away, and how graphs are compared."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.causal.discover import (
    as_graph,
    compare_graphs,
    dagma_linear,
    edge_frequencies,
    sort_and_regress,
    varsortability,
)

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def model():
    """Eight columns of a random linear model with noise of equal variance."""
    d = 8
    edges = np.triu(RNG.random((d, d)) < 0.25, 1)[np.ix_(order := RNG.permutation(d), order)]
    weights = edges * RNG.uniform(0.7, 2, (d, d)) * RNG.choice([-1, 1], (d, d))
    return edges, RNG.standard_normal((1000, d)) @ np.linalg.inv(np.eye(d) - weights)


def test_graphs_are_found_for_all_penalties_and_bootstraps_in_one_program(model):
    edges, data = model
    samples = [data, *(data[RNG.integers(0, len(data), len(data))] for _ in range(3))]
    covariances = jnp.asarray(np.stack([np.cov(sample.T) for sample in samples]))
    found = np.asarray(jax.jit(jax.vmap(dagma_linear))(covariances, jnp.array([0.02, 0.02, 0.03, 0.03])))
    assert compare_graphs(as_graph(found[0]), edges).distance == 0
    often = edge_frequencies(found)
    assert (often[edges] > 0.5).all()
    assert (often[~edges] < 0.5).all()


def test_variances_give_the_order_away_until_columns_are_standardised(model):
    edges, data = model
    assert varsortability(data, edges) > 0.85
    assert varsortability(data / data.std(axis=0), edges) == pytest.approx(0.5)
    raw, flat = (compare_graphs(sort_and_regress(x), edges).distance for x in (data, data / data.std(axis=0)))
    assert raw < flat


def test_a_reversed_edge_counts_once():
    true = np.zeros((4, 4), bool)
    true[0, 1] = true[1, 2] = True
    found = np.zeros((4, 4), bool)
    found[1, 0] = found[2, 3] = True
    assert compare_graphs(found, true) == (3, 1, 1, 1, 2)
    assert compare_graphs(np.zeros((4, 4), bool), true).distance == 2


def test_cycles_lose_their_weakest_edge():
    weights = np.array([[0, 1.0, 0], [0, 0, 0.9], [0.4, 0, 0]])
    assert as_graph(weights).sum() == 2
    assert not as_graph(weights)[2, 0]
