import dataclasses

import numpy as np
import pytest

from experiments import forecast_ett, forecast_synthetic
from symjax.data import synthetic_optimum


def test_the_synthetic_series_has_everything_beside_its_oracle(tmp_path, capsys):
    config = dataclasses.replace(forecast_synthetic.PRESETS["tiny"], out=tmp_path)
    errors = forecast_synthetic.main(config)["40-plain"]
    assert errors["oracle"] == pytest.approx(float(np.mean(synthetic_optimum(10))), rel=0.25)
    assert min(value for name, value in errors.items() if name != "epochs") == errors["oracle"]
    assert "optimum 0.0808" in capsys.readouterr().out


def test_tiny_preset_reads_a_table_as_it_is(tmp_path, capsys):
    rows = np.random.default_rng(0).standard_normal((500, 3)).cumsum(axis=0)
    times = np.datetime64("2016-07-01T00:00") + np.arange(500) * np.timedelta64(1, "h")
    lines = [",".join([str(time).replace("T", " "), *map(str, row)]) for time, row in zip(times, rows, strict=True)]
    (tmp_path / "table.csv").write_text("\n".join(["date,a,b,c", *lines]))
    config = dataclasses.replace(forecast_ett.PRESETS["tiny"], path=tmp_path / "table.csv", out=tmp_path / "run")
    errors = forecast_ett.main(config)[12]
    assert set(errors) == {"last", "seasonal", "dlinear", "nlinear", "rlinear", "ridge", "temporal", "DLinear by Adam"}
    assert errors["rlinear"]["mse"] < errors["seasonal"]["mse"]  # of a random walk
    assert "0.386" not in capsys.readouterr().out
    assert np.mean(list(forecast_ett.PUBLISHED["rlinear"].values()), axis=0) == pytest.approx((0.446, 0.434), abs=1e-3)
