"""Tables: csv, parquet and any data frame to columns of numbers, times or text, with places to name in messages."""

import codecs
import csv
import dataclasses
import difflib
import importlib.util
import pathlib
import re
import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

DATE_LIKE = re.compile(r"\d{4}|\d+[-/.]\d+")
DECIMAL_COMMA = r"^\s*([+-]?\d*),(\d+(?:[eE][+-]?\d+)?)\s*$"
COUNTED = np.datetime64("1678-01-01"), np.datetime64("2262-01-01")  # by 64 bits of nanoseconds
SEPARATORS = ";\t|,"


class Column(NamedTuple):
    """Values of one kind, which most of the values decide.

    Attributes:
        values: float64, datetime64[ns] in UTC, or strings; NaN, NaT or None where there is nothing.
        kind: "number", "time" or "text".
        stray: the first row whose value is not of that kind, and the value.
    """

    values: np.ndarray
    kind: str
    stray: tuple[int, str] | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class Table:
    """Columns of equal length by name.

    Attributes:
        name: of the file, for messages.
        columns: in their order.
        first: the line of the first row in a file of text; None: rows are counted from zero.
    """

    name: str
    columns: Mapping[str, Column]
    first: int | None = None

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())).values)

    def place(self, row: int, column: str) -> str:
        """Return the words that name one value in a message."""
        counted = f"row {row}" if self.first is None else f"line {self.first + row}"
        return f"{self.name}, {counted}, column {column!r}"

    def __getitem__(self, name: str) -> Column:
        """Return a column.

        Raises:
            ValueError: there is none of that name.
        """
        if name in self.columns:
            return self.columns[name]
        lower = {known.lower(): known for known in self.columns}
        near = difflib.get_close_matches(name.lower(), lower, n=1)
        offer = f"did you mean {lower[near[0]]!r}?" if near else f"choose among {', '.join(self.columns)}"
        raise ValueError(f"{self.name} has no column {name!r}; {offer}")

    def require_kind(self, name: str, kind: str) -> Column:
        """Return a column all of whose values are of one kind.

        Raises:
            ValueError: there is none of that name, or a value is of another kind.
        """
        column = self[name]
        if column.kind != kind or column.stray:
            row, value = column.stray if column.kind == kind and column.stray else _first(column.values)
            raise ValueError(
                f"{self.place(row, name)}: expected a {kind}, got {value!r}; repair it, or choose another column"
            )
        return column

    def numbers(self, name: str, rows: Int[np.ndarray, " t"], *, fill: bool = False) -> Float[np.ndarray, " t"]:
        """Return the numbers of a column in some rows; `fill` puts the number before into gaps.

        Raises:
            ValueError: there is no such column, or a value is text, infinite or missing.
        """
        values = self.require_kind(name, "number").values[rows]
        if (infinite := np.flatnonzero(np.isinf(values))).size:
            row = int(rows[infinite[0]])
            raise ValueError(f"{self.place(row, name)}: expected a finite number, got {values[infinite[0]]}; repair it")
        missing = np.isnan(values)
        if fill:
            last = np.maximum.accumulate(np.where(missing, 0, np.arange(len(values))))
            values, missing = values[last], missing[last]
        if missing.any():
            row = int(rows[np.flatnonzero(missing)[0]])
            remedy = "none comes before it, drop the row" if fill else "fill gaps forward (--fill True), fill it in"
            raise ValueError(f"{self.place(row, name)}: expected a number, got nothing; {remedy} or drop the column")
        return values


def read_table(path: str | pathlib.Path) -> Table:
    """Read a csv file (separated by commas, semicolons, tabs or bars; decimal points or commas) or a parquet file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is a folder, empty, has no rows, cannot be read, needs pyarrow that is not installed, or a column
            has no name or that of another one.
    """
    path = pathlib.Path(path)
    if path.is_dir():
        raise ValueError(f"{path} is a folder; expected a csv or a parquet file")
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    if path.stat().st_size <= 3:  # a byte-order mark at most
        raise ValueError(f"{path} is empty; expected a line of column names, and one line for each time")
    if path.suffix.lower() in (".parquet", ".pq"):
        return as_table(_read_parquet(path), name=str(path))
    return dataclasses.replace(as_table(_read_csv(path), name=str(path)), first=2)


def as_table(frame: Any, *, name: str = "the data frame") -> Table:
    """Return the table of a data frame of pandas (with its index, where that has a name or times), polars or pyarrow.

    Raises:
        TypeError: it is no data frame.
        ValueError: it has no rows, or a column has no name or that of another one.
    """
    import narwhals

    columns = getattr(frame, "column_names", getattr(frame, "columns", None))
    if columns is not None:
        _require_names([str(column) for column in columns], name)
    try:
        frame = narwhals.from_native(frame, eager_only=True)
    except TypeError:
        raise TypeError(f"expected a data frame of pandas, polars or pyarrow, got {type(frame).__name__}") from None
    index = narwhals.maybe_get_index(frame)
    if index is not None and (any(index.names) or index.dtype.kind == "M"):
        frame = narwhals.from_native(frame.to_native().reset_index(), eager_only=True)
    if not len(frame):
        raise ValueError(f"{name} has names of columns and no rows; expected one row or more")
    return Table(name, {str(column.name): _column(column) for column in frame.iter_columns()})


def _first(values: np.ndarray) -> tuple[int, Any]:
    """Return the first value that is there, and its row."""
    there = ((row, str(value)) for row, value in enumerate(values) if value is not None and value == value)
    return next(there, (0, ""))


def _require_names(names: list[str], where: str) -> None:
    for i, name in enumerate(names):
        if not name:
            raise ValueError(f"{where}: column {i + 1} has no name; name it, or write the file without row numbers")
        if name in names[:i]:
            raise ValueError(
                f"{where}: columns {names.index(name) + 1} and {i + 1} are both called {name!r}; rename one of them"
            )


def _read_parquet(path: pathlib.Path) -> Any:
    if importlib.util.find_spec("pyarrow") is None:
        raise ValueError(f"reading {path} needs pyarrow: pip install 'symjax[data]', or write it as csv")
    import pyarrow.parquet

    try:
        return pyarrow.parquet.read_table(path)
    except (OSError, ValueError) as error:
        raise ValueError(f"cannot read {path}: {error}; expected a parquet file") from error


def _read_csv(path: pathlib.Path) -> Any:
    """Return a data frame of strings, with decimal points and no empty lines at its end."""
    import pandas as pd

    with path.open("rb") as file:
        encoding = "utf-16" if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"
    try:
        separator, names = _read_header(path, encoding)
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                path,
                sep=separator,
                encoding=encoding,
                header=None,
                names=names,
                skiprows=1,
                index_col=False,
                dtype=str,
                skip_blank_lines=False,
            )
    except UnicodeError:
        raise ValueError(f"cannot read {path}: it is not text in UTF-8; save it as csv in UTF-8") from None
    except pd.errors.ParserWarning:
        raise ValueError(f"{path}, line 2 has more values than line 1 has names; name every column") from None
    except pd.errors.ParserError as error:
        raise ValueError(f"cannot read {path}: {str(error).strip()}; repair the line") from None
    there = np.flatnonzero(frame.notna().any(axis=1))
    frame = frame.iloc[: there[-1] + 1 if there.size else 0]
    return frame if separator == "," else frame.replace(DECIMAL_COMMA, r"\1.\2", regex=True)


def _read_header(path: pathlib.Path, encoding: str) -> tuple[str, list[str]]:
    """Return the separator that cuts the first line into most parts, and the names of the columns."""
    with path.open(encoding=encoding, newline="") as file:
        line = file.readline()
    parts = {separator: next(csv.reader([line], delimiter=separator)) or [""] for separator in SEPARATORS}
    separator = max(SEPARATORS, key=lambda candidate: len(parts[candidate]))
    names = [name.strip() for name in parts[separator]]
    _require_names(names, str(path))
    return separator, names


def _column(series: Any) -> Column:
    """Return a column of a data frame; strings are what most of them read as."""
    import narwhals

    if series.dtype.is_numeric() or series.dtype == narwhals.Boolean:
        return Column(series.cast(narwhals.Float64).to_numpy().astype(float), "number")
    if series.dtype.is_temporal() and series.dtype != narwhals.Duration and series.dtype != narwhals.Time:
        return Column(_times(series.to_numpy()), "time")
    texts = [None if value is None or value != value else str(value).strip() or None for value in series.to_list()]
    values = np.array(texts, dtype=object)
    present = np.array([text is not None for text in texts])
    numbers = np.array([_number(text) for text in texts])
    if 2 * np.sum(present & ~np.isnan(numbers)) >= np.sum(present):
        return Column(numbers, "number", _stray(values, present & np.isnan(numbers)))
    if DATE_LIKE.search(values[present][0]):
        times = _times(values)
        if 2 * np.sum(~np.isnat(times)) > np.sum(present):
            return Column(times, "time", _stray(values, present & np.isnat(times)))
    return Column(values, "text")


def _number(text: str | None) -> float:
    try:
        return np.nan if text is None or "_" in text else float(text)
    except ValueError:
        return np.nan


def _stray(values: np.ndarray, strays: np.ndarray) -> tuple[int, str] | None:
    return (int(np.argmax(strays)), values[np.argmax(strays)]) if strays.any() else None


def _times(values: np.ndarray) -> np.ndarray:
    """Return instants in UTC: ISO 8601, or the order of day and month that more of the values fit."""
    import pandas as pd

    dotted = any("." in str(value)[:5] for value in values[:1])  # 31.12.2026, where 12/31/2026 begins with the month
    forms: list[dict[str, Any]] = [{"format": "ISO8601"}, {"dayfirst": dotted}, {"dayfirst": not dotted}]
    best, present = pd.DatetimeIndex([]), pd.notna(values).sum()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # about formats that cannot be told from the first value
        for form in forms:
            found = pd.to_datetime(values, errors="coerce", utc=True, **form)
            best = max(best, found, key=lambda times: times.notna().sum())
            if best.notna().sum() == present:
                break
    times = best.tz_localize(None).to_numpy()
    inside = (times > COUNTED[0]) & (times < COUNTED[1])
    return np.where(inside, times, np.datetime64("NaT")).astype("datetime64[ns]")
