"""A committee learns in one step as its members would alone, and its runs end with the same bits."""

import dataclasses
import json

import jax
import numpy as np
import pytest
import toy
from test_run import BRIEF, RECIPE, Batches, PowerCutError, init, task, timeless

from symjax.training import (
    Plateau,
    init_state,
    make_optimizer,
    make_step,
    measure,
    member,
    member_keys,
    parallelise,
    train,
)

MEMBERS = 3


def committee(**changes):
    return task(members=MEMBERS)._replace(**changes)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("committee")
    return folder, train(committee(), RECIPE, folder)


@pytest.fixture(scope="module")
def alone():
    """The states of single runs with the keys of the members, and their losses in the first epoch."""
    optimizer, shard = make_optimizer(RECIPE, steps=4 * toy.STEPS), jax.tree.map(lambda leaf: leaf[0], toy.plan(0)[0])
    step = parallelise(make_step(toy.loss, optimizer, task().weights, ema_decay=RECIPE.ema))
    states, losses = [], []
    for key in member_keys(jax.random.key(RECIPE.seed), MEMBERS):
        state = step.replicate(init_state(jax.jit(init)(key, shard), optimizer, key=key, ema=True))
        for epoch in range(4):
            for batch in toy.plan(epoch):
                state, metrics = step(state, batch)
                losses += [float(metrics["loss"][0])] if epoch == 0 else []
        states.append(state)
    return states, losses


def test_a_member_is_a_single_run_of_its_key_on_the_same_data(whole, alone):
    for i, state in enumerate(alone[0]):
        assert toy.distance(member(whole[1].state, i), state) < 1e-13
    assert toy.distance(member(whole[1].state.params, 0), member(whole[1].state.params, 1)) > 0.1


def test_records_are_means_over_the_members_and_read_as_before(whole, alone):
    folder, result = whole
    records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert all(type(value) in (int, float) for record in result.history for value in record.values())
    assert [{**record, "run": ""} for record in records] == [{**record, "run": ""} for record in result.history]
    assert result.history[0]["train_loss"] == pytest.approx(np.mean(alone[1]), rel=1e-12)
    each = [measure(task(), RECIPE, member(result.best_params, i), Batches(100)) for i in range(MEMBERS)]
    for name in ("all", "loss"):
        mean = np.mean([measured[name] for measured in each])
        assert result.history[-1][f"valid_{name}"] == pytest.approx(mean, rel=1e-12)
    assert result.compilations == {"train": 1, "evaluation": 1}


@pytest.mark.parametrize("cut", [9, 20])
def test_killed_and_resumed_it_has_the_same_bits(whole, tmp_path, cut):
    with pytest.raises(PowerCutError):
        train(committee(train=Batches(cut=cut + 1)), RECIPE, tmp_path)
    resumed = train(committee(), RECIPE, tmp_path, resumed=True)
    assert toy.distance(resumed.state, whole[1].state) == 0
    assert toy.distance(resumed.best_params, whole[1].best_params) == 0
    assert (resumed.progress, timeless(resumed)) == (whole[1].progress, timeless(whole[1]))


def test_the_drivers_agree(tmp_path):
    results = [
        train(committee(), dataclasses.replace(BRIEF, parallel=how), tmp_path / how)
        for how in ("jit", "pmap", "shard_map")
    ]
    for result in results[1:]:
        assert toy.distance(result.state, results[0].state) < 1e-10


def test_a_plateau_lowers_the_learning_rates_of_all_members(tmp_path, monkeypatch):
    monkeypatch.setattr("symjax.training.recipe.recipe.Plateau", lambda: Plateau(factor=0.5, patience=1))
    flat = committee(measure=lambda params, shard, key: toy.loss(jax.tree.map(lambda p: 0 * p, params), shard, key))
    recipe = dataclasses.replace(RECIPE, schedule="plateau", evaluate_every=1, epochs=3)
    result = train(flat, recipe, tmp_path)
    assert result.state.lr_scale.tolist() == [0.25] * MEMBERS


def test_a_member_that_never_steps_ends_the_run(tmp_path):
    def broken(key, shard):
        params = init(key, shard)
        huge = jax.numpy.where(jax.random.key_data(key)[1] == jax.random.key_data(last)[1], 1e300, 1.0)
        return {**params, "out": {"v": huge * params["out"]["v"]}}

    last = member_keys(jax.random.key(RECIPE.seed), MEMBERS)[-1]
    with pytest.raises(FloatingPointError, match="10 steps in a row"):
        train(committee(init=broken), RECIPE, tmp_path)
