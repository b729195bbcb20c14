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
    report = json.loads((config.out / "report.json").read_text())
    assert report["errors"] == errors
    assert report["compilations"] == {"train": 1, "evaluation": 1}
    assert json.loads((config.out / "run.json").read_text())["recipe"]["seed"] == config.recipe.seed
    assert (config.out / "learning_curve.png").stat().st_size > 10_000


def test_what_has_no_report_goes_on_and_what_has_one_is_read(run, capsys):
    config, errors = run
    (config.out / "report.json").unlink()
    (config.out / "checkpoints" / "99").mkdir()
    assert nbody.main(config) == errors
    assert "passed over checkpoint 99" in capsys.readouterr().err
    assert nbody.main(config) == errors
    assert "is trained already" in capsys.readouterr().err
    with pytest.raises(ValueError, match="was started with width = 8, not 9"):
        nbody.main(dataclasses.replace(config, options=dataclasses.replace(config.options, width=9)))
