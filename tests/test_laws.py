"""Every public layer and model obeys the laws it declares, at random parameters, and has finite gradients there."""

import functools

import jax
import jax.numpy as jnp
import pytest

from symjax.laws import Law, check
from tests.cases import CASES, DEGENERATE, KEY, load
from tests.conftest import forget


@pytest.fixture(scope="module", params=[*CASES, *(pytest.param(n, marks=pytest.mark.degenerate) for n in DEGENERATE)])
def name(request):
    """One case after the other, forgotten eight at a time: the programs of all take two gigabytes."""
    yield request.param
    if request.param_index % 8 == 7:
        load.cache_clear()
        forget()


def _is_float(leaf):
    return jnp.issubdtype(leaf.dtype, jnp.inexact)


def test_obeys_its_laws(name):
    module, x, params, _ = load(name)
    assert all(leaf.dtype in (float, complex) for leaf in jax.tree.leaves(x) if _is_float(leaf)), (
        "cases prove laws in float64"
    )
    report = check(module, x, key=KEY, params=params, atol=1e-10)
    allowed = {"obeyed", "VACUOUS"} if name in DEGENERATE and x.senders.size == 0 else {"obeyed"}
    assert {entry.verdict for entry in report.entries} <= allowed, f"\n{report}"


@functools.partial(jax.jit, static_argnums=0)
@functools.partial(jax.grad, argnums=(1, 2), allow_int=True)
def gradient(module, params, x):
    leaves = jax.tree.leaves(module.apply(params, x))
    return sum(jnp.sum(jnp.sin(leaf).real) for leaf in leaves if _is_float(leaf))


def test_gradients_are_finite(name):
    module, x, params, _ = load(name)
    leaves = jax.tree.leaves(gradient(module, params, x))
    assert all(jnp.isfinite(leaf).all() for leaf in leaves if leaf.dtype != jax.dtypes.float0)


def test_laws_read_shapes_only(name):
    module, x, _, _ = load(name)
    laws = module.laws(jax.eval_shape(lambda: x))
    assert all(isinstance(law, Law) for law in laws)
    assert tuple(laws) == tuple(module.laws(x)) != ()
