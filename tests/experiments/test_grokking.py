import dataclasses
import json

import pytest

from experiments import grokking

TINY = grokking.PRESETS["tiny"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    config = dataclasses.replace(TINY, out=tmp_path_factory.mktemp("grokking") / "run")
    return config, grokking.main(config)


def test_tiny_preset_trains_every_member_and_reports(run):
    config, errors = run
    assert [(member["fraction"], member["decay"], member["seed"]) for member in errors["members"]] == [
        (0.5, 0.1, 0),
        (0.5, 1.0, 0),
    ]
    first, second = errors["members"]
    assert first["train_nll"] != second["train_nll"]
    assert len(errors["restricted"]) == len(errors["excluded"]) == config.options.epochs
    assert sum(errors["neurons"]) <= config.options.width
    assert json.loads((config.out / "report.json").read_text())["errors"] == errors
    for picture in ("transition.png", "phases.png"):
        assert (config.out / picture).stat().st_size > 10_000


def test_a_killed_run_goes_on_bit_for_bit(run, tmp_path, monkeypatch):
    config = dataclasses.replace(run[0], out=tmp_path / "run")

    def say(*lines):
        if "step 15:" in lines[0]:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(grokking, "EVERY", 1)
        patch.setattr(grokking.training, "say", say)
        with pytest.raises(KeyboardInterrupt):
            grokking.main(config)
    assert not (config.out / "report.json").exists()
    assert grokking.main(config) == run[1]


def test_what_is_trained_is_read(run, monkeypatch):
    config, errors = run
    monkeypatch.setattr(grokking, "learn", None)
    assert grokking.main(config) == errors
    with pytest.raises(ValueError, match="was started with width = 8, not 9"):
        grokking.main(dataclasses.replace(config, options=dataclasses.replace(config.options, width=9)))


def test_a_transformer_learns_a_group_table_by_heart(tmp_path):
    options = {"operation": "compose", "size": 3, "network": "transformer", "decays": (1.0,)}
    options = dataclasses.replace(TINY.options, **options, learning_rate=0.01, steps=100)
    errors = grokking.main(grokking.Config(options, tmp_path / "run"))
    (member,) = errors["members"]
    assert member["train_99"] is not None
    assert "key" not in errors
    assert not (tmp_path / "run" / "phases.png").exists()
