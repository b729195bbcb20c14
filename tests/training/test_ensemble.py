import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import toy

from symjax.training import (
    CheckpointStore,
    ensemble,
    init_ensemble,
    init_state,
    make_step,
    member,
    parallelise,
    scanned,
)

RATES, DECAYS = np.array([1e-2, 3e-3, 1e-3]), np.array([0.0, 0.1, 1.0])
SCALES = np.array([1.0, 0.5, 0.25])


def optimizer(rate=0.1, decay=0.0):
    rule = optax.inject_hyperparams(optax.adamw, static_args=("b1", "b2", "eps", "eps_root"))
    return optax.chain(optax.clip_by_global_norm(0.5), rule(rate, weight_decay=decay))


def begin(key, rule=None):
    first, second = jax.random.split(key)
    params = {"w": jax.random.normal(first, (3, 8)), "out": {"v": jax.random.normal(second, (8,))}}
    return init_state(params, rule or optimizer(), key=key, ema=True)


def body(rule=None):
    return make_step(toy.loss, rule or optimizer(), {"all": 1.0}, ema_decay=0.9)


def states():
    values = {"learning_rate": RATES, "weight_decay": DECAYS, "lr_scale": SCALES}
    return init_ensemble(begin, jax.random.split(jax.random.key(0), 3), values)


@pytest.fixture(scope="module")
def step():
    return parallelise(ensemble(body()), devices=jax.devices()[:1], donate=False)


@pytest.fixture(scope="module")
def trained(step):
    after, metrics = step.replicate(states()), []
    for batch in toy.plan(0):
        after, measured = step(after, batch)
        metrics.append(measured)
    return after, metrics


def test_a_member_is_the_run_alone_with_its_key_and_its_hyperparameters(trained, step):
    assert step.compilations == 1
    for i, key in enumerate(jax.random.split(jax.random.key(0), 3)):
        rule = optimizer(RATES[i], DECAYS[i])
        alone = begin(key, rule)._replace(lr_scale=jnp.float32(SCALES[i]))
        one = jax.jit(body(rule))
        for batch, together in zip(toy.plan(0), trained[1], strict=True):
            alone, metrics = one(alone, batch)
            np.testing.assert_allclose(member(together, i)["loss"], metrics["loss"], rtol=1e-12)
        assert toy.distance(member(trained[0], i).params, alone.params) < 1e-13
        assert toy.distance(member(trained[0], i).ema, alone.ema) < 1e-13


def test_members_of_one_key_are_equal_by_the_bit_and_others_differ(step):
    twins = init_ensemble(begin, jax.random.split(jax.random.key(0), 3)[jnp.array([0, 1, 0])])
    after, _ = step(step.replicate(twins), toy.plan(0)[0])
    assert toy.distance(member(after, 0), member(after, 2)) == 0
    assert toy.distance(member(after, 0).params, member(after, 1).params) > 0.1


@pytest.mark.parametrize("how", ["pmap", "shard_map"])
def test_an_ensemble_is_the_same_on_several_devices(how, trained):
    step, after = parallelise(ensemble(body()), how=how, devices=jax.devices()[:2]), states()
    for batch in toy.plan(0):
        after, _ = step(after, batch)
    assert toy.distance(after, trained[0]) < 1e-12


@pytest.mark.parametrize("at_once", [None, 1])
def test_members_learn_from_batches_of_their_own(at_once, step):
    batches = toy.plan(0)[:3]
    batches = [{**batch, "x": batches[0]["x"]} for batch in batches]
    stacked = {name: np.stack([batch[name] for batch in batches], axis=1) for name in ("y", "mask")}
    every = ensemble(body(), own={"x": False, "y": True, "mask": True}, at_once=at_once)
    after, _ = jax.jit(every)(states(), {"x": batches[0]["x"], **stacked})
    for i, batch in enumerate(batches):
        shared, _ = step(step.replicate(states()), batch)
        assert toy.distance(member(after, i), member(shared, i)) < 1e-12


def test_a_skipped_step_of_one_member_leaves_the_others(step):
    before = step.replicate(states())
    ill = before._replace(params={**before.params, "w": before.params["w"].at[1].set(jnp.nan)})
    (well, _), (after, metrics) = step(before, toy.plan(0)[0]), step(ill, toy.plan(0)[0])
    assert after.skipped.tolist() == after.streak.tolist() == [0, 1, 0]
    assert metrics["skipped"][0].tolist() == [0, 1, 0]
    assert toy.distance(member(after, 1).opt_state, member(before, 1).opt_state) == 0
    for i in (0, 2):
        assert toy.distance(member(after, i), member(well, i)) == 0


def test_a_killed_ensemble_goes_on_bit_for_bit(trained, step, tmp_path):
    after, batches = step.replicate(states()), toy.plan(0)
    with CheckpointStore(tmp_path) as store:
        for batch in batches[:3]:
            after, _ = step(after, batch)
        store.save(3, {"states": after}, {})
    with CheckpointStore(tmp_path) as store:
        restored = store.restore({"states": states()})
    after = step.replicate(restored.items["states"])
    for batch in batches[restored.step :]:
        after, _ = step(after, batch)
    assert toy.distance(after, trained[0]) == 0


def test_scanned_steps_are_the_steps_one_by_one_and_their_sums_are_added(trained):
    batches = jax.tree.map(lambda *leaves: np.stack(leaves, axis=1), *toy.plan(0))
    after, metrics = parallelise(scanned(ensemble(body())), devices=jax.devices()[:1])(states(), batches)
    assert toy.distance(after, trained[0]) < 1e-12
    for name, pair in metrics.items():
        for total, each in zip(pair, zip(*(step[name] for step in trained[1]), strict=True), strict=True):
            np.testing.assert_allclose(total, np.sum(each, axis=0), rtol=1e-12)


def test_scanned_on_one_batch(step):
    batch, after = toy.plan(0)[0], step.replicate(states())
    for _ in range(4):
        after, _ = step(after, batch)
    scanned_after, metrics = jax.jit(scanned(ensemble(body()), 4))(states(), batch)
    assert toy.distance(scanned_after, after) < 1e-12
    assert metrics["loss"][1].tolist() == [4, 4, 4]


@pytest.mark.parametrize(
    ("keys", "values", "sentence"),
    [
        (jax.random.key(0), {}, r"keys of shape \[members\], one at least; got shape \[\]"),
        (jax.random.split(jax.random.key(0), 2), {"weight_decay": RATES}, "expected 2 numbers of 'weight_decay'"),
        (jax.random.split(jax.random.key(0), 3), {"momentum": RATES}, "no number 'momentum' to set, only .*'lr_scale'"),
    ],
)
def test_what_is_no_ensemble_is_refused(keys, values, sentence):
    with pytest.raises(ValueError, match=sentence):
        init_ensemble(begin, keys, values)


def test_a_schedule_is_not_silently_kept():
    rule = optimizer(optax.constant_schedule(0.1))
    with pytest.raises(ValueError, match="no number 'learning_rate' to set"):
        init_ensemble(lambda key: begin(key, rule), jax.random.split(jax.random.key(0), 3), {"learning_rate": RATES})
