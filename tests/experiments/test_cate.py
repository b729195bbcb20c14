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
