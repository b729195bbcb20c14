"""What a finished run forecasts: the method that was kept, its parameters, and intervals of declared coverage."""

import pathlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, PyTree

from symjax.data import Windows
from symjax.forecasts.blueprint import Blueprint, read_blueprint
from symjax.forecasts.methods import NETWORK, forecast, methods_of, truth_and_ahead
from symjax.training import CheckpointStore, damaged, decode, read_report, require_same_identity, restore_run, say


class Forecast(NamedTuple):
    """The next steps of some windows in the units of the data, and the ends of their intervals."""

    value: Float[np.ndarray, "n h m"]
    lower: Float[np.ndarray, "n h m"]
    upper: Float[np.ndarray, "n h m"]


class Forecaster(NamedTuple):
    """A method with its parameters.

    Attributes:
        plan: columns, sizes and scale.
        params: of every method that has some.
        kept: the method that forecasts.
        half_widths: of its intervals, scaled.
        level: that the intervals are to cover.
    """

    plan: Blueprint
    params: Mapping[str, PyTree]
    kept: str
    half_widths: Float[np.ndarray, "h m"]
    level: float

    def scaled(self, windows: Windows, name: str | None = None) -> Float[np.ndarray, "n h m"]:
        """Return the scaled forecasts of scaled windows, by the method that was kept or another one."""
        name = self.kept if name is None else name
        return forecast(name, self.plan, self.params.get(name), windows.past, truth_and_ahead(self.plan, windows)[1])

    def __call__(self, past: Float[np.ndarray, "n l c"], ahead: Float[np.ndarray, "n h k"]) -> Forecast:
        """Return the forecasts of windows and of what is known ahead, all in the units of the data."""
        plan, known = self.plan, [*range(self.plan.unknown, len(self.plan.columns))]
        scaled = (ahead - plan.scaler.mean[known]) / plan.scaler.scale[known]
        value = forecast(self.kept, plan, self.params.get(self.kept), plan.standard(past), scaled.astype(np.float32))
        ends = value, value - self.half_widths, value + self.half_widths
        return Forecast(*(plan.scaler.undo(end, range(plan.targets)) for end in ends))


def write_linear(
    folder: pathlib.Path, identity: str, params: Mapping[str, PyTree], example: Float[np.ndarray, "t c"]
) -> None:
    """Write the parameters of the linear methods and an example, as a checkpoint that is verified when it is read."""
    with CheckpointStore(folder / "linear", identity=identity) as store:
        store.save(0, {"params": dict(params), "example": {"window": example}}, {})


def read_example(folder: pathlib.Path, plan: Blueprint) -> Float[np.ndarray, "t c"]:
    """Return a scaled window of a run, with what came next."""
    with CheckpointStore(folder / "linear", identity=plan.identity, read_only=True) as store:
        saved = store.restore({"example": None})
    if saved is None:
        raise ValueError(f"{folder} has no example; start anew")
    return saved.items["example"]["window"]


def load_params(folder: pathlib.Path, plan: Blueprint) -> dict[str, Any]:
    """Return the parameters of all methods, of the network the best; what was passed over is named on stderr.

    Raises:
        ValueError: there is no good checkpoint.
    """
    with CheckpointStore(folder / "linear", identity=plan.identity, read_only=True) as store:
        linear = store.restore({"params": None})
    if linear is None:
        raise ValueError(f"{folder} has no linear methods; start anew")
    network, _, passed_over = restore_run(folder, identity=plan.identity, target=plan.shapes())
    say(*linear.passed_over, *passed_over)
    return {**linear.items["params"], NETWORK: network}


def load_forecaster(folder: pathlib.Path) -> Forecaster:
    """Return what a finished run forecasts with.

    Raises:
        ValueError: the folder is no run directory, is damaged, or its run is not finished.
    """
    plan, report = read_blueprint(folder), read_report(folder)
    if report is None:
        raise ValueError(f"{folder} is not finished; go on with: symjax forecast --resume {folder}")
    try:
        kept, level = decode(str, report.get("kept"), "kept"), decode(float, report.get("level"), "level")
        widths = np.asarray(decode(tuple[tuple[float, ...], ...], report.get("half_widths"), "half_widths"))
        if kept not in methods_of(plan) or widths.shape != (plan.horizon, plan.targets):
            raise ValueError(f"there is no method {kept!r} with half-widths of shape {widths.shape}")
    except ValueError as error:
        raise damaged(folder / "report.json", error) from None
    require_same_identity(str(folder / "report.json"), plan.identity, str(report.get("identity")))
    return Forecaster(plan, load_params(folder, plan), kept, widths, level)
