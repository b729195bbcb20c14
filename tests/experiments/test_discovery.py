import numpy as np

from experiments import discovery


def test_smooth_methods_find_raw_graphs_and_lose_the_scales(monkeypatch, capsys):
    monkeypatch.setattr(discovery.importlib.util, "find_spec", lambda name: None)  # neither cdt nor causal-learn
    found = discovery.main("tiny")
    assert set(found) == {"ER1", "ER1, standardised"}
    for name in ("DAGMA", "NOTEARS"):
        assert found["ER1"][name][0].distance < found["ER1, standardised"][name][0].distance
    assert "varsortability 0.50" in capsys.readouterr().out


def test_cells_come_from_a_file(tmp_path):
    path = tmp_path / "cells.csv"
    path.write_text("\n".join([",".join(discovery.COLUMNS), *(",".join(["2"] * 11) for _ in range(900))]))
    cells = discovery.sachs(path)
    assert cells is not None
    assert cells[0].sum() == 17
    assert (cells[1] == np.full((discovery.OBSERVED, 11), np.log(2))).all()
