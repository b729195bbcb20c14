"""Variables see what causes them and nothing else, and interventions are data."""

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

from symjax.laws import prove
from symjax.models import DagTransformer, generate, topological_order
from tests.cases import start

EDGES = ((3, 0), (0, 1), (3, 1), (1, 2))  # 3 -> 0 -> 1 -> 2, and 3 -> 1
LINEAR = np.zeros((4, 4))
LINEAR[0, 3], LINEAR[1, 0], LINEAR[1, 3], LINEAR[2, 1] = 0.5, -1.0, 2.0, 3.0
NOISE = np.random.default_rng(0).standard_normal((4, 1))


@pytest.mark.parametrize(("relation", "pairs"), [("parents", 4), ("ancestors", 6)])
def test_causes_and_only_causes_are_seen(relation, pairs):
    model, x = DagTransformer(EDGES, relation, outputs=2, width=8, layers=2, heads=2), jnp.ones((4, 1))
    params, apply = start(model, x)
    moves = jnp.abs(jax.jit(jax.jacfwd(lambda x: apply(params, x)))(x)).sum(axis=(1, 3))
    np.testing.assert_array_equal(moves > 0, model.laws(x)[0].allowed)
    assert (moves > 0).sum() == pairs
    assert prove(model, x, key=jax.random.key(0))


def test_an_order_puts_causes_first():
    assert topological_order(EDGES, 4).tolist() == [3, 0, 1, 2]


def solved(do, values):
    """The solution of x = A x + noise, with the rows of what is set replaced."""
    a = np.where(do[:, None], 0, LINEAR)
    return np.linalg.solve(np.eye(4) - a, np.where(do[:, None], values, NOISE))


def test_interventions_are_traced_and_come_in_batches():
    traces = []

    @jax.jit
    @jax.vmap
    def run(do, values):
        traces.append(do)
        return generate(lambda x: LINEAR @ x + NOISE, topological_order(EDGES, 4), do=do, values=values)

    do = np.array([[0, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 1]], bool)
    values = np.random.default_rng(1).standard_normal((3, 4, 1))
    wanted = [solved(*pair) for pair in zip(do, values, strict=True)]
    np.testing.assert_allclose(run(do, values), wanted, atol=1e-12)
    run(~do, values)
    assert len(traces) == 1
    effect = jax.grad(lambda v: run(do[1:2], values[1:2].at[0, 0, 0].set(v))[0, 2, 0])
    values = jnp.asarray(values)
    np.testing.assert_allclose(effect(1.0), LINEAR[1, 0] * LINEAR[2, 1], atol=1e-12)


@pytest.mark.parametrize(
    ("edges", "sentence"),
    [(((0, 1), (1, 2), (2, 0)), "without cycles, got 0 -> 1 -> 2 -> 0"), (((0, 4),), r"0, \.\.\., 3, got \(0, 4\)")],
)
def test_what_is_no_graph_of_causes_is_refused(edges, sentence):
    with pytest.raises(ValueError, match=sentence):
        DagTransformer(edges).laws(jnp.ones((4, 1)))


def test_a_relation_that_is_none_is_refused(monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(ValueError, match='expected the relation "parents" or "ancestors", got \'children\''):
        DagTransformer(EDGES, "children").laws(jnp.ones((4, 1)))
