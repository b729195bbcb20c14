"""What is forecast from what: parts, seasons, closed forms, intervals; and what must change nothing."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax import forecasts
from symjax.data import Series, Windows, synthetic_optimum, synthetic_oracle, synthetic_series
from symjax.forecasts import methods
from symjax.forecasts.blueprint import usual_season
from symjax.forecasts.errors import half_widths, measure_errors
from symjax.models import NLinear, RLinear
from symjax.tasks import forecast
from symjax.tasks.forecast import Options, arrange
from symjax.training import Recipe, measure

OPTIONS = Options(horizon=3, lookback=6, hidden=4, layers=1, heads=2, batch_size=16)


def series(length=120, seed=0, *, known=False, name=""):
    """Two channels that drift, and where asked a third that is known ahead and moves the first."""
    rng = np.random.default_rng(seed)
    told = rng.standard_normal(length + 5)
    values = rng.standard_normal((length, 2)).cumsum(axis=0) + 3
    if known:
        values = np.column_stack([values[:, 0] + 5 * told[:length], values[:, 1], told[:length]])
    columns = ("a", "b", "told")[: values.shape[1]]
    return Series(values, np.arange(length), columns, name, told[length:, None] if known else np.zeros((0, 0)))


@pytest.fixture(scope="module")
def arranged():
    return arrange([series()], 1, OPTIONS)


def found(arranged, name, params=None, windows=None):
    windows = arranged.test if windows is None else windows
    return forecasts.forecast(name, arranged.plan, params, windows.past, windows.future[..., arranged.plan.unknown :])


@pytest.mark.parametrize(
    ("step", "season"),
    [
        (np.timedelta64(3600, "s"), 24),
        (np.timedelta64(15, "m"), 96),
        (np.timedelta64(1, "D"), 7),
        (np.timedelta64(7, "D"), 52),
        (np.timedelta64(1, "M"), 12),
        (np.timedelta64(3, "M"), 4),
        (np.timedelta64(12, "M"), None),
        (np.timedelta64(7, "h"), 24),
        (np.int64(1), None),
    ],
)
def test_the_step_suggests_the_season(step, season):
    assert usual_season(step) == season


def test_what_repeats_repeats(arranged):
    plan = dataclasses.replace(arranged.plan, season=2)
    past = arranged.test.past
    np.testing.assert_array_equal(found(arranged, "last"), np.repeat(past[:, -1:, :1], 3, axis=1))
    again = forecasts.forecast("seasonal", plan, None, past, arranged.test.future[..., 2:])
    np.testing.assert_array_equal(again, past[:, [-2, -1, -2], :1])


@pytest.mark.parametrize(("name", "model"), [("nlinear", NLinear(3)), ("rlinear", RLinear(3))])
def test_the_closed_form_is_the_minimum_of_the_loss_of_the_model(arranged, name, model):
    fitted = forecasts.fit_linear(arranged.plan, arranged.train, arranged.train)[name]  # no ridge is better here
    past, truth = (part[..., :1].astype(float) for part in (arranged.train.past, arranged.train.future))

    def loss(params):
        y = jax.vmap(lambda x: model.apply({"params": params}, x))(past)
        return ((y - truth) ** 2).mean()

    params = jax.tree.map(lambda leaf: jnp.asarray(leaf, float), fitted)
    assert max(np.abs(leaf).max() for leaf in jax.tree.leaves(jax.jit(jax.grad(loss))(params))) < 1e-4
    np.testing.assert_allclose(
        found(arranged, name, fitted),
        jax.vmap(lambda x: model.apply({"params": params}, x))(arranged.test.past[..., :1].astype(float)),
        atol=1e-4,
    )


def test_ridge_on_all_channels_finds_what_drives_the_series():
    arranged = arrange(synthetic_series(1, 4000, 0), 1, dataclasses.replace(OPTIONS, test=0.4))
    plan, test = arranged.plan, arranged.test
    params = forecasts.fit_linear(plan, arranged.train, arranged.valid)
    truth = test.future[..., :1]
    errors = {name: measure_errors(plan, found(arranged, name, params[name]), truth)["mse"] for name in params}
    raw = test.past[..., :2] * plan.scaler.scale + plan.scaler.mean
    oracle = ((synthetic_oracle(raw, 3) - plan.scaler.undo(truth, [0])[..., 0]) ** 2).mean() / plan.scale[0] ** 2
    assert oracle == pytest.approx(synthetic_optimum(3).mean() / plan.scale[0] ** 2, rel=0.1)
    assert oracle < errors["ridge"] < 1.03 * oracle
    assert min(errors["dlinear"], errors["nlinear"], errors["rlinear"]) > 1.2 * oracle


def test_metrics_do_not_depend_on_the_batches(arranged, monkeypatch):
    plan = arranged.plan
    params = plan.init(jax.random.key(0))
    recipe, all_of_it = Recipe(), len(arranged.test.past)
    means = [
        measure(task, recipe, params, task.valid)
        for size in (7, all_of_it)
        if (task := forecast.network_task(plan, arranged.train, arranged.test, batch_size=size, seed=0))
    ]
    assert means[0]["mse"] == pytest.approx(means[1]["mse"], rel=1e-6)
    whole = found(arranged, "temporal", params)
    monkeypatch.setattr(methods, "CHUNK", 7)
    np.testing.assert_allclose(found(arranged, "temporal", params), whole, atol=1e-6)
    assert len(whole) == all_of_it == 24 - 3 + 1
    error = measure_errors(plan, whole, arranged.test.future[..., :1])
    assert error["mse"] == pytest.approx(means[1]["mse"], rel=1e-5)
    assert np.mean(error["by_step"]["mse"]) == pytest.approx(error["mse"])
    assert np.mean(error["mae_in_units"]["a"]) == pytest.approx(error["mae"] * plan.scale[0])


def test_later_rows_change_no_earlier_window(arranged):
    whole = series()
    values = np.concatenate([whole.values[:-24], 100 + whole.values[-24:]])  # the test part
    other = arrange([whole._replace(values=values)], 1, OPTIONS)
    assert other.plan.mean == arranged.plan.mean
    jax.tree.map(np.testing.assert_array_equal, other[1:3], arranged[1:3])
    assert not np.array_equal(other.test.future, arranged.test.future)


def test_what_is_known_ahead_is_used_and_what_is_not_is_not():
    arranged = arrange([series(known=True)], 1, OPTIONS)
    plan, test = arranged.plan, arranged.test
    params = {**forecasts.fit_linear(plan, arranged.train, arranged.valid), "temporal": plan.init(jax.random.key(0))}
    future = test.future.copy()
    for columns, moves in ((slice(0, 2), False), (slice(2, 3), True)):
        future[..., columns] += 1
        other = Windows(test.past, future)
        for name in ("ridge", "temporal"):
            change = found(arranged, name, params[name], other) - found(arranged, name, params[name])
            assert (np.abs(change).max() > 1e-3) == moves
    truth = test.future[..., :1]
    errors = {name: measure_errors(plan, found(arranged, name, params[name]), truth)["mse"] for name in params}
    assert errors["ridge"] < 0.6 * errors["nlinear"]


def test_several_series_share_their_windows():
    one, two = series(name="one"), series(80, 1, name="two")
    arranged = arrange([one, two], 2, OPTIONS)
    counts = [sum(parts) for parts in zip((64, 22, 22), (40, 14, 14), strict=True)]
    assert [len(part.past) for part in arranged[1:]] == counts
    together = np.concatenate([one.values[:72], two.values[:48]])
    np.testing.assert_allclose(arranged.plan.mean, together.mean(axis=0))


def test_half_widths_are_those_of_split_conformal_intervals():
    error = np.arange(1.0, 20)[:, None, None] * [[[1.0, -2.0]]]  # 19 windows
    np.testing.assert_array_equal(half_widths(error, 0.9), [[18, 36]])
    with pytest.raises(ValueError, match=r"intervals of --level 0.9 need at least 9 windows for validation, not 8"):
        half_widths(error[:8], 0.9)
    rng = np.random.default_rng(0)
    widths = [half_widths(rng.standard_normal((49, 1, 1)), 0.8).item() for _ in range(300)]
    covered = np.mean([np.abs(rng.standard_normal(100)) <= width for width in widths])
    assert covered == pytest.approx(0.8, abs=0.01)


def test_without_a_file_the_optimum_stands_beside_each_horizon(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(forecast, "LENGTH", 400)
    held = forecast.prepare(OPTIONS, Recipe(), tmp_path).test
    arranged = arrange(synthetic_series(1, 400, 0), 1, OPTIONS)
    np.testing.assert_allclose(held.optimum, synthetic_optimum(3) / arranged.plan.scale[0] ** 2)
    errors = {"last": measure_errors(arranged.plan, found(arranged, "last"), arranged.test.future[..., :1])}
    forecasts.print_errors(arranged.plan, errors, "the test part", optimum=held.optimum)
    [row] = [line for line in capsys.readouterr().out.splitlines() if "attainable" in line]
    assert [f"{best:.3g}" for best in (*held.optimum, np.mean(held.optimum))] == row.replace("│", " ").split()[1:]


def test_what_cannot_be_named_is_refused(arranged):
    for model in ("best", "last", "temporal"):
        forecasts.require_method(arranged.plan, model)
    for model in ("seasonal", "oracle"):
        with pytest.raises(ValueError, match=f"--model is best, last, dlinear, .*, not '{model}'"):
            forecasts.require_method(arranged.plan, model)
    with pytest.raises(ValueError, match="--season is of 1 to 6 instants, as --lookback sees, not 7"):
        arrange([series()], 1, dataclasses.replace(OPTIONS, season=7))
