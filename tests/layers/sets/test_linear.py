"""The maps are all there are: their matrices span what the solver finds, which knows nothing of means."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.groups import S
from symjax.layers.sets import deepsets_linear, deepsets_pool, exchangeable_linear
from symjax.reps import Scalar, V
from symjax.solver import equivariant_maps

N, D = 5, 4
SET, MATRIX = V(S(N)), V(S(N)) * V(S(D))
CASES = {
    "own and mean": (deepsets_linear, 2, (N,), (SET, SET), 2),
    "mean": (deepsets_pool, 1, (N,), (SET, Scalar), 1),
    "own, row, column and whole": (exchangeable_linear, 4, (N, D), (MATRIX, MATRIX), 4),
}


def matrices(layer, count, shape):
    """The matrix of the map with each weight alone, by its action on the unit vectors."""
    kernels = np.eye(count)[:, :, None, None]
    units = np.eye(np.prod(shape)).reshape(-1, *shape, 1)
    apply = jax.vmap(jax.vmap(lambda kernel, x: layer(*kernel, jnp.zeros(1), x), (None, 0)), (0, None))
    return np.asarray(jax.jit(apply)(kernels, units)).reshape(count, len(units), -1).swapaxes(1, 2)


@pytest.mark.parametrize("name", CASES)
def test_no_map_is_missing(name):
    layer, count, shape, reps, dim = CASES[name]
    plan, ours = equivariant_maps(*reps), matrices(layer, count, shape)
    theirs = np.asarray(plan.matrix(np.eye(plan.dim)))
    both = np.concatenate([ours.reshape(count, -1), theirs.reshape(plan.dim, -1)])
    assert plan.dim == dim == np.linalg.matrix_rank(ours.reshape(count, -1)) == np.linalg.matrix_rank(both)


def test_missing_entries_count_in_no_mean():
    rng = np.random.default_rng(0)
    x, mask, kernels = rng.normal(size=(3, 4)), rng.random((3, 4)) < 0.6, rng.normal(size=(4, 1, 1))
    mask[1] = False  # a row of which nothing is known
    entries = [(a, b) for a, b in np.ndindex(3, 4) if mask[a, b]]
    expected = np.zeros((3, 4))
    for a, b in entries:
        row, column = ([x[e] for e in entries if e[axis] == (a, b)[axis]] for axis in (0, 1))
        means = x[a, b], np.mean(row), np.mean(column), np.mean([x[e] for e in entries])
        expected[a, b] = 0.5 + means @ kernels.ravel()
    ours = exchangeable_linear(*jnp.asarray(kernels), jnp.array([0.5]), jnp.asarray(x)[..., None], jnp.asarray(mask))
    np.testing.assert_allclose(ours[..., 0], expected, rtol=1e-13)
