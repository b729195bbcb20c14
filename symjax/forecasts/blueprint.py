"""model.json of a forecast: what goes in, what comes out, in which units, and from which data."""

import dataclasses
import hashlib
import pathlib
from collections.abc import Sequence
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key, PyTree

from symjax.data import Scaler, Series, fit_scaler
from symjax.models import CausalTemporalNetwork
from symjax.training import damaged, decode, name_of, read_json, read_run, require_same_identity, seal, write_json


@dataclasses.dataclass(frozen=True, eq=False)
class Blueprint:
    """The columns and sizes of a forecast, the scale of each column, the network, and the data behind it.

    Attributes:
        columns: what a window shows, the targets first, what is known ahead last.
        targets: how many of them are forecast.
        known: how many of them are known ahead.
        horizon: steps ahead.
        lookback: steps of a window.
        season: steps after which the series repeats, for the seasonal naive forecast; None: none is known.
        mean: of each column in the training part.
        scale: the same, the deviation.
        net: options of the network.
        statistics: numbers of windows, devices and the digest of the data.
        run: the identity of the run it belongs to.
    """

    columns: tuple[str, ...]
    targets: int
    known: int
    horizon: int
    lookback: int
    season: int | None
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    net: dict[str, Any]
    statistics: dict[str, Any]
    run: str = ""

    @property
    def identity(self) -> str:
        """What checkpoints carry: the random name of the run and the SHA-256 of what this says."""
        return seal(name_of(self.run), self.to_dict())

    @property
    def scaler(self) -> Scaler:
        """The scale of the columns."""
        return Scaler(np.asarray(self.mean), np.asarray(self.scale))

    @property
    def unknown(self) -> int:
        """How many columns are not known ahead."""
        return len(self.columns) - self.known

    def standard(self, values: Float[np.ndarray, "*n c"]) -> Float[np.ndarray, "*n c"]:
        """Return values in scaled units, in the precision of the network."""
        return self.scaler.apply(values).astype(np.float32)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, as JSON gives it back."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in dataclasses.asdict(self).items()}

    def build(self) -> CausalTemporalNetwork:
        """Return the network."""
        return CausalTemporalNetwork(self.horizon, tuple(range(self.targets)), **self.net)

    def apply(
        self, params: PyTree, past: Float[Array, "l c"], ahead: Float[Array, "h k"], **more: Any
    ) -> Float[Array, "h m"]:
        """Return what the network makes of a scaled window and of what is known ahead."""
        x, known = self.inputs(past, ahead)
        return cast(Array, self.build().apply(params, x, known, **more))

    def inputs(self, past: Any, ahead: Any) -> tuple[Any, Any]:
        """Return the arguments of the network: what is not known ahead, and what is at all instants, if anything is."""
        known = jnp.concatenate([past[:, self.unknown :], ahead]) if self.known else None
        return past[:, : self.unknown], known

    def init(self, key: Key[Array, ""]) -> PyTree:
        """Return first parameters of the network."""
        past = jnp.zeros((self.lookback, len(self.columns)), jnp.float32)
        return self.build().init(key, *self.inputs(past, jnp.zeros((self.horizon, self.known), jnp.float32)))

    def shapes(self) -> PyTree:
        """Return zeros of the shapes and types of its parameters."""
        return jax.tree.map(lambda s: np.zeros(s.shape, s.dtype), jax.eval_shape(self.init, jax.random.key(0)))


def draw_blueprint(
    series: Sequence[Series],
    rows: Sequence[int],
    targets: int,
    *,
    lookback: int,
    horizon: int,
    season: int | None,
    net: dict[str, Any],
    run: str,
) -> Blueprint:
    """Return the blueprint of a forecast of some series, of which so many first rows are for training.

    Raises:
        ValueError: a column is constant in training, or the season is none, or longer than the lookback.
    """
    first = series[0]
    together = np.concatenate([one.values[:count] for one, count in zip(series, rows, strict=True)])
    scaler = fit_scaler(together, first.columns)
    if season is not None and not 1 <= season <= lookback:
        raise ValueError(f"--season is of 1 to {lookback} instants, as --lookback sees, not {season}")
    guessed = usual_season(first.step)
    season = guessed if season is None and guessed is not None and guessed <= lookback else season
    statistics = {"digest": digest_series(series), "devices": jax.device_count(), "rows": list(map(int, rows))}
    return Blueprint(
        first.columns,
        targets,
        len(first.known),
        horizon,
        lookback,
        season,
        tuple(scaler.mean.tolist()),
        tuple(scaler.scale.tolist()),
        net,
        statistics,
        run,
    )


def usual_season(step: Any) -> int | None:
    """Return how many steps make a day, or where they are longer a week or a year, and None where none do."""
    if not np.issubdtype(step.dtype, np.timedelta64):
        return None
    monthly, day = np.datetime_data(step.dtype)[0] == "M", 24 * 3600 * 10**9  # nanoseconds
    lengths = [12] if monthly else [day, 7 * day, 364 * day]
    long = int((step if monthly else step.astype("timedelta64[ns]")).astype(int))
    return next((length // long for length in lengths if length % long == 0 and length > long), None)


def digest_series(series: Sequence[Series]) -> str:
    """Return the SHA-256 of all there is in series."""
    content = hashlib.sha256()
    for one in series:
        content.update(repr((one.name, one.columns)).encode())
        for array in (one.values, one.times, one.ahead):
            content.update(np.ascontiguousarray(array).tobytes())
    return content.hexdigest()


def write_blueprint(folder: pathlib.Path, blueprint: Blueprint) -> None:
    """Write model.json."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "model.json", blueprint.to_dict())


def read_blueprint(folder: pathlib.Path) -> Blueprint:
    """Return what model.json says.

    Raises:
        ValueError: there is none, it is damaged, or it does not belong to run.json.
    """
    path = folder / "model.json"
    data = read_json(path)
    try:
        blueprint = decode(Blueprint, data, "it")
        if not 0 < blueprint.targets <= len(blueprint.columns) - blueprint.known <= len(blueprint.columns):
            raise ValueError(f"{blueprint.targets} targets and {blueprint.known} columns known ahead cannot be")
    except ValueError as error:
        raise damaged(path, error) from None
    require_same_identity(str(path), read_run(folder).identity, blueprint.run)
    return blueprint
