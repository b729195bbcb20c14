"""`symjax effect`: the page, the folder, and the exit codes."""

import json

import pytest

from symjax.cli.main import main


def run(*words):
    with pytest.raises(SystemExit) as left:
        main(["effect", *words])
    return left.value.code


def test_the_experiment_that_ships(tmp_path, capsys):
    folder = tmp_path / "job"
    assert run("--out", str(folder), "--draws", "10") == 0
    page = capsys.readouterr().out
    assert "difference of means" in page
    assert "1794" in page
    report = json.loads((folder / "report.json").read_text())
    assert report["estimates"][0]["value"] == pytest.approx(1794.34, abs=0.01)
    written = {path.name for path in folder.iterdir()}
    assert written >= {"page.txt", "graph.png", "estimates.png", "overlap.png", "sensitivity.png", "effects.csv"}
    assert len((folder / "effects.csv").read_text().splitlines()) == 446
    assert run("--out", str(folder)) == 2
    assert "already holds a report" in capsys.readouterr().err


def test_an_effect_that_is_not_identified_is_an_answer(tmp_path, capsys):
    table = tmp_path / "t.csv"
    table.write_text("t,y\n" + "".join(f"{k % 2},{k % 7}\n" for k in range(60)))
    words = ("--graph", "t -> y; t <-> y", "--treatment", "t", "--outcome", "y", "--out", str(tmp_path / "out"))
    assert run(str(table), *words) == 1
    assert "not identified" in capsys.readouterr().out


def test_names_with_commas_are_taken_whole(tmp_path, capsys):
    table = tmp_path / "t.csv"
    rows = "".join(f"{'ab'[k % 2]},{k % 7},{k % 5},{k % 3}\n" for k in range(60))
    table.write_text(f't,y,"age, years",sex\n{rows}')
    words = ("--treatment", "t", "--outcome", "y", "--draws", "0", "--out", str(tmp_path / "out"))
    assert run(str(table), *words, "--adjust", "age, years", "sex") == 0
    page = " ".join(capsys.readouterr().out.split())
    assert "among units of equal age, years, sex" in page
    assert "30 rows of t = " in page
