"""TARNet, its kin and neural DML: the distances, the tasks, and what they learn from small tables."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax import training
from symjax.causal.estimate import folds_by_arm
from symjax.causal.estimate.neural import (
    Units,
    neural_residuals,
    nuisance_task,
    orthogonal_task,
    potential_outcomes,
    potential_task,
)
from symjax.models import MLP, Dragonnet, TARNet, clever, mmd, wasserstein
from symjax.training import Recipe

N = 320
RECIPE = Recipe(12, "adam", 1e-2, warmup=5, ema=0.0, clip=None, evaluate_every=12)


@pytest.fixture(scope="module")
def table() -> tuple[Units, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N, 3))
    arm = rng.binomial(1, 1 / (1 + np.exp(-x[:, 0])))
    tau = 1 + x[:, 1]
    return Units(x, arm, x[:, 0] + tau * arm + 0.1 * rng.normal(size=N)), tau


def test_distances_between_arms() -> None:
    rng = np.random.default_rng(1)
    x = jnp.asarray(rng.normal(size=(12, 2)))
    arms = jnp.arange(2)[:, None] == jnp.arange(12)[None] % 2
    moved = x + 10.0 * arms[1].astype(float)[:, None]
    for distance in map(jax.jit, (mmd, wasserstein)):
        assert distance(jnp.concatenate([x, x]), jnp.repeat(jnp.eye(2, dtype=bool), 12, axis=1)) < 0.3
        assert distance(moved, arms) > 2 * distance(x, arms) > 0
        assert distance(x, arms.at[1].set(False)) == 0  # an arm without units
        assert np.isfinite(jax.grad(lambda x, d=distance: d(x, arms))(x)).all()
    points = jnp.asarray([[0.0], [1.0], [5.0], [6.0]])
    groups = jnp.asarray([[True, True, False, False], [False, False, True, True]])
    assert jax.jit(wasserstein)(points, groups) == pytest.approx(5, rel=1e-6)  # every plan costs 5 here


@pytest.mark.parametrize(
    ("model", "options"),
    [
        (TARNet(16, 8, 1, 1), {"balance": "wasserstein", "balance_weight": 0.01, "members": 2}),
        (Dragonnet(16, 8, 1, 1), {}),
    ],
)
def test_networks_learn_effects_of_units(table, tmp_path, model, options) -> None:
    units, tau = table
    params = training.train(potential_task(model, units, batch_size=32, **options), RECIPE, tmp_path).best_params
    outcomes = jax.jit(lambda p, x: potential_outcomes(model, p, x, members="members" in options))(
        params, units.covariates
    )
    assert np.sqrt(np.mean((outcomes[:, 1] - outcomes[:, 0] - tau) ** 2)) < 0.5  # a constant errs by 1


def test_a_tilt_follows_the_propensity() -> None:
    np.testing.assert_allclose(clever(jnp.zeros(1)), [[-2, 2]], rtol=1e-6)
    assert np.abs(clever(jnp.asarray([-50.0, 50.0]))).max() < 103  # held from 0 and 1


def test_neural_dml_leaves_each_fold_out_and_finds_the_effects(table, tmp_path) -> None:
    units, tau = table
    folds = np.asarray(folds_by_arm(jax.random.key(0), jnp.asarray(units.arm), 2))
    model = MLP(2, channels=16, layers=1)
    task = nuisance_task(model, units, folds, batch_size=32)
    first = training.train(task, RECIPE, tmp_path / "nuisances").best_params
    y, t = map(np.asarray, neural_residuals(model, first, units, folds))
    assert np.var(y) < 0.8 * np.var(units.outcome)
    assert np.corrcoef(t, units.arm)[0, 1] > 0.5
    batch = task.train.load(task.train.plan(0, shards=1)[0])
    shard = jax.tree.map(lambda leaf: jnp.asarray(leaf[0]), batch)
    slope = jax.grad(
        lambda p: task.loss(p, shard._replace(mask=shard.mask & (shard.rows[1] == 0)), jax.random.key(0))["mse"][0]
    )(first)
    assert all(np.all(leaf[0] == 0) and np.any(leaf[1] != 0) for leaf in jax.tree.leaves(slope))  # fold 0 teaches net 1
    small = MLP(1, channels=16, layers=1)
    last = training.train(orthogonal_task(small, units.covariates, y, t, batch_size=32), RECIPE, tmp_path / "effect")
    found = jax.jit(small.apply)(last.best_params, jnp.asarray(units.covariates))
    assert np.sqrt(np.mean((np.asarray(found)[:, 0] - tau) ** 2)) < 0.6  # a constant errs by 1
