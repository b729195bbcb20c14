import numpy as np

from experiments import unknown_interventions


def test_targets_are_inferred_and_the_families_have_their_edges(capsys):
    found = unknown_interventions.main("tiny")
    edges, wrong, right = found["chain3"]
    assert (edges, right) == (2, 1)
    assert wrong <= 1
    assert "chain3" in capsys.readouterr().out
    count = {name: int(unknown_interventions.graph(name).sum()) for name in ("fork4", "collider4", "full4", "jungle7")}
    assert count == {"fork4": 3, "collider4": 3, "full4": 6, "jungle7": 10}
    assert not np.tril(unknown_interventions.graph("jungle7")).any()
