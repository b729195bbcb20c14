"""Modules of other libraries that hold a plan: training moves their weights alone, and `check` takes them too."""

import dataclasses
import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import optax
import pytest
from flax import nnx

from symjax import check
from symjax.groups import SO, S
from symjax.laws import Intertwining
from symjax.reps import T, V
from symjax.solver import Plan, equivariant_maps

KEY = jax.random.key(0)
OPTIMISER = optax.adam(0.1)
STEPS = 20
PLANS = {
    "full": equivariant_maps((3 * V + T(2))(SO(3)), (2 * V + T(2))(SO(3))),
    "irreps": equivariant_maps((8 * T(2))(SO(3)), (8 * T(2))(SO(3))),
    "orbits": equivariant_maps((V + T(2))(S(4)), T(2)(S(4))),
}


@jax.tree_util.register_dataclass
@dataclasses.dataclass
class PlainMap:
    """A pytree that has no hash, as a module system of one's own would make it."""

    plan: Plan
    weights: jax.Array

    def __call__(self, x):
        return self.plan.apply(self.weights, x)


class EquinoxMap(eqx.Module):
    plan: Plan
    weights: jax.Array

    def __call__(self, x):
        return self.plan.apply(self.weights, x)


class NNXMap(nnx.Module):
    def __init__(self, plan, weights):
        self.plan, self.weights = nnx.data(plan), nnx.Param(weights)

    def __call__(self, x):
        return self.plan.apply(self.weights[...], x)


def inputs(plan):
    return jax.random.normal(jax.random.key(1), (16, plan.rep_in.size))


def loss(module, x):
    """A target that no equivariant map reaches, so that the basis would have to bend."""
    return jnp.mean((module(x) - jax.random.normal(jax.random.key(2), module(x).shape)) ** 2)


def law(plan):
    return [Intertwining(plan.rep_in, plan.rep_out)]


def trained_as_leaves(module, x):
    """Twenty steps of Adam on every leaf of numbers, whatever module it is in."""
    state = OPTIMISER.init(eqx.filter(module, eqx.is_inexact_array))

    @eqx.filter_jit
    def step(module, state):
        updates, state = OPTIMISER.update(eqx.filter_grad(loss)(module, x), state)
        return eqx.apply_updates(module, updates), state

    for _ in range(STEPS):
        module, state = step(module, state)
    return module


def trained_by_nnx(module, x):
    optimiser = nnx.Optimizer(module, OPTIMISER, wrt=nnx.Param)

    @nnx.jit
    def step(module, optimiser):
        optimiser.update(module, nnx.grad(loss)(module, x))

    for _ in range(STEPS):
        step(module, optimiser)
    return module


@pytest.mark.parametrize("kind", PLANS)
@pytest.mark.parametrize(
    ("make", "train"),
    [(PlainMap, trained_as_leaves), (EquinoxMap, trained_as_leaves), (NNXMap, trained_by_nnx)],
    ids=["pytree", "equinox", "nnx"],
)
def test_training_never_moves_a_plan(kind, make, train, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # equinox puts masks in the place of arrays
    plan = PLANS[kind]
    weights = jax.random.normal(KEY, (plan.dim,))
    with jax.numpy_dtype_promotion("standard"):  # optax raises floats to integer counts
        module = train(make(plan, weights), inputs(plan))
    for before, after in zip(jax.tree.leaves(plan), jax.tree.leaves(module.plan), strict=True):
        np.testing.assert_array_equal(before, after)
    assert np.min(np.abs(module.weights[...] - weights)) > 0
    check(module, inputs(plan), key=KEY, laws=law(plan)).raise_if_broken()


@pytest.mark.parametrize(
    "use", [Plan.apply, Plan.matrix, Plan.coefficients, Plan.project], ids=lambda use: use.__name__
)
def test_no_gradient_reaches_a_plan(use):
    plan = PLANS["full"]
    w = jax.random.normal(KEY, (plan.rep_out.size, plan.rep_in.size))
    arguments = {
        Plan.apply: (jnp.ones(plan.dim), inputs(plan)),
        Plan.matrix: (jnp.ones(plan.dim),),
        Plan.coefficients: (w,),
        Plan.project: (w,),
    }[use]
    to_plan, to_array = jax.grad(lambda plan, x, *rest: jnp.sum(use(plan, x, *rest) ** 2), (0, 1))(plan, *arguments)
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(to_plan))
    assert np.any(to_array)


@pytest.mark.parametrize(
    "make",
    [
        PlainMap,
        EquinoxMap,
        NNXMap,
        lambda plan, weights: EquinoxMap(plan, weights).__call__,
        lambda plan, weights: functools.partial(Plan.apply, plan, weights),
    ],
    ids=["pytree", "equinox", "nnx", "method", "partial"],
)
def test_any_callable_is_checked_as_it_is(make):
    plan = PLANS["full"]
    bent = jax.tree.map(lambda leaf: leaf + 0.1, plan)
    reports = [check(make(held, jnp.ones(plan.dim)), inputs(plan), key=KEY, laws=law(plan)) for held in (plan, bent)]
    assert [report.entries[0].verdict for report in reports] == ["obeyed", "BROKEN"]


def test_what_cannot_be_called_is_refused():
    plan = PLANS["full"]
    with pytest.raises(TypeError, match="something that is called with x, got Plan"):
        check(plan, inputs(plan), key=KEY, laws=law(plan))
