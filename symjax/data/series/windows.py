"""Windows of series: parts by time, a scale from the training part, and views of what was seen and what came next."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from symjax.data.structures import part_size
from symjax.math import require_memory


class TimeSplits(NamedTuple):
    """Where the windows of each part start, and how many instants are for training."""

    train: range
    valid: range
    test: range
    rows: int


class Windows(NamedTuple):
    """What each window saw, and what came next."""

    past: Float[np.ndarray, "n l c"]
    future: Float[np.ndarray, "n h c"]


class Scaler(NamedTuple):
    """The mean and deviation of each channel of the training part."""

    mean: Float[np.ndarray, " c"]
    scale: Float[np.ndarray, " c"]

    def apply(self, values: Float[np.ndarray, "*n c"]) -> Float[np.ndarray, "*n c"]:
        """Return (x - mean) / scale."""
        return (values - self.mean) / self.scale

    def undo(self, values: Float[np.ndarray, "*n m"], places: Sequence[int]) -> Float[np.ndarray, "*n m"]:
        """Return mean + scale x of the channels at those places.

        Raises:
            ValueError: there are not as many channels as places.
        """
        if values.shape[-1] != len(places):
            raise ValueError(f"expected the {len(places)} channels {list(places)}, got {values.shape[-1]}")
        return self.mean[list(places)] + self.scale[list(places)] * values


def split_in_time(length: int, *, valid: float | int, test: float | int, lookback: int, horizon: int) -> TimeSplits:
    """Return the starts of all windows of a series by part: the first instants are for training, the last for testing.

    A part owns the futures of its windows. Those of validation and testing may look back into the part before.

    Args:
        length: instants of the series; later ones are unused.
        valid: a fraction below 1, or a number of instants.
        test: the same.
        lookback: instants that a window sees.
        horizon: instants that come next.

    Raises:
        ValueError: a part is shorter than its windows, or these have no past or no future.
    """
    if min(lookback, horizon) < 1:
        raise ValueError(f"expected a lookback and a horizon of at least 1, got {lookback} and {horizon}")
    valid, test = (part_size(share, name, length, "instants") for share, name in ((valid, "valid"), (test, "test")))
    rows = length - valid - test
    needs = ("training", rows, lookback + horizon), ("validation", valid, horizon), ("testing", test, horizon)
    for part, have, need in needs:
        if have < need:
            raise ValueError(
                f"{length} instants leave {max(have, 0)} for {part}, where windows of {lookback} and {horizon} need "
                f"{need}; lower --lookback or --horizon, change --valid and --test, or bring a longer series"
            )
    size = lookback + horizon - 1
    return TimeSplits(
        train=range(rows - size),
        valid=range(rows - lookback, rows + valid - size),
        test=range(rows + valid - lookback, length - size),
        rows=rows,
    )


def fit_scaler(values: Float[np.ndarray, "t c"], columns: Sequence[str]) -> Scaler:
    """Return the scale of the instants for training, one after another where there are several series.

    Raises:
        ValueError: a channel is constant.
    """
    constant = np.flatnonzero(np.ptp(values, axis=0) == 0)
    if constant.size:
        raise ValueError(
            f"column {columns[constant[0]]!r} is {values[0, constant[0]]} at all {len(values)} instants for training; "
            "it tells nothing and has no scale, so take it out of the table"
        )
    return Scaler(values.mean(axis=0), values.std(axis=0))


def windows(values: Float[np.ndarray, "t c"], lookback: int, horizon: int, starts: range) -> Windows:
    """Return the windows of a series that start there, as read-only views of its values.

    Raises:
        ValueError: a window would begin before the series or end after it.
    """
    if len(starts) and not 0 <= min(starts) <= max(starts) <= len(values) - lookback - horizon:
        raise ValueError(
            f"expected windows of {lookback} and {horizon} within {len(values)} instants, got starts from "
            f"{min(starts)} to {max(starts)}"
        )
    views = np.lib.stride_tricks.sliding_window_view(values, lookback + horizon, axis=0)
    views = views[starts.start : starts.stop : starts.step].swapaxes(1, 2)
    return Windows(views[:, :lookback], views[:, lookback:])


def join_windows(parts: Sequence[Windows]) -> Windows:
    """Return the windows of several series as one; those of one series stay views, those of more are copied.

    Raises:
        ValueError: the copy needs more memory than there is.
    """
    if len(parts) == 1:
        return parts[0]
    need = sum(array.size * array.itemsize for part in parts for array in part)
    require_memory(need, f"the windows of {len(parts)} series")
    return Windows(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))
