"""Series of a table: columns chosen, instants checked, gaps refused or filled, what is known ahead kept."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from symjax.data.series.instants import Step, following, irregularity, show, spacing
from symjax.data.tables import Table


class Series(NamedTuple):
    """Numbers at regular instants.

    Attributes:
        values: the targets first, what is known ahead last.
        times: datetime64[ns] in UTC, integers or floats, one step apart; counted from zero where a file has none.
        columns: their names.
        name: of the series; "" where a file has one.
        ahead: the values of the k columns that are known ahead, for h instants after the last one.
    """

    values: Float[np.ndarray, "t c"]
    times: np.ndarray
    columns: tuple[str, ...]
    name: str
    ahead: Float[np.ndarray, "h k"]

    @property
    def step(self) -> Step:
        """The step from each instant to the next: a number, a timedelta64[ns], or months as a timedelta64[M]."""
        return spacing(self.times)

    @property
    def known(self) -> tuple[str, ...]:
        """The names of the columns that are known ahead."""
        return self.columns[len(self.columns) - self.ahead.shape[1] :]

    @property
    def rhythm(self) -> str:
        """How instants follow one another, in words."""
        stamped = self.times.dtype.kind == "M"
        return f"time stamps every {show(self.step)}" if stamped else f"instants counted by {show(self.step)}"

    def after(self, count: int) -> np.ndarray:
        """Return the next instants after the end; months on the day that the series is on, or the last one."""
        return following(self.times, self.step, count)

    def require_length(self, lookback: int, horizon: int) -> None:
        """Refuse a series that has no window; its end has one for a horizon of zero.

        Raises:
            ValueError: it is shorter than lookback and horizon together.
        """
        if len(self.values) < lookback + horizon:
            raise ValueError(
                f"{self._title} has {len(self.values)} instants, fewer than a lookback of {lookback} and a horizon of "
                f"{horizon} need together; lower them, or bring a longer series"
            )

    def require_ahead(self, horizon: int) -> None:
        """Refuse a series whose columns known ahead end before the horizon.

        Raises:
            ValueError: they do.
        """
        if self.known and len(self.ahead) < horizon:
            raise ValueError(
                f"{self._title}: {', '.join(map(repr, self.known))} must be known for the {horizon} instants after the "
                f"last target, got {len(self.ahead)}; add rows with empty targets, or lower the horizon"
            )

    @property
    def _title(self) -> str:
        return f"the series {self.name!r}" if self.name else "the series"


def read_series(
    table: Table,
    *,
    target: Sequence[str],
    time: str | None = None,
    known: Sequence[str] = (),
    by: str | None = None,
    fill: bool = False,
) -> list[Series]:
    """Return the series of a table in the order in which they begin, with all its columns of numbers.

    Rows at the end whose targets are all empty are the future: of them the columns known ahead are kept.

    Args:
        table: as `read_table` returns it.
        target: the columns to forecast.
        time: the column of instants, times or numbers; None: the first one of times, or else the rows are counted; "":
            the rows are counted.
        known: columns whose values are known ahead.
        by: the column that tells the series of a table apart.
        fill: put the value before into gaps; what comes after is never used.

    Raises:
        ValueError: a column is missing, named twice or not of numbers; a value is missing, text or infinite; the
            instants are missing, not ascending, repeated or irregular. The place is named.
    """
    if time is None:
        time = next((name for name in table.columns if table[name].kind == "time" and name != by), None)
    named = [*target, *known, *(name for name in (time, by) if name)]
    if twice := [name for i, name in enumerate(named) if name in named[:i]]:
        raise ValueError(f"expected one role for each column, got several for {twice[0]!r}; name it once")
    if not target:
        raise ValueError(f"expected at least one target, got none; choose among {', '.join(table.columns)}")
    for name in named:
        table[name]
    others = [name for name, column in table.columns.items() if column.kind == "number" and name not in named]
    roles = _Roles(tuple(target), tuple(others), tuple(known), time)
    return [_read_one(table, rows, name, roles, fill) for name, rows in _groups(table, by).items()]


class _Roles(NamedTuple):
    """Which columns are what."""

    targets: tuple[str, ...]
    others: tuple[str, ...]
    known: tuple[str, ...]
    time: str | None


def _groups(table: Table, by: str | None) -> dict[str, Int[np.ndarray, " t"]]:
    """Return the rows of each series by its name."""
    if by is None:
        return {"": np.arange(len(table))}
    column, groups = table.require_kind(by, table[by].kind), {}
    for row, value in enumerate(column.values):
        if value is None or value != value:
            raise ValueError(f"{table.place(row, by)}: expected the name of a series, got nothing; fill it in")
        name = np.format_float_positional(value, trim="-") if column.kind == "number" else str(value)
        groups.setdefault(name, []).append(row)
    return {name: np.array(rows) for name, rows in groups.items()}


def _read_one(table: Table, rows: Int[np.ndarray, " t"], name: str, roles: _Roles, fill: bool) -> Series:
    """Return one series of the rows of a table."""
    there = [~np.isnan(table.require_kind(target, "number").values[rows]) for target in roles.targets]
    given = np.flatnonzero(np.any(there, axis=0))
    if not given.size:
        raise ValueError(f"{table.place(int(rows[0]), roles.targets[0])}: expected a number here or below, got none")
    end = int(given[-1]) + 1 if roles.known else len(rows)
    times = _instants(table, roles.time, rows) if roles.time else np.arange(len(rows))
    seen = [table.numbers(column, rows[:end], fill=fill) for column in (*roles.targets, *roles.others)]
    known = np.array([table.numbers(column, rows, fill=fill) for column in roles.known]).reshape(-1, len(rows)).T
    return Series(
        values=np.column_stack([*seen, known[:end]]),
        times=times[:end],
        columns=(*roles.targets, *roles.others, *roles.known),
        name=name,
        ahead=known[end:],
    )


def _instants(table: Table, name: str, rows: Int[np.ndarray, " t"]) -> np.ndarray:
    """Return instants that ascend by one step."""
    column = table.require_kind(name, "number" if table[name].kind == "number" else "time")
    times = column.values[rows]
    if column.kind == "number":
        times = table.numbers(name, rows)
        times = times.astype(int) if (times == np.round(times)).all() else times
    elif (missing := np.isnat(times)).any():
        place = table.place(int(rows[np.argmax(missing)]), name)
        raise ValueError(f"{place}: expected a time, got nothing; fill it in, or drop the row")
    back = np.diff(times) <= np.zeros(1, np.diff(times).dtype)
    if back.any():
        row = int(np.argmax(back)) + 1
        what = "repeats" if times[row] == times[row - 1] else "is before"
        remedy = ("drop one" if what == "repeats" else "sort the file") + ", or name the column that tells series apart"
        raise ValueError(
            f"{table.place(int(rows[row]), name)}: {show(times[row])} {what} {show(times[row - 1])}; {remedy}"
        )
    if found := irregularity(times):
        row, sentence = found
        remedy = "add the missing rows, or count the rows with --time ''"
        raise ValueError(f"{table.place(int(rows[row]), name)}: {sentence}; {remedy}")
    return times
