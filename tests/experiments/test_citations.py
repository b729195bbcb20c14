import dataclasses
import pathlib

import numpy as np
import pytest

from experiments import citations

CORA = pathlib.Path(__file__).parents[3] / "shared" / "data" / "planetoid" / "cora.npz"
TINY = citations.PRESETS["tiny"]


def test_tiny_preset_trains_every_seed(capsys):
    scores = citations.main(dataclasses.replace(TINY, epochs=30))
    assert scores.test.shape == (2,)
    assert scores.test.mean() > 0.6
    assert "gcn on karate club, 2 seeds: " in capsys.readouterr().out


@pytest.mark.skipif(not CORA.exists(), reason="no package ships this graph")
def test_features_stay_sparse_on_cora():
    scores = citations.main(dataclasses.replace(TINY, graph=CORA, epochs=15, seeds=1))
    assert scores.test.mean() > 0.55
    assert np.all(scores.epoch <= 15)
