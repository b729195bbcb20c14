"""Series: roles of columns, regular instants, no look ahead, windows that are views, a series with a known optimum."""

import numpy as np
import pandas as pd
import pytest

from symjax.data import (
    Rows,
    Series,
    as_table,
    fit_scaler,
    join_windows,
    read_series,
    read_table,
    split_in_time,
    synthetic_optimum,
    synthetic_oracle,
    synthetic_series,
    windows,
)

LENGTH = 40


def frame(length=LENGTH, freq="h", **columns):
    rng = np.random.default_rng(0)
    names = {"date": pd.date_range("2026-01-31", periods=length, freq=freq), "load": rng.normal(size=length)}
    return pd.DataFrame(names | {"OT": rng.normal(size=length), "site": "a"} | columns)


def read(data, **roles):
    return read_series(as_table(data, name="my.csv"), **{"target": ["OT"]} | roles)


def test_columns_have_roles():
    data = frame(price=np.arange(LENGTH), level=2.0)
    (series,) = read(data, known=["price"])
    assert series.columns == ("OT", "load", "level", "price")
    assert series.known == ("price",)
    assert (series.name, series.ahead.shape, series.values.dtype) == ("", (0, 1), np.float64)
    np.testing.assert_array_equal(series.values, data[list(series.columns)])
    np.testing.assert_array_equal(series.times, data["date"].to_numpy("datetime64[ns]"))
    (counted,) = read(data.iloc[::-1], time="")
    assert counted.times.tolist() == list(range(LENGTH))
    (counted,) = read(data.drop(columns="date"), target=["load", "OT"])
    assert counted.columns == ("load", "OT", "price", "level")
    assert (counted.times.tolist(), counted.known) == (list(range(LENGTH)), ())


@pytest.mark.parametrize("freq", ["h", "15min", "D", "W", "ME", "MS", "QE", "2MS", "YS", "YE", "SME"])
def test_what_comes_after_the_end_is_what_pandas_says(freq):
    times = pd.date_range("2024-01-15 06:00", periods=LENGTH + 9, freq=freq)
    if freq == "SME":  # twice a month: neither a fixed time nor months
        with pytest.raises(ValueError, match=r"row \d, column 'date': expected a step of \d+ days as before, got"):
            read(frame(date=times[:LENGTH]))
        return
    (series,) = read(frame(date=times[:LENGTH]))
    np.testing.assert_array_equal(series.after(9), times[LENGTH:].to_numpy("datetime64[ns]"))


def test_months_keep_their_day_where_they_have_it():
    times = pd.to_datetime(["2026-01-30", "2026-02-28", "2026-03-30", "2026-04-30"])
    (series,) = read(frame(4, date=times))
    assert series.step == np.timedelta64(1, "M")
    (ends,) = read(frame(2, date=pd.to_datetime(["2026-06-30", "2026-09-30"])))
    assert ends.after(2).astype("datetime64[D]").astype(str).tolist() == ["2026-12-31", "2027-03-31"]
    assert series.after(10)[[0, 9]].astype("datetime64[D]").astype(str).tolist() == ["2026-05-30", "2027-02-28"]
    with pytest.raises(ValueError, match="row 3, column 'date': expected a step of 28 days as before, got 29 days"):
        read(frame(4, date=pd.to_datetime(["2026-01-30", "2026-02-27", "2026-03-27", "2026-04-25"])))


@pytest.mark.parametrize(("times", "after"), [(np.arange(40) * 5, [200, 205]), (np.arange(40) * 0.1, [4.0, 4.1])])
def test_numbers_are_instants_too(times, after):
    (series,) = read(frame(tick=times), time="tick")
    np.testing.assert_allclose(series.after(2), after, rtol=1e-12)
    assert "tick" not in series.columns


def test_several_series_of_one_file_may_alternate():
    data = frame(80, site=["b", "a"] * 40, date=np.repeat(pd.date_range("2026-01-01", periods=40), 2))
    b, a = read(data, by="site")
    assert (b.name, a.name) == ("b", "a")
    np.testing.assert_array_equal(a.values[:, 0], data["OT"][1::2])
    numbered = read(data.assign(site=[1234567, 1234568] * 40), by="site")
    assert [series.name for series in numbered] == ["1234567", "1234568"]
    with pytest.raises(
        ValueError, match=r"my.csv, row 1, column 'date': 2026-01-01 repeats 2026-01-01; drop one, or name the column"
    ):
        read(data)


def test_a_gap_is_filled_from_its_own_series_only():
    data = frame(80, site=["b", "a"] * 40, date=np.repeat(pd.date_range("2026-01-01", periods=40), 2))
    data.loc[4, "OT"] = np.nan
    assert read(data, by="site", fill=True)[0].values[2, 0] == data["OT"][2]
    data.loc[1, "OT"] = np.nan
    with pytest.raises(ValueError, match=r"my.csv, row 1, column 'OT': .* none comes before it"):
        read(data, by="site", fill=True)


def test_rows_after_the_targets_are_the_future():
    data = frame(price=np.arange(LENGTH))
    data.loc[LENGTH - 5 :, ["OT", "load"]] = np.nan
    (series,) = read(data, known=["price"])
    assert (len(series.values), len(series.times), series.ahead.tolist()) == (35, 35, [[35], [36], [37], [38], [39]])
    np.testing.assert_array_equal(series.after(5), data["date"][35:].to_numpy("datetime64[ns]"))
    series.require_ahead(5)
    with pytest.raises(ValueError, match=r"'price' must be known for the 6 instants after the last target, got 5; add"):
        series.require_ahead(6)
    with pytest.raises(ValueError, match=r"my.csv, row 35, column 'OT': expected a number, got nothing"):
        read(data)
    data.loc[37, "price"] = np.nan
    with pytest.raises(ValueError, match=r"my.csv, row 37, column 'price': expected a number, got nothing"):
        read(data, known=["price"])


def test_targets_end_together():
    data = frame(price=np.arange(LENGTH))
    data.loc[30:, "OT"] = data.loc[35:, "load"] = np.nan
    with pytest.raises(ValueError, match=r"my.csv, row 30, column 'OT': expected a number, got nothing"):
        read(data, known=["price"], target=["OT", "load"])


def without(data, column):
    return data.assign(**{column: data[column].mask(data.index == 5)})


@pytest.mark.parametrize(
    ("change", "roles", "sentence"),
    [
        (lambda x: x, {"target": ["OTT"]}, "my.csv has no column 'OTT'; did you mean 'OT'"),
        (lambda x: x, {"time": "dat"}, "my.csv has no column 'dat'; did you mean 'date'"),
        (lambda x: x, {"known": ["OT"]}, "one role for each column, got several for 'OT'"),
        (lambda x: x, {"target": []}, "at least one target, got none; choose among date, load, OT, site"),
        (lambda x: x, {"target": ["site"]}, "my.csv, row 0, column 'site': expected a number, got 'a'"),
        (lambda x: x, {"time": "site"}, "my.csv, row 0, column 'site': expected a time, got 'a'"),
        (lambda x: x.assign(OT=np.nan), {}, "my.csv, row 0, column 'OT': expected a number here or below, got none"),
        (
            lambda x: x.iloc[::-1],
            {},
            r"my.csv, row 1, column 'date': 2026-02-01T14:00Z? is before 2026-02-01T15:00Z?; sort the file",
        ),
        (lambda x: x.iloc[[0, 1, 2, 2, 3]], {}, r"my.csv, row 3, column 'date': 2026.* repeats 2026"),
        (lambda x: x.drop(index=3), {}, "row 3, column 'date': expected a step of 1 hour as before, got 2 hours"),
        (lambda x: x.iloc[:1], {}, "my.csv, row 0, column 'date': expected at least two instants, got one"),
        (lambda x: without(x, "date"), {}, "row 5, column 'date': expected a time, got nothing"),
        (lambda x: without(x, "site"), {"by": "site"}, "row 5, column 'site': expected the name of a series"),
    ],
)
def test_a_series_that_cannot_be_read_gets_one_sentence(change, roles, sentence):
    with pytest.raises(ValueError, match=sentence):
        read(change(frame()), **roles)


def test_a_series_without_a_window_is_refused():
    (series,) = read(frame())
    series.require_length(30, 10)
    with pytest.raises(
        ValueError, match="the series has 40 instants, fewer than a lookback of 30 and a horizon of 11 need"
    ):
        series.require_length(30, 11)
    with pytest.raises(ValueError, match="the series 'b' has 40 instants"):
        series._replace(name="b").require_length(30, 11)
    series.require_length(40, 0)


def futures(starts, lookback, horizon):
    """All instants that some window of a part forecasts."""
    return {start + lookback + step for start in starts for step in range(horizon)}


@pytest.mark.parametrize("shares", [{"valid": 20, "test": 30}, {"valid": 0.2, "test": 0.3}])
def test_parts_own_their_futures_and_look_back_only(shares):
    splits = split_in_time(100, lookback=7, horizon=4, **shares)
    assert futures(splits.train, 7, 4) == {*range(7, 50)}
    assert futures(splits.valid, 7, 4) == {*range(50, 70)}
    assert futures(splits.test, 7, 4) == {*range(70, 100)}
    assert (splits.train.start, splits.rows) == (0, 50)


def test_the_parts_of_a_series_that_is_too_short():
    with pytest.raises(ValueError, match="100 instants leave 10 for training, where windows of 7 and 4 need 11; lower"):
        split_in_time(100, valid=40, test=50, lookback=7, horizon=4)
    with pytest.raises(ValueError, match="leave 3 for validation, where windows of 7 and 4 need 4"):
        split_in_time(100, valid=3, test=50, lookback=7, horizon=4)
    with pytest.raises(ValueError, match="a lookback and a horizon of at least 1, got 7 and 0"):
        split_in_time(100, valid=20, test=30, lookback=7, horizon=0)
    with pytest.raises(ValueError, match="--test is a fraction between 0 and 1, or a number of instants, not 0"):
        split_in_time(100, valid=3, test=0, lookback=7, horizon=4)


def test_windows_are_views_that_training_can_index():
    values = np.arange(60.0).reshape(30, 2)
    past, future = views = windows(values, 5, 3, range(2, 20))
    assert np.shares_memory(past, values)
    assert np.shares_memory(future, values)
    assert not past.flags.writeable
    for i in (0, 17):
        np.testing.assert_array_equal(past[i], values[2 + i : 7 + i])
        np.testing.assert_array_equal(future[i], values[7 + i : 10 + i])
    rows = Rows(views, 4, seed=0)
    batch = rows.load(rows.plan(0)[0])
    np.testing.assert_array_equal(batch.rows.past[..., -1, :] + 2, batch.rows.future[..., 0, :])
    joined = join_windows([views, windows(values, 5, 3, range(3))])
    assert (len(joined.past), joined.future[-1].tolist()) == (21, values[7:10].tolist())
    assert join_windows([views]) is views
    for starts in (range(-1, 3), range(20, 24)):
        with pytest.raises(ValueError, match="expected windows of 5 and 3 within 30 instants, got starts from"):
            windows(values, 5, 3, starts)


def test_no_later_row_changes_a_window_or_the_scale():
    data = frame(200, freq="D")
    changed = data.assign(OT=data["OT"].where(data.index < 120, 1e6), load=data["load"].where(data.index < 120, -1e6))
    found = []
    for table in (data, changed):
        (series,) = read(table)
        splits = split_in_time(200, valid=40, test=40, lookback=10, horizon=5)
        scaler = fit_scaler(series.values[: splits.rows], series.columns)
        seen = windows(scaler.apply(series.values), 10, 5, splits.train)
        valid = windows(scaler.apply(series.values), 10, 5, splits.valid).past[:1]
        found.append((*scaler, *seen, valid))
    for first, second in zip(*found, strict=True):
        np.testing.assert_array_equal(first, second)


def test_the_scale_is_undone_by_the_channels_asked_for():
    values = np.random.default_rng(0).normal([1.0, -50.0, 3.0], [0.1, 20.0, 3.0], (500, 3))
    scaler = fit_scaler(values, ("a", "b", "c"))
    scaled = scaler.apply(values)
    np.testing.assert_allclose([scaled.mean(axis=0), scaled.std(axis=0)], [[0] * 3, [1] * 3], atol=1e-12)
    np.testing.assert_allclose(scaler.undo(scaled[:, [2, 1]], [2, 1]), values[:, [2, 1]])
    with pytest.raises(ValueError, match=r"expected the 1 channels \[2\], got 3"):
        scaler.undo(scaled, [2])
    values[:, 1] = 0.1
    with pytest.raises(ValueError, match=r"column 'b' is 0.1 at all 500 instants for training; it tells nothing"):
        fit_scaler(values, ("a", "b", "c"))


def test_the_oracle_is_as_good_as_the_optimum():
    series = synthetic_series(4000, 60, seed=1)
    assert isinstance(series[3], Series)
    assert (series[3].name, series[3].columns) == ("3", ("y", "x"))
    values = np.stack([one.values for one in series])
    errors = (synthetic_oracle(values[:, :50], 10) - values[:, 50:, 0]) ** 2
    spread = errors.std(axis=0) / np.sqrt(len(errors))
    assert (np.abs(errors.mean(axis=0) - synthetic_optimum(10)) < 3 * spread).all()
    assert synthetic_optimum(10).mean() == pytest.approx(0.08079, abs=5e-6)
    assert not np.allclose(values, np.stack([one.values for one in synthetic_series(4000, 60, seed=2)]))


def test_the_published_windows_of_an_untouched_file(shared):
    table = read_table(shared / "data/ett/ETTh1.csv")
    (series,) = read_series(table, target=["HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"])
    assert (series.values.shape, series.columns[-1], series.step) == ((17420, 7), "OT", np.timedelta64(1, "h"))
    assert series.times[0] == np.datetime64("2016-07-01")
    splits = split_in_time(20 * 30 * 24, valid=4 * 30 * 24, test=4 * 30 * 24, lookback=96, horizon=96)
    assert [len(starts) for starts in splits[:3]] == [8449, 2785, 2785]
    assert splits.rows == 12 * 30 * 24
    test = windows(series.values, 96, 96, splits.test)
    np.testing.assert_array_equal(test.future[0, 0], series.values[11520])
    np.testing.assert_array_equal(test.future[-1, -1], series.values[14399])


@pytest.mark.parametrize(
    ("times", "rhythm"),
    [
        (np.arange("2026-01", "2026-07", dtype="datetime64[M]"), "time stamps every 1 month"),
        (np.arange("2026-01-01", "2026-01-20", 7, dtype="datetime64[D]"), "time stamps every 7 days"),
        (np.arange(0, 50, 10), "instants counted by 10"),
    ],
)
def test_a_series_says_how_its_instants_follow(times, rhythm):
    times = times.astype("datetime64[ns]") if times.dtype.kind == "M" else times
    assert Series(np.zeros((len(times), 1)), times, ("a",), "", np.zeros((0, 0))).rhythm == rhythm
