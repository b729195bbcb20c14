import dataclasses
import json

import numpy as np
import pytest

from experiments import emlp_dynamics, emlp_synthetic


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory):
    config = dataclasses.replace(emlp_synthetic.PRESETS["tiny"], out=tmp_path_factory.mktemp("synthetic"))
    return config, emlp_synthetic.main(config)


@pytest.fixture(scope="module")
def dynamics(tmp_path_factory):
    config = dataclasses.replace(emlp_dynamics.PRESETS["tiny"], out=tmp_path_factory.mktemp("dynamics"))
    return config, emlp_dynamics.main(config)


def test_synthetic_reports_every_network(synthetic):
    config, done = synthetic
    lines = [json.loads(line) for line in (config.out / "results.jsonl").read_text().splitlines()]
    assert lines == json.loads(json.dumps(done))
    assert [line["model"] for line in lines] == ["emlp", "mlp", "mlp+aug"]
    assert all(0 < line["test_mse"] < 100 for line in lines)
    assert (config.out / "curves.png").stat().st_size > 10_000


def test_synthetic_laws_hold_for_emlp_only(synthetic):
    emlp, mlp, augmented = (line["law"] for line in synthetic[1])
    assert emlp < 1e-4 < 1e-2 < min(mlp, augmented)


def test_dynamics_reports_every_network(dynamics):
    config, done = dynamics
    lines = [json.loads(line) for line in (config.out / "results.jsonl").read_text().splitlines()]
    assert lines == json.loads(json.dumps(done))
    assert [line["model"] for line in lines] == ["hnn-O2", "ode"]
    for line in lines:
        assert line["errors"][0] == pytest.approx(1e-5)
        assert len(line["errors"]) == 150
        assert line["error"] == pytest.approx(np.exp(np.mean(np.log(line["errors"]))))
    assert (config.out / "rollouts.png").stat().st_size > 10_000


@pytest.mark.parametrize("run", ["synthetic", "dynamics"])
def test_finished_networks_are_not_trained_again(run, request, monkeypatch):
    config, done = request.getfixturevalue(run)
    experiment = {"synthetic": emlp_synthetic, "dynamics": emlp_dynamics}[run]
    monkeypatch.setattr(experiment, "learn", None)
    assert experiment.main(config) == json.loads(json.dumps(done))
    with pytest.raises(TypeError, match="not callable"):  # other settings ask for other networks
        experiment.main(dataclasses.replace(config, channels=config.channels + 1))
