"""Forecasts of series: the next steps of some columns of a table, by what is best on validation."""

import dataclasses
import pathlib
from typing import Annotated, Any, NamedTuple

import jax
import numpy as np
from tyro.conf import Positional, arg

from symjax import forecasts, laws
from symjax.data import (
    RowBatch,
    Rows,
    Series,
    Windows,
    join_windows,
    read_series,
    read_table,
    split_in_time,
    synthetic_optimum,
    synthetic_series,
    windows,
)
from symjax.forecasts import Blueprint, Forecaster, Measurement
from symjax.tasks import Prepared
from symjax.training import Recipe, Task, read_options, read_run, require_folder, require_same_data

VERB = "forecast"
LENGTH = 4000  # instants of the synthetic series
DATA = pathlib.Path
load = forecasts.load_forecaster
RECIPE = Recipe(
    epochs=30, optimizer="adam", learning_rate=1e-3, weight_decay=1e-2, ema=0.0, warmup=0, patience=5, evaluate_every=1
)


@dataclasses.dataclass(frozen=True)
class Options:
    """The table, what of it is forecast, and the network."""

    data: Annotated[Positional[pathlib.Path | None], arg(metavar="TABLE")] = None  # csv or parquet; None: synthetic
    target: tuple[str, ...] = ()  # columns to forecast; none named: all that are not known ahead
    horizon: int = 24  # steps to forecast
    lookback: int = 96  # steps that a forecast sees
    season: int | None = None  # steps after which the series repeats; None: what the time step suggests
    time: str | None = None  # the column of time stamps
    known: tuple[str, ...] = ()  # columns that are known ahead, and go on after the targets end
    series: str | None = None  # the column that tells several series apart
    fill: bool = False  # missing values are those before them
    valid: float = 0.2  # the instants before the test part, a fraction below 1 or a number
    test: float = 0.2  # the last instants
    model: str = "best"  # on validation, or last, seasonal, dlinear, nlinear, rlinear, ridge, temporal
    level: float = 0.9  # of the intervals
    hidden: int = 32  # of the network, as the further ones
    layers: int = 4
    heads: int = 4
    dropout: float = 0.1
    batch_size: int = 32  # windows


@dataclasses.dataclass(frozen=True)
class Reading:
    """A table is read as the one of the run was."""


class Held(NamedTuple):
    """What the methods are chosen by and measured on, and the whole series, whose ends are forecast.

    Attributes:
        series: as read.
        valid: scaled windows.
        test: the same, all of the test part.
        optimum: the least mean square error at each step, scaled, where it is known.
    """

    series: list[Series]
    valid: Windows
    test: Windows
    optimum: list[float] | None


class Arranged(NamedTuple):
    """What is forecast from what, and the scaled windows of each part."""

    plan: Blueprint
    train: Windows
    valid: Windows
    test: Windows

    def __str__(self) -> str:
        plan = self.plan
        sizes = ", ".join(f"{len(part.past)} {name}" for name, part in zip(self._fields[1:], self[1:], strict=True))
        season = "no season" if plan.season is None else f"a season of {plan.season} instants"
        left_out = [forecasts.TITLES[name] for name in forecasts.METHODS if name not in forecasts.methods_of(plan)]
        without = f", without {' and '.join(left_out)}" if left_out else ""
        targets = ", ".join(plan.columns[: plan.targets])
        seen = f"{len(plan.columns)} column{'s' * (len(plan.columns) > 1)}"
        return f"windows {sizes}; {targets} from {seen}, {season} assumed{without}"


def prepare(
    options: Options, recipe: Recipe, folder: pathlib.Path, *, run: str = "", resumed: bool = False
) -> Prepared:
    """Return the task of learning the network; fit the linear methods, and write or compare model.json.

    Raises:
        ValueError: the table or an option cannot be, or one is too small for the other.
    """
    series, targets = synthetic(options, recipe.seed) if options.data is None else read(options.data, options)
    for one in series:
        one.require_ahead(options.horizon)
    arranged = arrange(series, targets, options, run=run)
    plan, train, valid, test = arranged
    forecasts.require_method(plan, options.model)
    forecasts.require_rank(len(valid.past), options.level)
    if resumed:
        require_same_data(folder, forecasts.read_blueprint(folder).statistics, plan.statistics)
    elif jax.process_index() == 0:
        linear = forecasts.fit_linear(plan, train, valid)
        forecasts.write_blueprint(folder, plan)
        forecasts.write_linear(folder, plan.identity, linear, np.concatenate([part[0] for part in valid]))
    optimum = (synthetic_optimum(plan.horizon) / plan.scale[0] ** 2).tolist() if options.data is None else None
    task = network_task(plan, train, valid, batch_size=options.batch_size, seed=recipe.seed)
    return Prepared(task, plan.identity, Held(series, valid, test, optimum), "test", f"{arranged}; {series[0].rhythm}")


def arrange(series: list[Series], targets: int, options: Options, *, run: str = "") -> Arranged:
    """Return the blueprint and the windows of some series, whose first columns are targets.

    Raises:
        ValueError: a series is too short for its parts and windows, a column is constant, or a size is out of range.
    """
    if options.batch_size < 1:
        raise ValueError(f"--batch-size must be at least 1, not {options.batch_size}")
    if not 0 <= options.dropout < 1:
        raise ValueError(f"--dropout is a share of at least 0 and below 1, not {options.dropout}")
    if options.heads < 1 or options.hidden < 1 or options.hidden % options.heads:
        raise ValueError(f"--hidden must be a multiple of --heads, not {options.hidden} of {options.heads}")
    sizes = {"lookback": options.lookback, "horizon": options.horizon}
    if min(sizes.values()) < 1:
        raise ValueError(f"--lookback and --horizon must be at least 1, not {options.lookback} and {options.horizon}")
    for one in series:
        one.require_length(**sizes)
    splits = [split_in_time(len(one.values), valid=options.valid, test=options.test, **sizes) for one in series]
    rows = [split.rows for split in splits]
    net = {name: getattr(options, name) for name in ("hidden", "layers", "heads", "dropout")}
    plan = forecasts.draw_blueprint(series, rows, targets, season=options.season, net=net, run=run, **sizes)
    scaled = [plan.standard(one.values) for one in series]

    def part(name: str) -> Windows:
        starts = (getattr(split, name) for split in splits)
        parts = zip(scaled, starts, strict=True)
        return join_windows([windows(values, options.lookback, options.horizon, where) for values, where in parts])

    return Arranged(plan, part("train"), part("valid"), part("test"))


def network_task(plan: Blueprint, train: Any, valid: Any, *, batch_size: int, seed: int) -> Task:
    """Return the task of learning the network, by square errors of scaled targets."""

    def errors(params: Any, batch: RowBatch, keys: Any) -> dict[str, tuple]:
        def one(past: Any, ahead: Any, key: Any) -> Any:
            return plan.apply(params, past, ahead, rngs={} if key is None else {"dropout": key})

        truth, ahead = forecasts.truth_and_ahead(plan, batch.rows)
        error = jax.vmap(one, (0, 0, None if keys is None else 0))(batch.rows.past, ahead, keys) - truth
        return {"mse": batch.total(error**2), "mae": batch.total(abs(error))}

    def loss(params: Any, batch: RowBatch, key: Any) -> dict[str, tuple]:
        return errors(params, batch, jax.random.split(key, len(batch.mask)) if plan.net["dropout"] else None)

    return Task(
        init=lambda key, batch: plan.init(key),
        loss=loss,
        weights={"mse": 1.0},
        train=Rows(train, batch_size, seed),
        valid=Rows(valid, batch_size),
        measure=lambda params, batch, key: errors(params, batch, None),
        shown={"mse": (1.0, ""), "mae": (1.0, "")},
    )


def synthetic(options: Options, seed: int) -> tuple[list[Series], int]:
    """Return a series whose best forecast is known, and its one target.

    Raises:
        ValueError: an option names a column.
    """
    if named := [*options.target, *options.known, *filter(None, (options.series, options.time))]:
        raise ValueError(f"there is no file whose column {named[0]!r} could be; name one before the options")
    return synthetic_series(1, LENGTH, seed), 1


def read(path: pathlib.Path, options: Options) -> tuple[list[Series], int]:
    """Return the series of a table, and how many of their columns are targets."""
    table = read_table(path)
    named = {*options.known, options.series, options.time}
    target = options.target or tuple(
        name for name, column in table.columns.items() if column.kind == "number" and name not in named
    )
    series = read_series(
        table, target=target, time=options.time, known=options.known, by=options.series, fill=options.fill
    )
    return series, len(target)


def measure(folder: pathlib.Path, data: Windows) -> Measurement:
    """Return the errors of all methods of a run on scaled windows, and the coverage of its intervals."""
    return forecasts.measure(load(folder), data)


def conclude(folder: pathlib.Path, options: Options, held: Held) -> tuple[Forecaster, Measurement, dict[str, Any]]:
    """Return the forecaster that validation chose, how all did on the test part, and what report.json keeps of it."""
    plan = forecasts.read_blueprint(folder)
    params = forecasts.load_params(folder, plan)
    forecaster, valid = forecasts.choose(plan, params, held.valid, model=options.model, level=options.level)
    test = forecasts.measure(forecaster, held.test)
    return forecaster, test, forecasts.to_report(forecaster, valid, test)


def _read_again(folder: pathlib.Path, path: pathlib.Path, plan: Blueprint) -> list[Series]:
    """Return the series of another table with the columns of a run, in their order.

    Raises:
        ValueError: a column is missing.
    """
    options = read_options(folder, Options, read_run(folder).options)
    options = dataclasses.replace(options, target=plan.columns[: plan.targets], known=plan.columns[plan.unknown :])
    series, _ = read(path, options)
    if absent := [name for name in plan.columns if name not in series[0].columns]:
        raise ValueError(f"{path} has no numbers in a column {absent[0]!r}, which {folder} was trained on")
    places = [series[0].columns.index(name) for name in plan.columns]
    return [one._replace(values=one.values[:, places], columns=plan.columns) for one in series]


def _all_windows(plan: Blueprint, series: list[Series]) -> Windows:
    """Return every scaled window of some series."""
    for one in series:
        one.require_length(plan.lookback, plan.horizon)
    size = plan.lookback + plan.horizon - 1
    return join_windows(
        [
            windows(plan.standard(one.values), plan.lookback, plan.horizon, range(len(one.values) - size))
            for one in series
        ]
    )


def evaluate(folder: pathlib.Path, data: pathlib.Path, reading: Reading) -> None:
    """Print the errors of all methods on every window of a table, and the coverage of the intervals."""
    forecaster = load(folder)
    every = _all_windows(forecaster.plan, _read_again(folder, data, forecaster.plan))
    print_measurement(forecaster, forecasts.measure(forecaster, every), str(data))


def print_measurement(
    forecaster: Forecaster, measured: Measurement, where: str, optimum: list[float] | None = None
) -> None:
    """Print the errors of all methods, and the coverage of the intervals of the one that is kept."""
    title = f"{measured.windows} windows of {where}"
    forecasts.print_errors(forecaster.plan, measured.errors, title, optimum=optimum)
    print(f"{forecaster.level:.0%} intervals held {np.mean(measured.coverage):.1%} of what came")


def predict(folder: pathlib.Path, input: pathlib.Path, output: pathlib.Path, format: str | None) -> None:
    """Write the steps after the end of the series of a table, with intervals, as csv."""
    if output.suffix != ".csv" or format not in (None, "csv"):
        raise ValueError(f"forecasts are written as csv; name the output FILE.csv, not {output}")
    require_folder(output)
    forecaster = load(folder)
    series = _read_again(folder, input, forecaster.plan)
    forecasts.write_future(output, forecaster, series, forecasts.forecast_future(forecaster, series))
    print(f"{forecaster.plan.horizon} steps after {input} by {forecasts.TITLES[forecaster.kept]} are in {output}")


def check(folder: pathlib.Path, data: pathlib.Path | None, seed: int) -> bool:
    """Print one line a law, in float64, at a window of the run or the first of a table; return whether all hold."""
    forecaster, obeyed = load(folder), True
    plan = forecaster.plan
    if data is None:
        window = forecasts.read_example(folder, plan)
    else:
        window = np.concatenate([part[0] for part in _all_windows(plan, _read_again(folder, data, plan))])
    with jax.enable_x64(True):
        for claim in forecasts.claims(forecaster, window):
            if not claim.laws:
                print(f"{claim.title} declares no law")
                continue
            report = laws.check(claim.fn, claim.x, key=jax.random.key(seed), laws=claim.laws)
            print(f"{claim.title}, float64", report, sep="\n")
            obeyed &= bool(report)
    return obeyed
