import dataclasses
import json

import numpy as np
import pytest

from experiments import colored_mnist


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """The tiny preset on random images of 100 digits."""
    folder, rng = tmp_path_factory.mktemp("colored"), np.random.default_rng(0)
    np.savez(folder / "digits.npz", images=rng.integers(0, 256, (100, 4, 4)), labels=rng.integers(0, 10, 100))
    config = colored_mnist.PRESETS["tiny"]
    options = dataclasses.replace(config.options, digits=folder / "digits.npz")
    config = dataclasses.replace(config, options=options, out=folder / "runs")
    return config, colored_mnist.main(config)


def test_every_method_has_accuracies_of_three_choices(tiny):
    config, found = tiny
    assert set(found) == set(config.methods) == {"fishr"}
    for method, (errors,) in found.items():
        report = json.loads((config.out / f"{method}-0" / "report.json").read_text())
        assert report["errors"] == errors
        assert set(errors) == {"last", "training-domain", "oracle"}
        assert errors["last"]["step"] == 6
        assert errors["training-domain"]["training"] >= errors["last"]["training"]
        assert all(0 <= row["test"] <= 1 for row in errors.values())


def test_choices_look_at_their_own_environments():
    accuracies = [(0.9, 0.8, 0.1, 0.2), (0.7, 0.7, 0.6, 0.5), (0.8, 0.8, 0.3, 0.4)]
    history = [{"epoch": 1}] + [
        {"step": n, **{f"valid_accuracy_{e}": value for e, value in enumerate(row)}} for n, row in enumerate(accuracies)
    ]
    chosen = colored_mnist.accuracies(history)
    assert {name: (row["step"], row["test"]) for name, row in chosen.items()} == {
        "last": (2, 0.4),
        "training-domain": (0, 0.2),
        "oracle": (1, 0.5),
    }


def test_parts_share_no_digit_and_the_colour_misleads_in_the_test_alone():
    n = 4000
    images = np.broadcast_to(np.arange(n, dtype=np.float32)[:, None, None] + 1, (n, 2, 2))
    given = colored_mnist.Digits(images, np.arange(n) % 10)
    train, measured = colored_mnist.coloured_environments(given, 0, grey=False)
    which = lambda rows: rows["images"].max(axis=(1, 2, 3))  # noqa: E731
    test = measured["index"] == 3
    assert not set(which(train)) & set(which(measured))
    assert not set(which(measured)[test]) & set(which(measured)[~test])
    for index, wrong in enumerate(colored_mnist.WRONG):
        rows = part(train if index < 2 else measured, index)
        colours = rows["images"][..., 1].any(axis=(1, 2))
        assert np.mean(colours != rows["labels"]) == pytest.approx(wrong, abs=0.05)
    grey, _ = colored_mnist.coloured_environments(given, 0, grey=True)
    np.testing.assert_array_equal(grey["images"][..., 0], train["images"].sum(-1))


def part(rows, index):
    return {name: array[rows["index"] == index] for name, array in rows.items()}


def test_every_method_has_a_rule():
    rules = [colored_mnist.rule(dataclasses.replace(colored_mnist.Options(), method=m)) for m in colored_mnist.METHODS]
    assert all({"risk", "share", "l2"} <= set(rule.names) for rule in rules)
    assert [not isinstance(rule.init, tuple) for rule in rules] == [False, False, False, True, True, False]
