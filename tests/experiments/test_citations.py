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


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"n_node": [2, 1, 0], "labels": [0, 1, 0]}, "has 3 graphs and labels of int32"),
        ({"labels": [0.5, 1.5, 2.5]}, "has 1 graphs and labels of float64"),
        ({"edges": np.ones((2, 3))}, "no layer of this experiment reads features of edges"),
    ],
)
def test_other_files_are_refused(changes, sentence, tmp_path):
    arrays = {"senders": [0, 1], "receivers": [1, 0], "features": np.eye(3), "labels": [0, 1, 0]}
    np.savez(tmp_path / "graph.npz", **arrays | {"train": [0], "valid": [1], "test": [2]} | changes)
    with pytest.raises(ValueError, match=sentence):
        citations.main(dataclasses.replace(TINY, graph=tmp_path / "graph.npz"))
    with pytest.raises(ValueError, match=r"there is no file cora\.npz.* leave out --graph"):
        citations.main(dataclasses.replace(TINY, graph=pathlib.Path("cora.npz")))
