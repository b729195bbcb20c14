"""ETTh1, the usual benchmark of long forecasts: seven channels, hour by hour, the next 96 to 720 of them from 96.

    python -m experiments.forecast_ett --path ../shared/data/ett/ETTh1.csv                # all horizons
    python -m experiments.forecast_ett --path ../shared/data/ett/ETTh1.csv --preset tiny  # seconds; shows that it works

The file is read as it is (its licence allows no changed copy). Training, validation and testing have the standard 8640,
2880 and 2880 hours (Zhou et al. 2021, arXiv:2012.07436), the scale is that of training, every window of the test part
counts, and errors are means over windows, steps and channels. A run that was stopped goes on when the same command is
given again.

Test MSE/MAE at horizons 96, 192, 336 and 720 (preset "full", seed 0, 2026-11-28: 6 and a half minutes of CPU time on a
2-core AMD EPYC guest, 46 on the clock beside other work):

                         96            192           336           720
    seasonal naive       0.512/0.433   0.581/0.469   0.650/0.501   0.655/0.514
    DLinear              0.381/0.393   0.432/0.424   0.475/0.452   0.500/0.498
    DLinear by Adam      0.386/0.402   0.436/0.431   0.479/0.456   0.504/0.501
    DLinear, published   0.386/0.400   0.437/0.432   0.481/0.459   0.519/0.516
    NLinear              0.383/0.392   0.434/0.422   0.475/0.444   0.469/0.462
    RLinear              0.384/0.392   0.436/0.422   0.479/0.444   0.480/0.469
    RLinear, published   0.386/0.395   0.437/0.424   0.479/0.446   0.481/0.470
    ridge, all channels  0.501/0.488   0.686/0.602   0.892/0.708   0.942/0.782
    temporal network     0.473/0.469   0.525/0.492   0.565/0.510   0.573/0.533

Linear models are least squares in closed form, but for DLinear by Adam, ten epochs at a rate of 5e-4 (at 1e-3 it has
0.451 at 192). RLinear is within 0.003 of what is published; so is DLinear by Adam but for 720, where it is better by
0.015, and the closed form of DLinear is better everywhere. The network, which like the ridge regression sees all
channels at once, is behind all three.
"""

import dataclasses
import pathlib
from functools import partial
from typing import Any, Literal

import jax
from rich.console import Console
from rich.table import Table

from symjax import forecasts, training
from symjax.data import RowBatch, Rows, read_series, read_table
from symjax.models import DLinear
from symjax.tasks import forecast
from symjax.training import Recipe

ADAM = "DLinear by Adam"
HOURS = 8640 + 2880 + 2880
# MSE and MAE at lookback 96 by horizon: the table of iTransformer (Liu et al. 2024, arXiv:2310.06625)
PUBLISHED = {
    "rlinear": {96: (0.386, 0.395), 192: (0.437, 0.424), 336: (0.479, 0.446), 720: (0.481, 0.470)},
    "dlinear": {96: (0.386, 0.400), 192: (0.437, 0.432), 336: (0.481, 0.459), 720: (0.519, 0.516)},
    "iTransformer": {96: (0.386, 0.405), 192: (0.441, 0.436), 336: (0.487, 0.458), 720: (0.503, 0.491)},
    "PatchTST": {96: (0.414, 0.419), 192: (0.460, 0.445), 336: (0.501, 0.466), 720: (0.500, 0.488)},
    "TimesNet": {96: (0.384, 0.402), 192: (0.436, 0.429), 336: (0.491, 0.469), 720: (0.521, 0.500)},
}


@dataclasses.dataclass(frozen=True)
class Options:
    """What is forecast from what, and the network."""

    preset: Literal["tiny", "full"] = "full"
    hours: int = HOURS  # from the beginning of the file; three fifths are for training
    lookback: int = 96
    hidden: int = 32
    layers: int = 4
    dropout: float = 0.1
    batch_size: int = 32
    horizon: int = 96  # set for each of the horizons in turn


RECIPE = dataclasses.replace(forecast.RECIPE, epochs=10, patience=3)


@dataclasses.dataclass(frozen=True)
class Config:
    """What to forecast, how to learn it, and where to keep it."""

    path: pathlib.Path  # ETTh1.csv
    options: Options = Options()
    recipe: Recipe = RECIPE
    horizons: tuple[int, ...] = (96, 192, 336, 720)
    out: pathlib.Path = pathlib.Path("runs/forecast_ett")


DATA = pathlib.Path("../shared/data/ett/ETTh1.csv")
PRESETS = {
    "tiny": Config(
        DATA,
        Options("tiny", hours=400, lookback=24, hidden=4, layers=1, batch_size=64),
        dataclasses.replace(RECIPE, epochs=1),
        horizons=(12,),
    ),
    "full": Config(DATA),
}


def main(config: Config) -> dict[int, dict[str, dict[str, float]]]:
    """Run the experiment; return the test errors of all methods by horizon."""
    found = {}
    plain = dataclasses.replace(config.recipe, learning_rate=5e-4, weight_decay=0.0, warmup=0, patience=None)
    for horizon in config.horizons:
        run = partial(training.run_experiment, "forecast_ett", dataclasses.replace(config.options, horizon=horizon))
        network = run(config.recipe, config.out / f"{horizon}", partial(prepare_network, config.path))
        dlinear = run(plain, config.out / f"{horizon}-dlinear", partial(prepare_dlinear, config.path))
        found[horizon] = {**network, ADAM: dlinear}
    print_table(found, config.options.lookback)
    return found


def arrange(path: pathlib.Path, options: Options) -> forecast.Arranged:
    """Return the windows of all channels, all of them targets."""
    table = read_table(path)
    channels = [name for name, column in table.columns.items() if column.kind == "number"]
    [whole] = read_series(table, target=channels)
    series = whole._replace(values=whole.values[: options.hours], times=whole.times[: options.hours])
    names = ("horizon", "lookback", "hidden", "layers", "dropout", "batch_size")
    asked = forecast.Options(**{name: getattr(options, name) for name in names})
    return forecast.arrange([series], len(channels), asked)


def measure(arranged: forecast.Arranged, name: str, params: Any) -> dict[str, float]:
    """Return the test errors of a method."""
    truth, ahead = forecasts.truth_and_ahead(arranged.plan, arranged.test)
    found = forecasts.forecast(name, arranged.plan, params, arranged.test.past, ahead)
    error = forecasts.measure_errors(arranged.plan, found, truth)
    return {"mse": error["mse"], "mae": error["mae"]}


def prepare_network(path: pathlib.Path, options: Options, recipe: Recipe) -> tuple[training.Task, training.Errors]:
    """Return the task of the network, and the test errors of it and of all that needs no training."""
    arranged = arrange(path, options)
    plan, train, valid, _ = arranged
    task = forecast.network_task(plan, train, valid, batch_size=options.batch_size, seed=recipe.seed)

    def errors(result: training.FitResult) -> dict[str, dict[str, float]]:
        params = {**forecasts.fit_linear(plan, train, valid), forecasts.NETWORK: result.best_params}
        return {name: measure(arranged, name, params.get(name)) for name in forecasts.methods_of(plan)}

    return task, errors


def prepare_dlinear(path: pathlib.Path, options: Options, recipe: Recipe) -> tuple[training.Task, training.Errors]:
    """Return the task of DLinear as it was published, trained by Adam, and its test errors."""
    arranged, model = arrange(path, options), DLinear(options.horizon)

    def loss(params: Any, batch: RowBatch, key: Any) -> dict[str, tuple]:
        found = jax.vmap(lambda x: model.apply(params, x))(batch.rows.past)
        return {"mse": batch.total((found - batch.rows.future) ** 2)}

    task = training.Task(
        init=lambda key, batch: model.init(key, batch.rows.past[0]),
        loss=loss,
        weights={"mse": 1.0},
        train=Rows(arranged.train, options.batch_size, recipe.seed),
        valid=Rows(arranged.valid, options.batch_size),
        shown={"mse": (1.0, "")},
    )
    return task, lambda result: measure(arranged, "dlinear", result.best_params["params"])


def print_table(found: dict[int, dict[str, dict[str, float]]], lookback: int) -> None:
    """Print MSE/MAE of every method by horizon, and what is published."""
    table = Table("", *map(str, found), title=f"ETTh1, lookback {lookback}: MSE/MAE, scaled")
    for name in next(iter(found.values())):
        rows = (errors[name] for errors in found.values())
        table.add_row(forecasts.TITLES.get(name, name), *(f"{row['mse']:.3f}/{row['mae']:.3f}" for row in rows))
    for name, rows in PUBLISHED.items() if PUBLISHED["dlinear"].keys() & found.keys() else ():
        pairs = (rows.get(horizon) for horizon in found)
        title = f"{forecasts.TITLES.get(name, name)}, published"
        table.add_row(title, *("" if pair is None else f"{pair[0]:.3f}/{pair[1]:.3f}" for pair in pairs))
    Console().print(table)


if __name__ == "__main__":
    main(training.command_line(PRESETS, __doc__))
