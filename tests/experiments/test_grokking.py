import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
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


@pytest.mark.parametrize("network", [grokking.TokenMLP, grokking.TokenTransformer])
@pytest.mark.parametrize(("operation", "size"), [("mul", 5), ("compose", 3), ("parity", 4)])
def test_networks_take_the_tokens_of_every_operation(network, operation, size):
    table = grokking.TABLES[operation](size)
    model, tokens = network(table.vocabulary, table.classes, 8), jnp.asarray(table.tokens[0])
    params = jax.eval_shape(model.init, jax.random.key(0), tokens)
    logits, sown = jax.eval_shape(lambda params: model.apply(params, tokens, mutable="intermediates"), params)
    assert (logits.shape, logits.dtype) == ((table.classes,), jnp.float32)
    assert len(jax.tree.leaves(sown)) == 1
    assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {jnp.dtype(jnp.float32)}


def test_the_first_layer_on_tables_is_the_layer_on_embeddings_side_by_side():
    model, tokens = grokking.TokenMLP(5, 5, 8), jnp.array([2, 4])
    params = jax.jit(model.init)(jax.random.key(0), tokens)
    own = jax.tree.map(np.asarray, params["params"])
    x = np.concatenate([own["embedding"][0, 2], own["embedding"][1, 4]]) @ own["kernel"].reshape(16, 8)
    for dense in ("Dense_0", "Dense_1"):
        x = np.maximum(x, 0) @ own[dense]["kernel"] + own[dense]["bias"]
    np.testing.assert_allclose(jax.jit(model.apply)(params, tokens), x, rtol=1e-5, atol=1e-6)


def test_examples_are_padded_to_the_largest_part():
    batch = grokking.examples(np.array([[True, False, False], [False, True, True]]))
    assert batch["rows"].shape == (1, 2, 2)
    assert batch["weights"].tolist() == [[[1, 0], [1, 1]]]
    assert (batch["rows"][0, 0, 0], batch["rows"][0, 1].tolist()) == (0, [1, 2])
