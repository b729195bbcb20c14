"""A task and a recipe become a run directory, on any devices, interrupted or not."""

import dataclasses
import json
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import toy

from symjax.training import Recipe, Task, init_state, make_optimizer, make_step, measure, parallelise, train

RECIPE = Recipe(epochs=4, optimizer="adam", learning_rate=1e-2, warmup=2, ema=0.9, evaluate_every=2)
BRIEF = dataclasses.replace(RECIPE, epochs=1)


class PowerCutError(Exception):
    """Nothing runs after it."""


@dataclasses.dataclass
class Batches:
    """The toy's batches of four shards, loaded shard by shard; `cut` is the load that fails."""

    first: int = 0
    cut: int | None = None
    loads: int = 0

    def plan(self, epoch, *, shards):
        assert toy.SHARDS % shards == 0
        return [[(self.first + epoch, index, shard) for shard in range(toy.SHARDS)] for index in range(toy.STEPS)]

    def load(self, shards):
        self.loads += 1
        if self.loads == self.cut:
            raise PowerCutError
        parts = [jax.tree.map(lambda leaf, s=s: leaf[s], toy.plan(epoch)[index]) for epoch, index, s in shards]
        return jax.tree.map(lambda *leaves: np.stack(leaves), *parts)


def init(key, shard):
    w, v = jax.random.split(key)
    size = shard["x"].shape[-1]
    return {"w": jax.random.normal(w, (size, 8)), "out": {"v": jax.random.normal(v, (8,))}}


def task(**changes):
    weights = {"all": 1.0, "positive": lambda step: jnp.minimum(step.astype(float), 3.0)}
    shown = {"all": (1000.0, "mu"), "positive": (1.0, "")}
    return Task(init, toy.loss, weights, Batches(), Batches(100), shown=shown)._replace(**changes)


def timeless(result):
    return [record | {"seconds": 0} for record in result.history]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return folder, train(task(), RECIPE, folder)


def test_it_trains_and_leaves_checkpoints_and_records(whole, capsys):
    folder, result = whole
    assert (result.stopped_by, result.progress.epoch, result.progress.step) == ("epochs", 4, 24)
    assert result.compilations == {"train": 1, "evaluation": 1}
    assert result.history[-1]["train_all"] < result.history[0]["train_all"]
    records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert len({record.pop("run") for record in records}) == 1
    assert result.history == records
    assert [("valid_loss" in record) for record in result.history] == [False, True, False, True]
    assert result.progress.best == min(record["valid_loss"] for record in result.history if "valid_loss" in record)
    assert sorted(path.name for path in (folder / "checkpoints").iterdir()) == ["12", "24"]


def test_the_loss_of_a_measurement_has_the_weights_that_schedules_end_with(whole):
    means = measure(task(), RECIPE, whole[1].best_params, Batches(100))
    last = whole[1].history[-1]
    assert means == {name: last[f"valid_{name}"] for name in ("all", "positive", "loss")}
    assert means["loss"] == pytest.approx(means["all"] + 3.0 * means["positive"], rel=1e-12)


def dropping(params, shard, key):
    """The loss of the rows that a key leaves, as where a network drops in training."""
    return toy.loss(params, shard | {"mask": shard["mask"] & jax.random.bernoulli(key, 0.7, shard["mask"].shape)}, key)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    return train(task(loss=dropping), RECIPE, tmp_path_factory.mktemp("unbroken"))


@pytest.mark.parametrize("cut", [3, 9, 20])
def test_killed_and_resumed_it_has_the_same_bits(whole, unbroken, tmp_path, cut, capsys):
    with pytest.raises(PowerCutError):
        train(task(loss=dropping, train=Batches(cut=cut + 1)), RECIPE, tmp_path)
    resumed = train(task(loss=dropping), RECIPE, tmp_path, resumed=True)
    assert toy.distance(unbroken.state, whole[1].state) > 0
    assert toy.distance(resumed.state, unbroken.state) == 0
    assert toy.distance(resumed.best_params, unbroken.best_params) == 0
    assert (resumed.progress, timeless(resumed)) == (unbroken.progress, timeless(unbroken))
    epoch = 2 * ((cut - 1) // 12)
    assert f"going on after epoch {epoch}, step {6 * epoch}\n" in capsys.readouterr().err


@pytest.fixture(scope="module")
def one_shard():
    """The state after an epoch of one shard on one device, by hand."""
    optimizer, key = make_optimizer(BRIEF, steps=toy.STEPS), jax.random.key(BRIEF.seed)
    body = make_step(toy.loss, optimizer, task().weights, ema_decay=BRIEF.ema)
    step = parallelise(body, devices=jax.devices()[:1])
    shard = jax.tree.map(lambda leaf: leaf[0], toy.plan(0)[0])
    state = step.replicate(init_state(jax.jit(init)(key, shard), optimizer, key=key, ema=True))
    for batch in toy.plan(0):
        state, _ = step(state, toy.on_one_shard(batch))
    return state


@pytest.mark.parametrize("how", ["jit", "pmap", "shard_map"])
def test_many_shards_are_one(one_shard, how, tmp_path):
    result = train(task(), dataclasses.replace(BRIEF, parallel=how), tmp_path)
    assert toy.distance(result.state, one_shard) < 1e-10


def test_what_is_measured_decides_in_place_of_the_loss(tmp_path, capsys):
    def jittered(params, shard, key):
        noise = jax.random.normal(key, shard["x"].shape)
        return toy.loss(params, shard | {"x": shard["x"] + noise}, key)

    def constant(params, shard, key):
        return {"all": (jnp.asarray(8.0), 4), "positive": (jnp.asarray(0.5), 1), "unweighted": (jnp.asarray(1e6), 1)}

    result = train(task(loss=jittered, measure=constant), dataclasses.replace(RECIPE, evaluate_every=1), tmp_path)
    assert [record["valid_loss"] for record in result.history] == [3.5] * 4
    assert result.history[0]["train_all"] != 2.0
    assert result.progress.best_step == toy.STEPS
    assert "epoch 1, all 2000 mu, positive 0.5\n" in capsys.readouterr().err


def test_without_validation_the_last_parameters_are_the_result(tmp_path):
    result = train(task(valid=None), RECIPE, tmp_path)
    assert toy.distance(result.best_params, result.state.ema) == 0
    assert result.compilations == {"train": 1, "evaluation": 0}
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["12", "24"]
    for change in ({"patience": 3}, {"schedule": "plateau"}):
        with pytest.raises(ValueError, match="ask for a validation, which this task has not"):
            train(task(valid=None), dataclasses.replace(RECIPE, **change), tmp_path / "none")


def test_one_sentence_for_what_cannot_be_trained(whole, tmp_path):
    with pytest.raises(ValueError, match="already holds a run"):
        train(task(), RECIPE, whole[0])
    with pytest.raises(ValueError, match=re.escape("--epochs must be at least 1, not 0")):
        train(task(), dataclasses.replace(RECIPE, epochs=0), tmp_path / "none")
    assert not (tmp_path / "none").exists()

    def never(params, shard, key):
        return {"all": (jnp.asarray(jnp.nan), 1), "positive": (jnp.asarray(1.0), 1)}

    with pytest.raises(FloatingPointError, match="no evaluation was finite in 4 epochs"):
        train(task(measure=never), RECIPE, tmp_path)
