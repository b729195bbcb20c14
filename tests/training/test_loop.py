"""The loop: what it measures, when it stops, what it remembers."""

import json
import os
import signal
import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import toy

from symjax.training import (
    CheckpointStore,
    Keep,
    MetricsLog,
    Pace,
    Plateau,
    Progress,
    evaluate_batches,
    fit,
    make_evaluation,
    means,
    parallelise,
    resume,
)
from symjax.training.checkpoints.state import save_state


@pytest.fixture(scope="module")
def step():
    return toy.driver()


def scripted(values):
    """An evaluation that returns these numbers in turn, whatever the parameters."""
    numbers = iter(values)
    return lambda params: {"loss": next(numbers), "norm": float(np.abs(params["w"]).sum())}


def test_patience_stops_and_the_best_parameters_are_those_of_the_best_epoch(step):
    seen = []

    def evaluate(params):
        seen.append(jax.tree.map(np.array, params))
        return {"loss": [3.0, 1.0, 2.0, np.nan, 1.0, 0.5][len(seen) - 1]}

    result = fit(toy.state(), step, toy.plan, pace=Pace(10, patience=3), evaluate=evaluate)
    assert result.stopped_by == "patience"
    assert (result.progress.epoch, result.progress.best, result.progress.best_step) == (5, 1.0, 12)
    assert toy.distance(result.best_params, seen[1]) == 0
    assert toy.distance(seen[4], result.state.ema) == 0
    assert [record["epoch"] for record in result.history] == [1, 2, 3, 4, 5]
    assert step.compilations == 1


def test_records_hold_the_means_of_the_epoch_and_evaluation_keeps_its_rhythm(step, tmp_path):
    log, told = MetricsLog(tmp_path / "metrics.jsonl"), []
    evaluation = parallelise(make_evaluation(toy.loss), devices=jax.devices()[:1], donate=False)
    batch = toy.plan(0)[0]

    def evaluate(params):
        measured = means(evaluate_batches(evaluation, params, [batch]))
        return {"loss": measured["all"], **measured}

    result = fit(
        toy.state(),
        step,
        lambda epoch: [batch] * 5,
        pace=Pace(5, evaluate_every=2, report_every=2),
        evaluate=evaluate,
        keep=Keep(log=log, on_epoch=told.append),
    )
    assert told == result.history == [json.loads(line) for line in log.path.read_text().splitlines()]
    assert [record["step"] for record in told] == [5, 10, 15, 20, 25]
    assert [("valid_all" in record) for record in told] == [False, True, False, True, True]
    assert told[-1]["valid_all"] == evaluate(result.state.ema)["all"]
    assert told[0]["train_skipped"] == 0
    objective = told[0]["train_all"] + np.mean([0.5 + 0.1 * t for t in range(5)]) * told[0]["train_positive"]
    assert told[0]["train_loss"] == pytest.approx(objective, rel=0.02)
    assert told[-1]["train_loss"] < told[0]["train_loss"]


def test_a_plateau_lowers_the_learning_rate_without_compiling_again(step):
    values = [1.0, 2.0, 2.0, 2.0, 2.0, 0.5]
    rule = Plateau(factor=0.5, patience=2, floor=0.1)
    result = fit(toy.state(), step, toy.plan, pace=Pace(6, plateau=rule), evaluate=scripted(values))
    assert float(result.state.lr_scale) == 0.25
    assert (result.progress.stale, result.progress.flat) == (0, 0)
    assert step.compilations == 1


class PowerCutError(Exception):
    """Nothing runs after it."""


@pytest.mark.parametrize("cut", [3, 9, 13])
def test_resumed_in_the_middle_of_an_epoch_is_bit_for_bit_the_same(step, tmp_path, cut):
    def run(folder, load=None):
        values = {6: 1.0, 12: 3.0, 18: 2.0, 24: 2.5}
        with CheckpointStore(folder / "checkpoints") as store:
            state, place, _ = resume(store, toy.state())
            evaluate = scripted([value for at, value in values.items() if at > place.step])
            pace = Pace(4, save_every=2, plateau=Plateau(patience=1), report_every=4)
            keep = Keep(store, MetricsLog(folder / "metrics.jsonl"))
            return fit(state, step, toy.plan, pace=pace, start=place, load=load, evaluate=evaluate, keep=keep)

    calls = iter(range(1, 100))

    def load(batch):
        if next(calls) == cut:
            raise PowerCutError
        return batch

    for name in ("whole", "cut"):
        (tmp_path / name).mkdir()
    whole = run(tmp_path / "whole")
    with pytest.raises(PowerCutError):
        run(tmp_path / "cut", load)
    resumed = run(tmp_path / "cut")
    assert toy.distance(resumed.state, whole.state) == 0
    assert toy.distance(resumed.best_params, whole.best_params) == 0
    assert resumed.progress == whole.progress
    assert float(whole.state.lr_scale) == 0.125
    timeless = [[record | {"seconds": 0} for record in result.history] for result in (whole, resumed)]
    assert timeless[0] == timeless[1]
    assert len((tmp_path / "cut" / "metrics.jsonl").read_text().splitlines()) == 4
    assert step.compilations == 1


def poisoned(epoch):
    """The second epoch has three batches that are not finite, one apart from the others."""
    batches = toy.plan(epoch)
    for bad in (1, 3, 4) if epoch == 1 else ():
        batches[bad]["x"][:, 0] = np.nan
    return batches


def test_steps_that_are_not_finite_are_counted_or_end_the_run(step, tmp_path):
    result = fit(toy.state(), step, poisoned, pace=Pace(3, max_streak=3, report_every=1))
    assert (int(result.state.skipped), int(result.state.streak)) == (3, 0)
    assert [record["train_skipped"] for record in result.history] == [0, 0.5, 0]
    assert all(np.isfinite(value) for value in result.history[1].values())
    message = (
        r"not finite in 2 steps in a row \(steps 10 to 11, up to batch 5 of epoch 2\); "
        r"the last good checkpoint is step 6 in .*run\. Lower"
    )
    for report_every in (1, 50):  # seen at once, or when the epoch closes with good steps behind the bad ones
        with (
            CheckpointStore(tmp_path / f"{report_every}-run") as store,
            pytest.raises(FloatingPointError, match=message),
        ):
            fit(toy.state(), step, poisoned, pace=Pace(3, max_streak=2, report_every=report_every), keep=Keep(store))


def test_what_is_not_finite_is_no_beginning_and_no_checkpoint(step, tmp_path):
    bad = toy.state()._replace(params=toy.params() | {"w": jnp.full((3, 8), jnp.nan)})
    with pytest.raises(FloatingPointError, match="the first parameters cannot be kept, for params/w is not finite"):
        fit(bad, step, toy.plan, pace=Pace(1))
    with CheckpointStore(tmp_path) as store:
        with pytest.raises(FloatingPointError, match="step 3 cannot be kept, for params/w is not finite"):
            save_state(store, bad, Progress(step=3))
        assert store.steps() == []
        save_state(store, toy.state(), Progress(step=3))
        store.save(6, {"params": bad.params, "ema": bad.ema, "rest": {"n": jnp.zeros(1)}}, {})
    with CheckpointStore(tmp_path) as store:
        found = store.restore({"params": None})
    assert found.step == 3
    assert "passed over checkpoint 6" in found.passed_over[0]
    assert found.passed_over[0].endswith("damaged: params/w is not finite")


@pytest.mark.parametrize(
    ("start", "last_good"), [(7, "the last good checkpoint is step 6 in"), (0, "no checkpoint in")]
)
def test_the_last_good_checkpoint_lies_before_the_streak_and_is_kept(step, tmp_path, start, last_good):
    def plan(epoch):
        batches = toy.plan(epoch)
        for index, batch in enumerate(batches):
            if 6 * epoch + index >= start:
                batch["x"][:, 0] = np.nan
        return batches

    with CheckpointStore(tmp_path / "run", keep=2) as store:
        with pytest.raises(FloatingPointError, match=last_good):
            fit(toy.state(), step, plan, pace=Pace(3, max_streak=8, save_every=2), keep=Keep(store))
        assert store.steps() == ([6, 12, 14] if start else [4, 6])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_writes_a_checkpoint_and_gives_its_meaning_back(step, tmp_path, number):
    before = signal.getsignal(number)
    handlers = []

    def load(batch):
        if not handlers:
            os.kill(os.getpid(), number)
            handlers.append(signal.getsignal(number))
        return batch

    with CheckpointStore(tmp_path / "run") as store:
        result = fit(toy.state(), step, toy.plan, pace=Pace(2), load=load, keep=Keep(store))
        assert (result.stopped_by, result.signal, result.exit_code) == ("signal", number, 128 + number)
        found = resume(store, toy.state())
    assert (found.progress.step, found.progress.index) == (1, 1)
    assert toy.distance(found.state, result.state) == 0
    assert handlers == [before]
    assert signal.getsignal(number) is before


def test_it_trains_outside_the_main_thread(step):
    results = []
    thread = threading.Thread(target=lambda: results.append(fit(toy.state(), step, toy.plan, pace=Pace(1))))
    thread.start()
    thread.join()
    assert results[0].stopped_by == "epochs"


def test_a_folder_with_a_run_is_not_overwritten_and_a_finished_run_is_finished(step, tmp_path):
    with CheckpointStore(tmp_path / "run") as store:
        first = fit(toy.state(), step, toy.plan, pace=Pace(1), keep=Keep(store), evaluate=scripted([1.0]))
        with pytest.raises(ValueError, match="already holds a run"):
            fit(toy.state(), step, toy.plan, pace=Pace(1), keep=Keep(store))
        state, place, _ = resume(store, toy.state())
        again = fit(state, step, toy.plan, pace=Pace(1), keep=Keep(store), start=place)
    assert toy.distance(again.state, first.state) == 0
    assert toy.distance(again.best_params, first.best_params) == 0
    assert again.passed_over == ()


def test_a_damaged_best_checkpoint_is_named_in_the_result(step, tmp_path):
    with CheckpointStore(tmp_path / "run") as store:
        fit(toy.state(), step, toy.plan, pace=Pace(2), keep=Keep(store), evaluate=scripted([1.0, 2.0]))
        state, place, _ = resume(store, toy.state())
        for path in (tmp_path / "run" / str(place.best_step) / "ema").rglob("*"):
            if path.is_file():
                path.write_bytes(b"")
        again = fit(state, step, toy.plan, pace=Pace(2), keep=Keep(store), start=place)
    assert toy.distance(again.best_params, again.state.ema) == 0
    assert [f"checkpoint {place.best_step} in" in sentence for sentence in again.passed_over] == [True]


def test_one_sentence_for_a_number_that_is_not_measured(step):
    with pytest.raises(ValueError, match=r"no 'loss' to tell the best by, only \['norm'\]"):
        fit(toy.state(), step, toy.plan, pace=Pace(1), evaluate=lambda params: {"norm": 1.0})


def test_progress_is_shown_to_a_terminal_only(step, capsys, monkeypatch):
    fit(toy.state(), step, toy.plan, pace=Pace(1))
    assert capsys.readouterr() == ("", "")
    monkeypatch.setenv("FORCE_COLOR", "1")
    fit(toy.state(), step, toy.plan, pace=Pace(2), evaluate=scripted([1.25, 2.0]))
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "epoch 2/2, best 1.25" in shown.err
    assert "12/12" in shown.err
