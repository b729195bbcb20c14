"""Instants that follow one another regularly: every few nanoseconds or counts, or every few calendar months."""

import numpy as np

MONTH = np.timedelta64(28, "D")  # from here on a spacing may be of calendar months


def spacing(times: np.ndarray) -> np.generic:
    """Return the step between ascending instants: a number, a timedelta64[ns], or months as a timedelta64[M].

    Months are on one day of the month, or the last one where a month is shorter, at one time of day: a quarter is three
    of them and a year twelve.

    Raises:
        ValueError: fewer than two instants, or the steps differ; the arguments are a sentence and the first place.
    """
    steps = np.diff(times)
    if not steps.size:
        raise ValueError("expected at least two time stamps", 0)
    if times.dtype.kind == "M":
        if steps.min() >= MONTH and (months := _months(times)) is not None:
            return months
        wrong = steps != steps[0]
    else:
        wrong = ~np.isclose(steps, steps[0], rtol=1e-6, atol=0)
    if wrong.any():
        place = int(np.argmax(wrong))
        raise ValueError(f"expected a step of {show(steps[0])} as before, got {show(steps[place])}", place + 1)
    return steps[0]


def following(times: np.ndarray, step: np.generic, count: int) -> np.ndarray:
    """Return the next instants after the last of `times`."""
    ahead = np.arange(1, count + 1)
    if not np.issubdtype(step.dtype, np.timedelta64) or np.datetime_data(step.dtype)[0] != "M":
        return times[-1] + ahead * step
    months, _, clock = _calendar(times[-1:])
    return _on_day(months + ahead * step, _anchor(times)) + clock


def show(step: np.generic) -> str:
    """Return a step in words: its largest whole unit."""
    if not np.issubdtype(step.dtype, np.timedelta64):
        return str(step)
    for unit, name in (("D", "days"), ("h", "hours"), ("m", "minutes"), ("s", "seconds")):
        if step % np.timedelta64(1, unit) == np.timedelta64(0, unit):
            return f"{step // np.timedelta64(1, unit)} {name}"
    return str(step)


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
