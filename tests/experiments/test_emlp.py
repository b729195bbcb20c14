import dataclasses
import json

import numpy as np
import pytest

from experiments import emlp_dynamics, emlp_synthetic

FOLDERS = {
    emlp_synthetic: ["inertia-emlp-100-0/1", "inertia-mlp+aug-100-0/1"],
    emlp_dynamics: ["hnn-O2-0", "ode-0"],
}


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory):
    config = dataclasses.replace(emlp_synthetic.PRESETS["tiny"], out=tmp_path_factory.mktemp("synthetic"))
    return emlp_synthetic, config, emlp_synthetic.main(config)


@pytest.fixture(scope="module")
def dynamics(tmp_path_factory):
    config = dataclasses.replace(emlp_dynamics.PRESETS["tiny"], out=tmp_path_factory.mktemp("dynamics"))
    return emlp_dynamics, config, emlp_dynamics.main(config)


@pytest.mark.parametrize("run", ["synthetic", "dynamics"])
def test_every_network_has_a_run_directory(run, request):
    experiment, config, found = request.getfixturevalue(run)
    for folder, errors in zip(FOLDERS[experiment], found, strict=True):
        files = {path.name for path in (config.out / folder).iterdir()}
        assert files == {"run.json", "checkpoints", "metrics.jsonl", "report.json", "learning_curve.png"}
        report = json.loads((config.out / folder / "report.json").read_text())
        assert report["errors"].items() <= errors.items()
        assert report["compilations"]["train"] == 1


def test_synthetic_reports_every_network(synthetic):
    _, config, found = synthetic
    assert [line["model"] for line in found] == ["emlp", "mlp+aug"]
    assert all(0 < line["test_mse"] < 100 for line in found)
    assert (config.out / "curves.png").stat().st_size > 10_000


def test_synthetic_laws_hold_for_emlp_only(synthetic):
    emlp, augmented = (line["law"] for line in synthetic[2])
    assert emlp < 1e-4 < 1e-2 < augmented


def test_validation_chooses_among_the_trials(synthetic, tmp_path, monkeypatch):
    experiment, config, _ = synthetic
    scores = iter([3.0, 1.0, 2.0])
    asked = []

    def train(name, options, recipe, folder, prepare):
        asked.append((folder.name, recipe.learning_rate, recipe.warmup, options.gain, options.steps))
        return {"valid_mse": next(scores), "test_mse": 1.0, "folder": folder.name}

    monkeypatch.setattr(experiment.training, "run_experiment", train)
    config = dataclasses.replace(experiment.PRESETS["small"], out=tmp_path)
    best = experiment.learn(config, task="inertia", model="mlp+aug", size=100, seed=0)
    assert best["folder"] == "2"
    assert asked == [("1", 3e-3, 36, 0.25, 100), ("2", 3e-3, 36, 1.0, 100), ("3", 3e-3, 72, 0.25, 200)]


def test_dynamics_reports_every_network(dynamics):
    _, config, found = dynamics
    assert [line["model"] for line in found] == ["hnn-O2", "ode"]
    for line in found:
        assert line["errors"][0] == pytest.approx(1e-5)
        assert len(line["errors"]) == 150
        assert line["error"] == pytest.approx(np.exp(np.mean(np.log(line["errors"]))))
    assert (config.out / "rollouts.png").stat().st_size > 10_000


def forbidden(options, recipe):
    raise AssertionError("it was trained already")


@pytest.mark.parametrize("run", ["synthetic", "dynamics"])
def test_finished_networks_are_not_trained_again(run, request, monkeypatch):
    experiment, config, found = request.getfixturevalue(run)
    monkeypatch.setattr(experiment, "prepare", forbidden)
    assert experiment.main(config) == found
    with pytest.raises(ValueError, match=r"was started with channels = \d+, not"):
        experiment.main(dataclasses.replace(config, channels=config.channels + 1))
