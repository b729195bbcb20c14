"""Objectives of global means: the gradient of one device, however samples were dealt out, and a carry that survives."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import toy
from test_run import RECIPE, Batches, PowerCutError, task

from symjax.training import CheckpointStore, Objective, init_state, make_step, measure, parallelise, resume, train
from symjax.training.checkpoints.state import Progress, save_state

DRIVERS = [("jit", 1), ("jit", 4), ("pmap", 2), ("shard_map", 4)]
SGD = optax.sgd(1.0)


def spread_by_hand(params, batch, average):
    """The objective of the first step with plain sums over all rows at once."""
    x, y = (batch[name][batch["mask"]] for name in ("x", "y"))
    hidden = jnp.tanh(x @ params["w"])
    error = hidden @ params["out"]["v"] - y
    members = [x[:, 0] <= 0, (x[:, 0] > 0) & (x[:, 0] <= 0.8), x[:, 0] > 0.8]
    risk = jnp.stack([(error[own] ** 2).mean() for own in members])
    slope = jnp.stack([(error[own, None] * hidden[own]).mean(0) for own in members])
    between = lambda m: ((m - m.mean(0, keepdims=True)) ** 2).mean(0).sum()  # noqa: E731
    return (0.9 * average + 0.1 * risk).sum() + between(risk) + between(slope), risk


@pytest.mark.parametrize(("how", "devices"), DRIVERS)
def test_the_gradient_is_the_one_of_all_rows_at_once(how, devices):
    """Environments of 5, 2 and 1 rows, which no shard holds in equal parts."""
    batch, rule = toy.plan(0)[1], {"average": np.array([0.5, 1.0, 2.0])}
    step = parallelise(make_step(toy.by_environment, SGD, toy.SPREAD), how=how, devices=jax.devices()[:devices])
    state = init_state(toy.params(), SGD, key=jax.random.key(0), rule=rule)
    after, metrics = step(step.replicate(state), batch)
    (value, risk), gradient = jax.value_and_grad(spread_by_hand, has_aux=True)(toy.params(), batch, rule["average"])
    moved = jax.tree.map(jnp.subtract, state.params, after.params)
    assert toy.distance(moved, gradient) < 1e-12
    np.testing.assert_allclose(metrics["loss"][0], value, rtol=1e-12)
    np.testing.assert_allclose(after.rule["average"], 0.9 * rule["average"] + 0.1 * risk, rtol=1e-12)
    assert set(metrics) == {"risk_0", "risk_1", "risk_2", "loss", "grad_norm", "skipped"}
    np.testing.assert_allclose([np.divide(*metrics[f"risk_{e}"]) for e in range(3)], risk, rtol=1e-12)


def test_a_mean_of_nothing_is_zero_and_a_step_that_is_not_finite_leaves_the_carry():
    step = parallelise(make_step(toy.by_environment, SGD, toy.SPREAD), devices=jax.devices()[:1])
    state = step.replicate(init_state(toy.params(), SGD, key=jax.random.key(0), rule={"average": np.ones(3)}))
    state, metrics = step(state, toy.plan(0)[0])  # no row of the third environment
    assert [float(metrics[f"risk_{e}"][1]) for e in range(3)] == [8, 4, 0]
    assert float(state.rule["average"][2]) == 0.9
    assert int(state.skipped) == 0
    bad, before = toy.plan(0)[1], np.asarray(state.rule["average"])
    bad["x"][0, 0, 0] = np.nan
    state, _ = step(state, bad)
    assert (int(state.skipped), step.compilations) == (1, 1)
    np.testing.assert_array_equal(state.rule["average"], before)


def spread_task(**changes):
    return task(**{"loss": toy.by_environment, "weights": toy.SPREAD, "shown": {"risk_0": (1.0, "")}} | changes)


def test_a_run_with_a_carry_goes_on_bit_for_bit_and_keeps_numbers_of_its_risks(tmp_path, capsys):
    whole = train(spread_task(), RECIPE, tmp_path / "whole")
    with pytest.raises(PowerCutError):
        train(spread_task(train=Batches(cut=15)), RECIPE, tmp_path / "cut")
    resumed = train(spread_task(), RECIPE, tmp_path / "cut", resumed=True)
    assert "going on after epoch 2" in capsys.readouterr().err
    assert toy.distance(resumed.state, whole.state) == 0
    assert np.all(np.asarray(whole.state.rule["average"]) > 0)
    record = json.loads((tmp_path / "whole" / "metrics.jsonl").read_text().splitlines()[-1])
    assert {f"{part}_risk_{e}" for part in ("train", "valid") for e in range(3)} <= set(record)
    assert not [name for name in record if "slope" in name]
    with pytest.raises(ValueError, match=r"holds \['ema', 'params', 'rest', 'rule'\]|is of another model"):
        train(spread_task(weights=toy.SPREAD._replace(init=np.zeros(2))), RECIPE, tmp_path / "whole", resumed=True)

    means = measure(spread_task(), RECIPE, whole.best_params, Batches(100))
    risks = np.array([means[f"risk_{e}"] for e in range(3)])
    assert means["loss"] > 0.1 * risks.sum() + risks.var()  # the carry at its beginning, the schedule at its end


@pytest.mark.parametrize("rule", [np.arange(3.0), (np.ones(2), {"q": np.zeros(())}), optax.EmptyState(), {}])
def test_any_tree_is_a_carry_and_none_leaves_checkpoints_as_they_were(tmp_path, rule):
    state = toy.state(rule=rule)
    with CheckpointStore(tmp_path) as store:
        save_state(store, state, Progress(step=1))
        store.wait()
        assert (tmp_path / "1" / "rule").exists() is bool(jax.tree.leaves(rule))
        again = resume(store, toy.state(1, rule=jax.tree.map(np.zeros_like, rule))).state
    assert toy.distance(again, state) == 0
    assert jax.tree.structure(again.rule) == jax.tree.structure(rule)


@pytest.mark.parametrize(
    ("objective", "error", "words"),
    [
        (Objective({"risk"}, lambda m, c, t: (m["risk"], c)), TypeError, r"one number, not an array of shape \(3,\)"),
        ({"risk": 1.0}, TypeError, r"one number, not an array of shape \(3,\)"),
        (Objective({"risks"}, lambda m, c, t: (m["risks"].sum(), c)), ValueError, r"names \['risks'\], but the loss"),
        (toy.SPREAD, ValueError, r"init_state\(\.\.\., rule=objective.init\)"),
        (Objective({"risk"}, lambda m, c, t: (m["risk"].sum(), m["risk"])), TypeError, r"its carry in the shapes \(\)"),
    ],
)
def test_one_sentence_for_what_is_no_objective(objective, error, words):
    step = make_step(toy.by_environment, SGD, objective)
    with pytest.raises(error, match=words):
        jax.eval_shape(step, init_state(toy.params(), SGD, key=jax.random.key(0)), toy.plan(0)[0])


def test_counts_broadcast_to_their_sums():
    step = make_step(lambda *_: {"a": (jnp.ones(3), jnp.ones(2))}, SGD, {"a": 1.0})
    with pytest.raises(TypeError, match=r"a count broadcasts to its sum; got the shapes \(2,\) and \(3,\) for 'a'"):
        step(init_state(toy.params(), SGD, key=jax.random.key(0)), toy.plan(0)[0])
