"""Bilinear layers against the definition: features are matrices that multiply other features."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.groups import SO, SU, O, S
from symjax.layers.matrix import Bilinear, bilinear, bilinear_maps, bilinear_paths
from symjax.reps import Scalar, T, V
from symjax.solver import equivariant_maps
from tests.cases import start

KEY = jax.random.key(0)


def draw(shape, like):
    real, imaginary = np.random.default_rng(0).standard_normal((2, *shape))
    return real if like.is_real else real + 1j * imaginary


def by_hand(rep, terms, ways, weights, x):
    """Multiply out each way (target, operator, source): entry (b, a) of the operator is what `read` makes of it.

    Args:
        terms: where the copies of each kind of feature are, [copies, size].
        ways: (target, operator, source, how to lay out one operator as a matrix).
        weights: in the order of `ways`, flat, each [target copy, operator copy, source copy].
    """
    y, start = np.zeros(x.shape, x.dtype), 0
    for target, operator, source, as_matrix in ways:
        acting = terms[operator][: len(terms[operator][0])]
        shape = len(terms[target]), len(acting), len(terms[source])
        w = weights[start : start + np.prod(shape)].reshape(shape)
        start += w.size
        for o, c, m in np.ndindex(shape):
            matrix = as_matrix(x[acting[c]])
            y[terms[target][o]] += w[o, c, m] * (matrix @ x[terms[source][m]])
    assert start == len(weights)
    return y


def column(v):
    return v[:, None]


def row(v):
    return v[None, :]


def test_tensors_of_a_rotation_group():
    rep = (2 * Scalar + 5 * V + T(2))(O(3))  # of five vectors only three act
    terms = {
        "s": np.array([[0], [1]]),
        "v": 2 + np.arange(15).reshape(5, 3),
        "t": 17 + np.arange(9).reshape(1, 9),
    }

    def square(t):
        return t.reshape(3, 3)

    ways = [
        ("s", "v", "v", row),
        ("s", "t", "t", row),
        ("v", "v", "s", column),
        ("v", "t", "v", square),
        ("t", "t", "s", column),
    ]
    check_against(rep, terms, ways)


def test_duals_of_a_complex_group():
    rep = (Scalar + 2 * V + V.T + T(1, 1))(SU(2))
    terms = {
        "s": np.array([[0]]),
        "v": np.array([[1, 2], [3, 4]]),
        "d": np.array([[5, 6]]),
        "a": np.array([[7, 8, 9, 10]]),
    }
    mixed = {  # V V* maps vectors to vectors; transposed it maps duals to duals
        "vector": lambda a: a.reshape(2, 2),
        "dual": lambda a: a.reshape(2, 2).T,
    }
    ways = [
        ("s", "d", "v", row),
        ("s", "v", "d", row),
        ("s", "a", "a", lambda a: a.reshape(2, 2).T.reshape(1, 4)),  # the trace of a product
        ("v", "v", "s", column),
        ("v", "a", "v", mixed["vector"]),
        ("d", "d", "s", column),
        ("d", "a", "d", mixed["dual"]),
        ("a", "a", "s", column),
    ]
    check_against(rep, terms, ways)


def check_against(rep, terms, ways):
    x, order = draw((rep.size,), rep.group), list(terms)
    names = [(order[path.target], order[path.operator], order[path.source]) for path in bilinear_paths(rep)]
    assert names == [way[:3] for way in ways]
    weights = draw((sum(int(np.prod(path.shape)) for path in bilinear_paths(rep)),), rep.group)
    y = jax.jit(bilinear, static_argnums=0)(rep, jnp.asarray(weights), jnp.asarray(np.stack([x, 2 * x])))
    wanted = by_hand(rep, terms, ways, weights, x)
    np.testing.assert_allclose(y, [wanted, 4 * wanted], atol=1e-12)


def test_starts_small_and_follows_the_key():
    rep = (20 * Scalar + 8 * V + 3 * T(2))(O(3))
    x = jnp.asarray(np.random.default_rng(3).standard_normal((300, rep.size)))
    params, apply = start(Bilinear(rep), x[:1], key=KEY)
    assert 0.005 < np.mean(apply(params, x) ** 2) < 0.02
    jax.tree.map(np.testing.assert_array_equal, params, start(Bilinear(rep), x[:1], key=KEY)[0])


def test_no_weight_matrix_of_a_sample_is_ever_built():
    rep = (40 * Scalar + 13 * V + 4 * T(2))(O(3))
    x = jnp.ones((7, rep.size))
    layer = Bilinear(rep)
    program = jax.make_jaxpr(layer.apply)(jax.eval_shape(layer.init, KEY, x), x)
    largest = max(v.aval.size for eqn in program.eqns for v in eqn.outvars)
    assert largest < 7 * rep.size**2 / 2


def test_gradients_at_zero_are_finite():
    rep = (Scalar + 3 * V)(O(3))
    x = jnp.zeros((1, rep.size))
    params, apply = start(Bilinear(rep), x)
    gradients = jax.jit(jax.grad(lambda p, x: jnp.sum(apply(p, x)), argnums=(0, 1)))(params, x)
    assert all(jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients))


def test_nothing_that_acts_is_refused_in_one_sentence():
    with pytest.raises(ValueError, match="leave the bilinear layer out"):
        Bilinear(T(2)(S(3))).init(KEY, jnp.ones((1, 9)))


def test_all_products_into_another_representation_are_found():
    """Two vectors make a cross product, and three inner products; the weights of it are learnt from values alone."""
    rep, x = (2 * V)(SO(3)), np.random.default_rng(0).normal(size=(9, 6))
    plan = equivariant_maps(rep * rep, V + Scalar)
    assert plan.dim == 4 + 4
    rows = np.stack([bilinear_maps(plan, c, x).ravel() for c in np.eye(plan.dim)], axis=1)
    wanted = np.concatenate([np.cross(x[:, :3], x[:, 3:]), np.sum(x[:, :3] * x[:, 3:], axis=1)[:, None]], axis=1)
    weights, *_ = np.linalg.lstsq(rows, wanted.ravel())
    np.testing.assert_allclose(rows @ weights, wanted.ravel(), atol=1e-12)


def test_products_that_there_are_not_are_refused():
    with pytest.raises(ValueError, match="zero is the only equivariant linear map"):
        Bilinear(V(O(3)), V).init(jax.random.key(0), np.ones(3))
