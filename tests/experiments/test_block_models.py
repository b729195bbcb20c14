import dataclasses

from experiments import block_models


def test_layers_use_edges_and_stay_below_the_optimum(tmp_path, capsys):
    config = dataclasses.replace(
        block_models.PRESETS["tiny"], layers=("sage",), nodes=600, learn_from=600, out=tmp_path
    )
    found = block_models.main(config)
    assert found["sage"][1] > found["sage"][0] + 10
    assert found["optimum"][1] > found["sage"][1] - 2
    assert (tmp_path / "block_models.png").stat().st_size > 10_000
    assert "threshold 1.0" in capsys.readouterr().out
