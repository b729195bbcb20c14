"""`symjax forecast`: what it leaves behind, what the other verbs make of it, how it goes on, and what it refuses."""

import json

import jax
import numpy as np
import pandas as pd
import pytest

from symjax.tasks import load
from symjax.training import CheckpointStore

from .command import kill, symjax

HOURS = 150
OPTIONS = ["--horizon", "3", "--lookback", "24", "--hidden", "4", "--layers", "1", "--heads", "2", "--epochs", "3"]


def table(path, rows=HOURS, seed=0):
    """Hourly rows of two columns that go round once a day."""
    rng, hours = np.random.default_rng(seed), np.arange(rows)
    wave = 10 + 3 * np.sin(2 * np.pi * hours / 24)
    noise = rng.standard_normal((2, rows))
    times = pd.date_range("2026-01-30", periods=rows, freq="h")
    pd.DataFrame({"date": times, "load": wave + 0.3 * noise[0], "wind": noise[1]}).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return table(tmp_path_factory.mktemp("tables") / "my.csv")


@pytest.fixture(scope="module")
def trained(data):
    folder = data.parent / "run"
    with jax.enable_x64(False):
        assert symjax("forecast", data, "--target", "load", *OPTIONS, "--out", folder) == 0
    return folder


def test_the_run_directory_is_complete(trained):
    assert {path.name for path in trained.iterdir()} == {
        "run.json",
        "model.json",
        "linear",
        "checkpoints",
        "metrics.jsonl",
        "report.json",
        "learning_curve.png",
        "forecast.csv",
        "forecast.png",
        "errors.png",
    }
    run, report = (json.loads((trained / name).read_text()) for name in ("run.json", "report.json"))
    assert (run["task"], run["options"]["target"]) == ("forecast", ["load"])
    assert set(report["errors"]) == {"last", "seasonal", "dlinear", "nlinear", "rlinear", "ridge", "temporal"}
    assert report["windows"] == 30 - 3 + 1
    assert report["kept"] == min(report["valid_errors"], key=lambda name: report["valid_errors"][name]["mse"])
    assert report["compilations"] == {"train": 1, "evaluation": 1}
    assert 0.5 < report["coverage"]["all"] <= 1


def test_the_forecast_begins_after_the_end(trained, data):
    future = pd.read_csv(trained / "forecast.csv", parse_dates=["time"])
    known = pd.read_csv(data, parse_dates=["date"])
    assert list(future) == ["time", "load", "load_lower", "load_upper"]
    step = pd.Timedelta(1, "h")
    assert list(future["time"]) == [known["date"].iloc[-1] + i * step for i in (1, 2, 3)]
    assert (future["load_lower"] < future["load"]).all()
    wave = 10 + 3 * np.sin(2 * np.pi * (HOURS + np.arange(3)) / 24)
    assert np.abs(future["load"] - wave).max() < 2


def test_several_series_with_columns_known_ahead_and_gaps(tmp_path):
    shops = []
    for name, seed in (("north", 0), ("south", 1)):
        shop = pd.read_csv(table(tmp_path / "shop.csv", 123, seed=seed)).assign(shop=name)
        shop.loc[120:, "load"] = np.nan  # to come; the wind is known
        shop.loc[50, "load"] = np.nan
        shops.append(shop)
    pd.concat(shops).to_csv(tmp_path / "shops.csv", index=False)
    words = ["--target", "load", "--known", "wind", "--series", "shop", "--fill", "True", *OPTIONS, "--epochs", "1"]
    with jax.enable_x64(False):
        assert symjax("forecast", tmp_path / "shops.csv", *words, "--out", tmp_path / "run") == 0
    future = pd.read_csv(tmp_path / "run" / "forecast.csv")
    assert list(future["series"]) == ["north"] * 3 + ["south"] * 3
    assert list(future["time"][:3]) == list(shops[0]["date"][120:])
    assert np.isfinite(future[["load", "load_lower", "load_upper"]].to_numpy()).all()


def test_predict_writes_what_the_forecaster_says_of_another_table(trained, tmp_path, capsys):
    other, output = table(tmp_path / "other.csv", 40, seed=1), tmp_path / "out.csv"
    assert symjax("predict", trained, "--input", other, "--output", output) == 0
    values = pd.read_csv(other)[["load", "wind"]].to_numpy()
    forecast = load(trained)(values[None, -24:], np.zeros((1, 3, 0)))
    written = pd.read_csv(output)
    np.testing.assert_allclose(written["load"], forecast.value[0, :, 0], rtol=1e-6)
    np.testing.assert_allclose(written["load_upper"], forecast.upper[0, :, 0], rtol=1e-6)
    assert "3 steps after" in capsys.readouterr().out


def test_evaluate_counts_every_window_of_another_table(trained, tmp_path, capsys):
    other = table(tmp_path / "other.csv", 40, seed=1)
    assert symjax("evaluate", trained, "--data", other) == 0
    printed = capsys.readouterr().out
    assert "14 windows" in printed
    assert printed.count("temporal network") == 2  # scaled, and in the units of the table
    assert "90% intervals held" in printed


def test_the_laws_of_what_is_kept_and_of_the_network_are_measured(trained, capsys):
    assert symjax("check", trained) == 0
    printed = capsys.readouterr().out
    assert "temporal network, float64" in printed
    assert "Amplitude(2): channels -> channels 0" in printed
    assert "Causality: 24 outputs see 300 of 576 pairs" in printed
    assert "BROKEN" not in printed


def test_a_killed_run_goes_on_to_the_same_bits(trained, data, tmp_path, capsys):
    folder = tmp_path / "run"
    kill("Rows", 6, "forecast", data, "--target", "load", *OPTIONS, "--out", folder)  # in epoch 3, of two steps
    assert not (folder / "report.json").exists()
    assert symjax("evaluate", folder, "--data", data) == 2
    assert f"go on with: symjax forecast --resume {folder}" in capsys.readouterr().err
    with jax.enable_x64(False):
        assert symjax("forecast", "--resume", folder) == 0
    said = capsys.readouterr().err
    assert "going on after epoch 1" in said or "going on after epoch 2" in said
    ends = []
    for place in (trained, folder):
        with CheckpointStore(place / "checkpoints", identity=None, read_only=True) as store:
            ends.append(store.restore({"params": None, "rest": None}))
    jax.tree.map(np.testing.assert_array_equal, ends[0].items, ends[1].items)
    reports = [json.loads((place / "report.json").read_text()) for place in (trained, folder)]
    assert reports[0]["errors"] == reports[1]["errors"]
    assert (trained / "forecast.csv").read_bytes() == (folder / "forecast.csv").read_bytes()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--horizon", "0"], ["--lookback and --horizon must be at least 1", "0"]),
        (["--lookback", "200"], ["150 instants", "200"]),
        (["--horizon", "40"], ["150 instants leave 30 for validation", "40"]),
        (["--target", "laod"], ["'laod'", "did you mean 'load'?"]),
        (
            ["--known", "wind", "--target", "load"],
            ["'wind' must be known for the 24 instants after", "got 0"],
        ),
        (["--season", "0", "--horizon", "3"], ["--season is of 1 to 24 instants", "not 0"]),
        (["--level", "1"], ["--level is a share between 0 and 1, not 1"]),
        (["--level", "0.999", "--horizon", "3"], ["at least 999 windows for validation, not 28"]),
        (["--model", "prophet", "--horizon", "3"], ["--model is best, last, seasonal", "not 'prophet'"]),
        (["--batch-size", "0"], ["--batch-size must be at least 1"]),
        (["--hidden", "9"], ["--hidden must be a multiple of --heads, not 9 of 4"]),
        (["--valid", "1.5"], ["--valid", "instants", "1.5"]),
        (["--epochs", "0"], ["--epochs must be at least 1"]),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(data, refuses, tmp_path, options, words):
    lookback = [] if "--lookback" in options else ["--lookback", "24"]
    refuses(["forecast", data, *lookback, *options, "--out", tmp_path / "run"], *words)
    assert not (tmp_path / "run" / "run.json").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["bad.csv is empty"]),
        ("\ufeff", ["bad.csv is empty"]),
        ("t;load\n1;0,5\n2;\n3;0,7\n", ["line 3, column 'load'", "got nothing", "fill gaps forward (--fill True)"]),
        ("t,load\n1,0.5\n2,high\n3,0.7\n", ["line 3, column 'load'", "got 'high'"]),
        ("t,load\n2,0.5\n1,0.6\n3,0.7\n", ["line 3, column 't'", "1 is before 2; sort the file"]),
        ("t,load\n1,0.5\n1,0.6\n3,0.7\n", ["line 3, column 't'", "1 repeats 1"]),
        ("t,load\n1,0.5\n2,0.6\n4,0.7\n", ["line 4, column 't'", "a step of 1 as before, got 2"]),
        ("t,load\n1,0.5\n2,0.6\n", ["2 instants, fewer than a lookback of 2 and a horizon of 1"]),
        ("t,load\n" + "".join(f"{i},0.5\n" for i in range(40)), ["'load' is 0.5 at all 24 instants for training"]),
    ],
)
def test_a_bad_table_is_refused_in_one_sentence(refuses, tmp_path, text, words):
    (tmp_path / "bad.csv").write_text(text)
    asked = ["--target", "load", "--time", "t", "--lookback", "2", "--horizon", "1"]
    refuses(["forecast", tmp_path / "bad.csv", *asked, "--out", tmp_path / "run"], *words)


def test_other_runs_and_other_tables_are_refused(trained, run, refuses, tmp_path):
    refuses(["forecast", "--resume", run], f"go on with: symjax train --resume {run}")
    refuses(["train", "--resume", trained], f"go on with: symjax forecast --resume {trained}")
    refuses(["forecast", "--target", "load", "--out", tmp_path / "run"], "there is no file", "'load'")
    (tmp_path / "bare.csv").write_text("date,load\n2026-01-01,1.0\n2026-01-02,2.0\n")
    refuses(["predict", trained, "--input", tmp_path / "bare.csv", "--output", tmp_path / "out.csv"], "'wind'")
    refuses(["predict", trained, "--input", tmp_path / "bare.csv", "--output", tmp_path / "out.xyz"], "FILE.csv")
    short = table(tmp_path / "short.csv", 20)
    refuses(["predict", trained, "--input", short, "--output", tmp_path / "out.csv"], "20 instants", "24")
