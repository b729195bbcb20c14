"""Instants that follow one another regularly: every few nanoseconds or counts, or every few calendar months."""

from typing import Any

import numpy as np

Step = Any  # a number, a timedelta64[ns], or months as a timedelta64[M]
MONTH = np.timedelta64(28, "D")  # from here on a spacing may be of calendar months
UNITS = ("D", "h", "m", "s")
NAMES = {"M": "month", "D": "day", "h": "hour", "m": "minute", "s": "second"}


def irregularity(times: np.ndarray) -> tuple[int, str] | None:
    """Return the first of ascending instants that does not follow as those before it, and why, if there is one."""
    steps = np.diff(times)
    if not steps.size:
        return 0, "expected at least two instants, got one"
    step = spacing(times)
    wrong = np.flatnonzero(~np.isclose(steps / step, 1, rtol=1e-6, atol=0)) if not _is_months(step) else []
    if not len(wrong):
        return None
    return int(wrong[0]) + 1, f"expected a step of {show(step)} as before, got {show(steps[wrong[0]])}"


def spacing(times: np.ndarray) -> Step:
    """Return the step between regular instants: a number, a timedelta64[ns], or months as a timedelta64[M].

    Months are on one day of the month, or the last one where a month is shorter, at one time of day: a quarter is three
    of them and a year twelve.
    """
    steps = np.diff(times)
    months = _months(times) if _is_time(steps) and steps.min() >= MONTH else None
    return steps[0] if months is None else months


def following(times: np.ndarray, step: Step, count: int) -> np.ndarray:
    """Return the next instants after the last of `times`."""
    ahead = np.arange(1, count + 1)
    if not _is_months(step):
        return times[-1] + ahead * step
    months, _, clock = _calendar(times[-1:])
    return _on_day(months + ahead * step, _anchor(times)) + clock


def show(value: Any) -> str:
    """Return an instant or a step in words, the step in its largest whole unit."""
    if value.dtype.kind == "M":
        return str(np.datetime_as_string(value, unit="auto"))
    units = ("M",) if _is_months(value) else UNITS if _is_time(value) else ()
    whole = (unit for unit in units if value % np.timedelta64(1, unit) == np.timedelta64(0, unit))
    if (unit := next(whole, None)) is None:
        return str(value)
    count = value // np.timedelta64(1, unit)
    return f"{count} {NAMES[unit]}{'s' * int(count != 1)}"


def _is_time(step: Step) -> bool:
    return np.issubdtype(step.dtype, np.timedelta64)


def _is_months(step: Step) -> bool:
    return _is_time(step) and np.datetime_data(step.dtype)[0] == "M"


def _calendar(times: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return month, day of the month from one, and time of day."""
    months, days = times.astype("datetime64[M]"), times.astype("datetime64[D]")
    return months, (days - months.astype("datetime64[D]")).astype(int) + 1, times - days


def _on_day(months: np.ndarray, day: int) -> np.ndarray:
    """Return a day of each month, or its last one."""
    days = months.astype("datetime64[D]") + (day - 1)
    return np.minimum(days, (months + 1).astype("datetime64[D]") - 1)


def _anchor(times: np.ndarray) -> int:
    """Return the day of the month: 31 where all are last days."""
    months, days, _ = _calendar(times)
    last = times.astype("datetime64[D]") == _on_day(months, 31)
    return 31 if last.all() else int(days.max())


def _months(times: np.ndarray) -> np.timedelta64 | None:
    """Return how many months are between all instants, if that is how they follow one another."""
    months, _, clock = _calendar(times)
    steps = np.diff(months)
    regular = (steps == steps[0]).all() and (times == _on_day(months, _anchor(times)) + clock[0]).all()
    return steps[0] if regular else None
