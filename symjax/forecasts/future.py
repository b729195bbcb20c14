"""The steps after the end of series: forecast, as a table in the units of the data, and as a picture."""

import pathlib
from collections.abc import Sequence

import numpy as np

from symjax.data import Series
from symjax.forecasts.forecaster import Forecast, Forecaster
from symjax.training import write_bytes, write_picture

PANELS = 4


def forecast_future(forecaster: Forecaster, series: Sequence[Series]) -> Forecast:
    """Return the forecast of the steps after the end of each series.

    Raises:
        ValueError: a series is shorter than the lookback, or a known column ends before the horizon.
    """
    plan = forecaster.plan
    for one in series:
        one.require_length(plan.lookback, 0)
        one.require_ahead(plan.horizon)
    past = np.stack([one.values[-plan.lookback :] for one in series])
    return forecaster(past, np.stack([one.ahead[: plan.horizon].reshape(plan.horizon, plan.known) for one in series]))


def write_future(path: pathlib.Path, forecaster: Forecaster, series: Sequence[Series], future: Forecast) -> None:
    """Write a forecast as csv: the series where there are several, the instant, and for each target three columns."""
    import pandas as pd

    plan, parts = forecaster.plan, []
    for i, one in enumerate(series):
        columns = {"series": one.name} if len(series) > 1 else {}
        columns |= {"time": one.after(plan.horizon)}
        for j, target in enumerate(plan.columns[: plan.targets]):
            ends = (part[i, :, j] for part in future)
            columns |= dict(zip((target, f"{target}_lower", f"{target}_upper"), ends, strict=True))
        parts.append(pd.DataFrame(columns))
    write_bytes(path, pd.concat(parts).to_csv(index=False).encode())


def plot_future(folder: pathlib.Path, forecaster: Forecaster, series: Sequence[Series], future: Forecast) -> None:
    """Draw the first targets of the first series with what comes after them into forecast.png."""
    from matplotlib.figure import Figure  # half a second that most commands can do without

    plan, one = forecaster.plan, series[0]
    shown = min(plan.targets, PANELS)
    figure = Figure((7, 2.6 * shown), layout="constrained")
    times, after = one.times[-plan.lookback :], one.after(plan.horizon)
    for j, axis in enumerate(figure.subplots(shown, 1, squeeze=False)[:, 0]):
        value, lower, upper = (part[0, :, j] for part in future)
        axis.plot(times, one.values[-plan.lookback :, j], linewidth=1, label="data")
        axis.plot(after, value, linewidth=1, label="forecast")
        axis.fill_between(after, lower, upper, alpha=0.25, color="C1", label=f"{forecaster.level:.0%} interval")
        axis.set(ylabel=plan.columns[j])
        axis.tick_params(axis="x", labelrotation=20)
    figure.axes[0].legend(fontsize="small")
    write_picture(folder / "forecast.png", figure)
