"""The gradient of dealt-out samples is the gradient of the samples, whatever deals them out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import toy

from symjax.training import evaluate_batches, make_evaluation, parallelise
from symjax.training.parallel import AXIS

DRIVERS = [("jit", 1), ("jit", 4), ("jit", 2), ("pmap", 4), ("pmap", 2), ("shard_map", 4), ("shard_map", 2)]


def run(step, state=None, deal=lambda batch: batch, epochs=(0, 1, 2, 3)):
    """Take 24 steps and return the last state and all metrics."""
    state, history = state or step.replicate(toy.state()), []
    for epoch in epochs:
        for batch in toy.plan(epoch):
            state, metrics = step(state, deal(batch))
            history.append(metrics)
    return state, history


@pytest.fixture(scope="module")
def reference():
    """All samples of a batch in one shard on one device."""
    return run(toy.driver("jit", 1), deal=toy.on_one_shard)


@pytest.fixture
def compilations():
    """The names of all functions compiled from here on."""
    names = []

    def listen(event, duration, **details):
        if event == "/jax/core/compile/backend_compile_duration":
            names.append(details["fun_name"])

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield names
    jax.monitoring.unregister_event_duration_listener(listen)


@pytest.mark.parametrize(("how", "devices"), DRIVERS)
def test_every_driver_equals_one_device_and_compiles_once(reference, how, devices, compilations):
    step = toy.driver(how, devices)
    state = step.replicate(toy.state())
    compilations.clear()
    state, history = run(step, state)
    assert len(compilations) == step.compilations == 1
    assert toy.distance(state, reference[0]) < 1e-10
    assert toy.distance(history, reference[1]) < 1e-10
    assert int(state.step) == 24
    assert int(state.skipped) == 0
    for leaf in jax.tree.leaves(state.params):
        assert len(leaf.sharding.device_set) == devices
        assert len({np.asarray(shard.data).tobytes() for shard in leaf.addressable_shards}) == 1


@pytest.mark.parametrize(("how", "devices"), [("jit", 4), ("pmap", 4), ("shard_map", 4)])
def test_evaluation_equals_one_device_and_keeps_the_parameters(how, devices):
    params = toy.params()
    evaluation = parallelise(make_evaluation(toy.loss), how=how, devices=jax.devices()[:devices], donate=False)
    placed = evaluation.replicate(params)
    totals = evaluate_batches(evaluation, placed, toy.plan(0))
    assert totals == evaluate_batches(evaluation, placed, toy.plan(0))
    rows = [toy.loss(params, jax.tree.map(lambda x: x[0], toy.on_one_shard(b)), None) for b in toy.plan(0)]
    for name in totals:
        expected = [sum(float(row[name][i]) for row in rows) for i in (0, 1)]
        np.testing.assert_allclose(totals[name], expected, rtol=1e-12)


def _wrong(kind):
    """The rows of the table of mistakes, as steps that return only a gradient."""

    def objective(params, batch, denominators):
        shard = jax.tree.map(lambda x: x[0], batch)
        sums = {name: total for name, (total, _) in toy.loss(params, shard, None).items()}
        return sum(sums[name] / denominators[name] for name in sums)

    def gradient(params, batch, axis):
        shard = jax.tree.map(lambda x: x[0], batch)
        counts = {name: count.astype(float) for name, (_, count) in toy.loss(params, shard, None).items()}
        total = jax.lax.psum(counts, axis)
        if kind == "mean of means":
            own = {name: jnp.maximum(count, 1) for name, count in counts.items()}
            return jax.lax.pmean(jax.grad(objective)(params, batch, own), axis)
        if kind == "sum of a replicated gradient":
            return jax.lax.psum(jax.grad(objective)(params, batch, total), axis)
        if kind == "no sum":
            return jax.grad(objective)(params, batch, total)
        if kind == "through the sum":
            return jax.grad(lambda p: jax.lax.psum(objective(p, batch, total), axis))(params)
        return jax.lax.psum(jax.grad(objective)(jax.lax.pcast(params, axis, to="varying"), batch, total), axis)

    return gradient


@pytest.mark.parametrize(
    ("kind", "how", "right"),
    [
        ("ours", "pmap", True),
        ("ours", "shard_map", True),
        ("mean of means", "pmap", False),
        ("mean of means", "shard_map", False),
        ("sum of a replicated gradient", "pmap", True),
        ("sum of a replicated gradient", "shard_map", False),
        ("no sum", "pmap", False),
        ("no sum", "shard_map", True),
        ("through the sum", "pmap", False),
    ],
)
def test_the_shards_of_these_tests_tell_every_known_mistake_from_the_truth(kind, how, right):
    """If jax changes how collectives differentiate, or the toy stops being unequal, this says so first."""
    batch, params = toy.plan(0)[0], toy.params()

    def truth(p):
        whole = toy.loss(p, jax.tree.map(lambda x: x[0], toy.on_one_shard(batch)), None)
        return sum(total / count.astype(float) for total, count in whole.values())

    driver = parallelise(_wrong(kind), how=how, donate=False)
    found = driver(driver.replicate(params), batch)
    assert (toy.distance(found, jax.grad(truth)(params)) < 1e-10) is right


def test_randomness_belongs_to_the_shard_not_to_the_device():
    def noisy(params, batch, key):
        (total, count) = toy.loss(params, batch, key)["all"]
        return {"all": (total * (1 + jax.random.uniform(key, dtype=total.dtype)), count)}

    drivers = [("jit", 1), ("pmap", 4), ("shard_map", 2)]
    ends = [run(toy.driver(how, n, loss=noisy, weights={"all": 1.0}), epochs=(0,))[0] for how, n in drivers]
    quiet = run(toy.driver(weights={"all": 1.0}), epochs=(0,))[0]
    assert max(toy.distance(end, ends[0]) for end in ends) < 1e-10
    assert toy.distance(quiet.params, ends[0].params) > 1e-6


def test_the_callers_arrays_survive_donation():
    state, step = toy.state(), toy.driver()
    placed = step.replicate(state)
    step(placed, toy.plan(0)[0])
    assert placed.params["w"].is_deleted()
    assert toy.distance(state, toy.state()) == 0


def test_one_sentence_for_a_batch_that_does_not_fit():
    step = toy.driver("shard_map", 4)
    batch = jax.tree.map(lambda x: x[:3], toy.plan(0)[0])
    with pytest.raises(ValueError, match="leading axis of shards, a multiple of 4 device"):
        step(step.replicate(toy.state()), batch)
    with pytest.raises(ValueError, match="found 4 and none; plan the batches with shards=4"):
        step.shard({"x": batch["x"][[0, 1, 2, 2]], "temperature": 300.0})
    with pytest.raises(ValueError, match="'jit', 'pmap' or 'shard_map', not 'xmap'"):
        parallelise(lambda *_: None, how="xmap")


def test_local_shards_of_the_only_process_are_all():
    step = toy.driver("shard_map", 4)
    assert step.devices == 4
    assert list(step.local(range(8))) == list(range(8))
    assert step.mesh.axis_names == (AXIS,)
