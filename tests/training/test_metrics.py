"""Sums until the end, and a file of records that a resumed run does not repeat."""

import json
import math
import re

import numpy as np
import pytest

from symjax.training import MetricsLog, means, origin
from symjax.training.metrics import add_sums


def test_means_do_not_depend_on_how_samples_were_batched():
    values = np.random.default_rng(0).normal(size=100).astype(np.float32) ** 2

    def totals(cuts):
        parts = np.split(values, cuts)
        return add_sums({}, [{"e": (part.astype(np.float64).sum(), np.int32(len(part)))} for part in parts])

    one, many = totals([]), totals([3, 3, 40])
    np.testing.assert_allclose(means(one)["e"], means(many)["e"], rtol=1e-14)
    assert math.isnan(means({"e": (0.0, 0.0)})["e"])


def test_small_terms_are_not_lost_in_a_long_epoch():
    step = {"n": (np.float32(1.0), np.float32(1.0))}
    assert add_sums({"n": (2.0**24, 2.0**24)}, [step, step]) == {"n": (2.0**24 + 2, 2.0**24 + 2)}


def test_a_full_disk_is_one_sentence():
    with pytest.raises(OSError, match=r"a record could not be written to /dev/full: No space left on device$"):
        MetricsLog("/dev/full").append({"epoch": 1})


def test_the_origin_of_a_result_is_json_wherever_it_was_made(tmp_path, monkeypatch):
    here = origin()
    assert here["versions"].keys() == {"symjax", "jax", "flax", "optax"}
    assert all(re.match(r"\d+\.\d+", version) for version in here["versions"].values())
    assert json.loads(json.dumps(here)) == here
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert origin()["commit"] == ""
    monkeypatch.setenv("PATH", "")
    assert origin() == here | {"commit": ""}


def test_rewinding_drops_later_epochs_and_torn_lines(tmp_path):
    log = MetricsLog(tmp_path / "metrics.jsonl")
    assert log.rewind(0) == []
    records = [{"epoch": n, "step": 10 * n, "loss": 1.0 / n, "bad": math.nan} for n in (1, 2, 3)]
    for record in records:
        log.append(record)
    expected = [record | {"bad": None} for record in records]
    assert log.rewind(3) == expected
    with log.path.open("a") as file:
        file.write('{"epoch": 4, "ste')
    assert log.rewind(2) == expected[:2]
    assert [json.loads(line) for line in log.path.read_text().splitlines()] == expected[:2]
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.jsonl"]
