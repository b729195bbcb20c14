"""Padding is a causality: no real member sees it, whatever it holds, and without it the outputs are the same."""

import inspect
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.laws import Causality, prove
from tests.cases import KEY, load, sets

NAMES = [name for name, make in sets.CASES.items() if "mask" in inspect.signature(type(make()[0]).__call__).parameters]
WHOLE = ("ExchangeableLinear",)  # whose mask has an axis for every axis of members
ADDED = 2  # members


def test_every_layer_that_mixes_members_takes_a_mask():
    """A group acts on places that are all there, and scores are of each member by itself."""
    assert set(sets.CASES) - set(NAMES) == {"MemberScores", "Symmetrised"}


class Padded(NamedTuple):
    """A case with padding: its mask, the elements of x that are real, its values, and these with their gradients."""

    params: Any
    x: Any
    padded: Any
    mask: Any
    there: Any
    apply: Any
    step: Any

    def as_rows(self, y):
        """The outputs by element where there is one for each, else as one row; and which elements are real."""
        real = self.there.ravel() if y.shape[: self.there.ndim] == self.there.shape else np.array([True])
        return y.reshape(real.size, -1), real


@pytest.fixture(scope="module", params=NAMES)
def case(request):
    _, x, params, apply = load(request.param)
    axes = x.ndim - 1
    there = np.pad(np.ones(x.shape[:axes], bool), [(0, ADDED)] * axes)
    padded = jnp.pad(x, [(0, ADDED)] * axes + [(0, 0)], constant_values=0.7)
    mask = there if request.param in WHOLE else there.reshape(len(there), -1).any(axis=1)

    @jax.jit
    def step(params, x, mask=None):
        def loss(params, x):
            y = apply(params, x, mask)
            return jnp.sum(jnp.sin(y)), y

        return jax.grad(loss, argnums=(0, 1), has_aux=True)(params, x)

    return Padded(params, x, padded, jnp.asarray(mask), there, apply, step)


def is_finite(tree):
    return all(jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(tree))


def test_padding_is_not_seen(case):
    rows = case.padded.reshape(case.there.size, -1)
    real = case.as_rows(case.step(case.params, case.padded, case.mask)[1])[1]
    law = Causality(np.outer(real, case.there.ravel()))

    def by_element(call):
        return lambda rows: case.as_rows(call(case.params, rows.reshape(case.padded.shape), case.mask))[0]

    assert law.residual(by_element(lambda *args: case.step(*args)[1]), rows, KEY) == 0
    assert prove(by_element(case.apply), rows, key=KEY, laws=[law])


def test_without_padding_the_outputs_are_the_same(case):
    y, real = case.as_rows(case.step(case.params, case.padded, case.mask)[1])
    np.testing.assert_allclose(y[real].ravel(), case.apply(case.params, case.x).ravel(), rtol=1e-12, atol=1e-12)
    assert not y[~real].any()


def test_padding_may_hold_anything(case):
    there = case.there[..., None]
    gradients, y = case.step(case.params, case.padded, case.mask)
    spoilt, z = case.step(case.params, jnp.where(there, case.padded, jnp.nan), case.mask)
    np.testing.assert_array_equal(y, z)
    jax.tree.map(np.testing.assert_array_equal, gradients, spoilt)
    assert not jnp.where(there, 0, spoilt[1]).any()


def test_sets_without_members_are_defined(case):
    assert is_finite(case.step(case.params, case.padded, jnp.zeros_like(case.mask)))
    empty = case.x[(slice(0),) * case.there.ndim]
    assert is_finite(case.step(case.params, empty))
