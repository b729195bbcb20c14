import dataclasses
import json

import pytest

from experiments import gaussian_sets
from symjax.data.sets import gaussian_sets_bayes


def test_tiny_preset_trains_on_both_data_and_draws(tmp_path):
    config = dataclasses.replace(gaussian_sets.PRESETS["tiny"], models=("sampled",), out=tmp_path)
    found = gaussian_sets.main(config)
    assert list(found) == ["4_static_sampled", "4_fresh_sampled"]
    for name, errors in found.items():
        assert json.loads((tmp_path / name / "report.json").read_text())["errors"] == errors
    assert (tmp_path / "gaussian_sets.png").stat().st_size > 10_000


def test_new_sets_are_new_in_every_step_and_the_same_again():
    fresh = gaussian_sets.Fresh(gaussian_sets.Options("mlp", "fresh", 4, 64, 1, 1, 4), seed=0)
    batches = [fresh.load(step).rows.members for epoch in (0, 1) for step in fresh.plan(epoch, shards=2)]
    assert [batch.shape for batch in batches] == [(2, 16, 4, 5)] * 4
    assert len({float(shard.sum()) for batch in batches for shard in batch}) == 8
    assert (fresh.load(fresh.plan(1, shards=2)[1]).rows.members == batches[-1]).all()


def test_what_is_better_than_the_optimum_is_a_mistake():
    options, best = gaussian_sets.Options("mlp", "fresh", 10, 1, 1, 1, 1), gaussian_sets_bayes()
    errors = {"accuracy": best.accuracy, "accuracy_error": 0.003, "bce": best.bce, "bce_error": 0.003}
    assert "71.08 +- 0.90 % (Bayes 71.08)" in gaussian_sets.compare(options, errors, best)
    for change in ({"accuracy": best.accuracy + 0.01}, {"bce": best.bce - 0.01}):
        with pytest.raises(RuntimeError, match="better than the optimum"):
            gaussian_sets.compare(options, errors | change, best)
