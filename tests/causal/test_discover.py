"""Discovery: graphs that are found, what standardising takes away, and how graphs are compared."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.causal import discover
from symjax.causal.discover import (
    as_graph,
    compare_graphs,
    cpdag,
    dagma_linear,
    edge_frequencies,
    sort_and_regress,
    varsortability,
)
from symjax.math import transitive_closure

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
    drawn = discover.bootstrap_covariances(jax.random.key(0), jnp.asarray(data), 3)
    covariances = jnp.concatenate([jnp.cov(data.T, bias=True)[None], drawn])
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


def test_notears_finds_the_same_graph(model):
    edges, data = model
    found = np.asarray(jax.jit(discover.notears_linear)(jnp.cov(data.T)))
    assert compare_graphs(as_graph(found), edges).distance == 0
    assert (as_graph(found, 0.1) == as_graph(found, 0.3)).all()  # what is no edge is near zero


@pytest.mark.parametrize("method", ["dagma_mlp", "notears_mlp"])
def test_perceptrons_find_a_cause_whose_effect_has_little_slope(method):
    rng = np.random.default_rng(0)
    x, noise = rng.uniform(-2, 2, 200), 0.3 * rng.standard_normal((2, 200))
    data = np.stack([2 * np.sin(2 * x) + noise[0], noise[1], x], axis=1)
    weights = jnp.asarray(np.r_[np.ones(200), np.zeros(200)])
    whole = jnp.asarray(np.concatenate([data, 9 * rng.standard_normal((200, 3))]))  # rows without weight count nothing
    fit = jax.jit(lambda key: getattr(discover, method)(key, whole, weights, width=4, steps=300))
    true = np.zeros((3, 3), bool)
    true[2, 0] = True
    assert (as_graph(np.asarray(fit(jax.random.key(0)))) == true).all()
    assert not as_graph(np.asarray(dagma_linear(jnp.cov(data.T)))).any()


def all_graphs(d):
    places = [(i, j) for i in range(d) for j in range(d) if i != j]
    for bits in itertools.product([False, True], repeat=len(places)):
        graph = np.zeros((d, d), bool)
        graph[tuple(np.transpose(places))] = bits
        if not transitive_closure(graph).diagonal().any():
            yield graph


def meeting(graph):
    """Arrows that meet at a node from nodes that are not joined, and the joined pairs."""
    joined, d = graph | graph.T, range(len(graph))
    met = [(i, j, k) for i in d for j in d for k in d if i < k and graph[i, j] and graph[k, j] and not joined[i, k]]
    return joined.tobytes(), tuple(met)


def test_a_cpdag_keeps_the_directions_that_its_whole_class_has():
    classes = {}
    for graph in all_graphs(4):
        classes.setdefault(meeting(graph), []).append(graph)
    assert len(classes) == 185
    for members in classes.values():
        shared = np.any(members, axis=0)
        assert all((cpdag(member) == shared).all() for member in members[:2])


def test_a_direction_that_is_known_turns_others():
    pattern = np.zeros((4, 4), bool)  # a - b, a - c, a - d, and c -> d -> b is known: a -> b, or a circle
    for i, j in [(0, 1), (1, 0), (0, 2), (2, 0), (0, 3), (3, 0), (2, 3), (3, 1)]:
        pattern[i, j] = True
    assert discover.orient(pattern)[[0, 1], [1, 0]].tolist() == [True, False]


def test_undirected_edges_count_once_and_skeletons_ignore_directions():
    chain, turned = np.zeros((3, 3), bool), np.zeros((3, 3), bool)
    chain[0, 1] = chain[1, 2] = turned[2, 1] = turned[1, 0] = True
    assert compare_graphs(chain, turned).distance == 2
    assert compare_graphs(cpdag(chain), cpdag(turned)) == (0, 0, 0, 0, 2)
    assert compare_graphs(chain, cpdag(turned)) == (2, 0, 0, 2, 2)
    assert discover.skeleton_f1(chain, turned) == 1
    assert discover.skeleton_f1(chain & (turned.T > 1), turned) == 0
