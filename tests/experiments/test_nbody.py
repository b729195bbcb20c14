import dataclasses
import json

import pytest

from experiments import nbody


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    config = dataclasses.replace(nbody.PRESETS["tiny"], out=tmp_path_factory.mktemp("nbody"))
    return config, nbody.main(config)


def test_tiny_preset_trains_and_reports(run):
    config, errors = run
    history = [json.loads(line) for line in (config.out / "metrics.jsonl").read_text().splitlines()]
    assert [record["epoch"] for record in history] == [1, 2, 3]
    assert history[-1]["train_mse"] < history[0]["train_mse"]
    (line,) = (json.loads(line) for line in (config.out / "results.jsonl").read_text().splitlines())
    assert line["test_mse"] == errors
    assert line["config"]["seed"] == config.seed
    assert (config.out / "learning_curve.png").stat().st_size > 10_000


def test_goes_on_where_it_stopped(run, capsys):
    config, errors = run
    (config.out / "checkpoints" / "99").mkdir()
    assert nbody.main(dataclasses.replace(config, resume=True)) == errors
    assert "passed over checkpoint 99" in capsys.readouterr().out
    with pytest.raises(ValueError, match="already holds a run"):
        nbody.main(config)
