"""Every public layer and model obeys the laws it declares, at random parameters and with finite gradients."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.laws import Law, check, random_params
from tests.cases import CASES

KEY = jax.random.key(7)


@pytest.fixture(params=list(CASES))
def case(request):
    """A module, its input and random variables in float64."""
    return _case(request.param)


@functools.cache
def _case(name):
    module, x = CASES[name]()
    x = jax.tree.map(jnp.asarray, x)
    return module, x, random_params(module, x, key=KEY)


def _is_float(leaf):
    return jnp.issubdtype(leaf.dtype, jnp.inexact)


def test_obeys_its_laws(case):
    module, x, params = case
    assert all(leaf.dtype == float for leaf in jax.tree.leaves(x) if _is_float(leaf)), "cases prove laws in float64"
    check(module, x, key=KEY, params=params).raise_if_broken()


def test_gradients_are_finite_and_reach_every_parameter(case):
    module, x, params = case
    leaves, structure = jax.tree.flatten(x)
    floats = [leaf for leaf in leaves if _is_float(leaf)]

    @jax.jit
    @functools.partial(jax.grad, argnums=(0, 1))
    def gradient(params, floats):
        left = iter(floats)
        y = module.apply(params, structure.unflatten([next(left) if _is_float(leaf) else leaf for leaf in leaves]))
        return sum(jnp.sum(jnp.sin(leaf)) for leaf in jax.tree.leaves(y) if _is_float(leaf))

    by_params, by_input = gradient(params, floats)
    for leaf in jax.tree.leaves((by_params, by_input)):
        assert jnp.isfinite(leaf).all()
    for path, leaf in jax.tree_util.tree_leaves_with_path(by_params.get("params", {})):
        assert np.any(leaf), f"no gradient reaches {jax.tree_util.keystr(path)}"


def test_laws_read_shapes_only(case):
    module, x, _ = case
    laws = module.laws(jax.eval_shape(lambda: x))
    assert all(isinstance(law, Law) for law in laws)
    assert tuple(laws) == tuple(module.laws(x)) != ()
