"""What the engine is given and cannot use is refused where it is given, in one sentence."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import toy
from test_run import BRIEF, Batches, task

from symjax.training import (
    CheckpointStore,
    Pace,
    Plateau,
    fit,
    init_state,
    make_evaluation,
    make_step,
    measure,
    require_sound,
    train,
)

NO_COUNTS = [0, -1, 1.5, math.nan, math.inf, "3", True]


def sgd(loss=toy.loss, weights=None, **more):
    return make_step(loss, optax.sgd(0.1), {"all": 1.0} if weights is None else weights, **more)


@pytest.mark.parametrize("decay", [-0.1, 1.0, 1.5, math.nan, math.inf])
def test_a_decay_is_at_least_0_and_below_1(decay):
    with pytest.raises(ValueError, match="ema_decay is at least 0 and below 1"):
        sgd(ema_decay=decay)


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ({}, "nothing would be learnt"),
        ({"all": 0.0}, "nothing would be learnt"),
        ({"all": 0.0, "positive": -0.0}, "nothing would be learnt"),
        ({"all": math.nan}, "a finite number or a schedule, got nan"),
        ({"all": math.inf}, "a finite number or a schedule, got inf"),
    ],
)
def test_weights_of_nothing(weights, words):
    with pytest.raises(ValueError, match=words):
        sgd(weights=weights)


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        (lambda: jnp.ones(()), r"got an array of shape \(\)"),
        (lambda: 3.0, "got 3.0"),
        (lambda: (1.0, 2), r"got \(1.0, 2\)"),
        (dict, "with a name at least; got {}"),
        (lambda: {"all": jnp.ones(())}, r"got an array of shape \(\) for 'all'"),
        (lambda: {"all": (1.0,)}, r"got \(1.0,\) for 'all'"),
        (lambda: {"all": (1.0, 2, 3)}, r"for 'all'"),
    ],
)
def test_a_loss_returns_sums_and_counts(returned, words):
    state = init_state(toy.params(), optax.sgd(0.1), key=jax.random.key(0))
    for shards in (1, 4):
        batch = toy.plan(0)[0] if shards == 4 else toy.on_one_shard(toy.plan(0)[0])
        with pytest.raises(TypeError, match=rf"a loss returns {{name: \(sum, count\)}}.*{words}"):
            sgd(lambda *_: returned())(state, batch)
        with pytest.raises(TypeError, match=r"a loss returns {name: \(sum, count\)}"):
            make_evaluation(lambda *_: returned())(toy.params(), batch)


@pytest.fixture(scope="module")
def counting():
    """A step whose counts are multiplied by what the batch says."""

    def loss(params, batch, key):
        return {
            name: (value, count.astype(float) * batch["times"])
            for name, (value, count) in toy.loss(params, batch, key).items()
        }

    return toy.driver(loss=loss)


@pytest.mark.parametrize("times", [-1.0, math.nan, 0.0])
def test_counts_are_counts(counting, times):
    words = "nothing in epoch 2" if times == 0 else ".*; a count is a number of at least 0"

    def plan(epoch):
        return [batch | {"times": np.full(toy.SHARDS, times if epoch else 1.0)} for batch in toy.plan(epoch)]

    with pytest.raises(ValueError, match=f"the loss counted {words}"):
        fit(toy.state(), counting, plan, pace=Pace(2))


@pytest.mark.parametrize("name", ["epochs", "evaluate_every", "patience", "save_every", "report_every", "max_streak"])
@pytest.mark.parametrize("value", NO_COUNTS)
def test_a_pace_has_whole_numbers(name, value):
    with pytest.raises(ValueError, match=f"{name} must be a whole number of at least 1, not "):
        fit(toy.state(), toy.driver(), toy.plan, pace=Pace(3)._replace(**{name: value}))


@pytest.mark.parametrize("rule", [Plateau(factor=1.5), Plateau(patience=0), Plateau(floor=-1), Plateau(math.nan)])
def test_a_plateau_lowers(rule):
    with pytest.raises(ValueError, match="a plateau has a factor between 0 and 1"):
        fit(toy.state(), toy.driver(), toy.plan, pace=Pace(3, plateau=rule))


@pytest.mark.parametrize("name", ["epochs", "evaluate_every", "patience", "warmup", "seed"])
@pytest.mark.parametrize("value", [-1, True])
def test_a_recipe_has_whole_numbers(name, value):
    with pytest.raises(ValueError, match=f"--{name.replace('_', '-')} must be at least [01]"):
        require_sound(dataclasses.replace(BRIEF, **{name: value}))


class Empty(Batches):
    def plan(self, epoch, *, shards):
        return []


def test_an_empty_plan(tmp_path):
    for changes in ({"train": Empty()}, {"valid": Empty()}):
        with pytest.raises(ValueError, match="has no batches"):
            train(task(**changes), BRIEF, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    with pytest.raises(ValueError, match="the plan of epoch 1 has no batches"):
        measure(task(), BRIEF, toy.params(), Empty())
    with pytest.raises(ValueError, match="the plan of epoch 2 has no batches"):
        fit(toy.state(), toy.driver(), lambda epoch: [] if epoch else toy.plan(0), pace=Pace(2))


def test_what_has_a_weight_is_counted_somewhere(tmp_path):
    def blind(params, shard, key):
        sums = toy.loss(params, shard, key)
        return sums | {"positive": (sums["positive"][0], 0 * sums["positive"][1])}

    with pytest.raises(ValueError, match=r"the data count nothing of \['positive'\] in epoch 1"):
        train(task(loss=blind, valid=None), BRIEF, tmp_path / "train")
    with pytest.raises(ValueError, match=r"the validation counts nothing of \['positive'\]"):
        train(task(measure=blind), BRIEF, tmp_path / "valid")
    with pytest.raises(ValueError, match=r"the objective names \['positive'\], but the loss returned only \['all'\]"):
        measure(task(measure=lambda *a: {"all": toy.loss(*a)["all"]}), BRIEF, toy.params(), Batches())


def test_no_parameters():
    with pytest.raises(ValueError, match=r"there are no parameters to learn in \{\}"):
        init_state({}, optax.sgd(0.1), key=jax.random.key(0))


@pytest.mark.parametrize("value", [-1, True])
def test_a_store_keeps_whole_numbers_of_steps(tmp_path, value):
    with pytest.raises(ValueError, match="keep must be a whole number of at least 1"):
        CheckpointStore(tmp_path / "run", keep=value)
    with CheckpointStore(tmp_path / "run") as store, pytest.raises(ValueError, match="a step is a whole number"):
        store.save(value, {"params": toy.params()}, {})
