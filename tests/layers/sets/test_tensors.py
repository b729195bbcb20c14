"""One map for each partition, and the solver, which lists orbits of pairs, finds no other."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.groups import S
from symjax.layers.sets import deepsets_linear, tensor_linear, tensor_maps
from symjax.reps import Scalar, T
from symjax.solver import equivariant_basis, equivariant_maps

N = 4
BELL = (1, 1, 2, 5, 15, 52)


def rep(rank):
    return (T(rank) if rank else Scalar)(S(N))


def rank_with(ours, plan):
    """The rank of our maps, and of these with all that the solver finds."""
    theirs = np.asarray(plan.matrix(np.eye(plan.dim))).reshape(plan.dim, -1)
    return np.linalg.matrix_rank(ours), np.linalg.matrix_rank(np.concatenate([ours, theirs]))


@pytest.mark.parametrize(("k", "rank"), [(1, 0), (2, 0), (1, 1), (2, 1), (1, 2), (2, 2)])
def test_no_map_is_missing(k, rank):
    plan, count = equivariant_maps(rep(k), rep(rank)), len(tensor_maps(k, rank))
    bias = jnp.zeros((BELL[rank], 1))

    @jax.jit
    @jax.vmap
    def matrix(kernel):
        return jax.vmap(lambda x: tensor_linear(kernel, bias, x, rank=rank))(jnp.eye(N**k).reshape(-1, *(N,) * k, 1))

    ours = np.asarray(matrix(jnp.eye(count)[:, :, None, None])).reshape(count, N**k, N**rank)
    assert rank_with(ours.swapaxes(1, 2).reshape(count, -1), plan) == (plan.dim, plan.dim)
    assert plan.dim == count == BELL[k + rank]


def test_no_constant_is_missing():
    kernel, x = jnp.zeros((BELL[4], 1, 1)), jnp.zeros((N, N, 1))
    constants = jax.jit(jax.vmap(lambda bias: tensor_linear(kernel, bias, x, rank=2)))(jnp.eye(2)[:, :, None])
    assert rank_with(np.asarray(constants).reshape(2, -1), equivariant_basis(rep(2))) == (2, 2)


def test_rank_one_is_deep_sets():
    kernel, x = (
        np.random.default_rng(0).normal(size=(2, 3, 2)),
        jnp.asarray(np.random.default_rng(1).normal(size=(5, 3))),
    )
    own, mean = (kernel[tensor_maps(1, 1).index(parts)] for parts in (((0, 1),), ((0,), (1,))))
    bias = jnp.array([[0.3, -0.2]])
    ours = tensor_linear(jnp.asarray(kernel), bias, x, rank=1)
    np.testing.assert_allclose(ours, deepsets_linear(*map(jnp.asarray, (own, mean)), bias[0], x), rtol=1e-14)


def test_axes_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="axes of 3 members and one of channels"):
        tensor_linear(jnp.zeros((15, 1, 1)), jnp.zeros((2, 1)), jnp.zeros((3, 4, 1)), rank=2)
