import dataclasses

import numpy as np
import pytest

from experiments import cate


def test_the_r_learner_beats_a_constant(capsys):
    found = cate.learn_synthetic(400, ("R",))
    assert found["R"] < 0.7  # a constant errs by .71
    assert "R" in capsys.readouterr().out


def test_networks_of_all_tables_are_one_run_with_errors_of_each(tmp_path, capsys):
    config = dataclasses.replace(cate.PRESETS["tiny"], out=tmp_path)
    found = cate.main(config)
    assert {name: len(errors["root_pehe"]) for name, errors in found.items()} == {"linear": 2, "TARNet": 2}
    assert np.isfinite([errors["root_pehe"] for errors in found.values()]).all()
    assert "TARNet" in capsys.readouterr().out
    with pytest.raises(ValueError, match="the folder of ihdp"):
        cate.read(cate.PRESETS["ihdp"].options)


def test_the_official_split_holds_out_its_own_units(tmp_path):
    rng = np.random.default_rng(0)
    parts = {}
    for part, n in (("train", 20), ("test", 3)):
        arrays = {name: rng.normal(size=(n, 4)) for name in ("yf", "ycf", "mu0", "mu1")}
        parts[part] = arrays | {"x": rng.normal(size=(n, 5, 4)), "t": rng.binomial(1, 0.5, (n, 4))}
        np.savez(tmp_path / f"ihdp_npci_1-100.{part}.npz", **parts[part])
    options = dataclasses.replace(cate.PRESETS["ihdp"].options, data=tmp_path, replicates=(2, 4))
    found = cate.read(options)
    train, test = parts["train"], parts["test"]
    np.testing.assert_array_equal(found.train.outcome, train["yf"][:, [1, 3]].T)
    np.testing.assert_array_equal(found.train.arm, train["t"][:, [1, 3]].T)
    np.testing.assert_allclose(found.effects, (test["mu1"] - test["mu0"])[:, [1, 3]].T)
    x = train["x"][:, :, 1]
    np.testing.assert_allclose(found.test[0], (test["x"][:, :, 1] - x.mean(axis=0)) / x.std(axis=0))
