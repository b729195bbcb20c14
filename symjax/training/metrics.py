"""Sums and counts until the very end; then means, and one JSON line an epoch."""

from __future__ import annotations

import json
import math
import os
import pathlib
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from symjax.math import namespace
from symjax.training.files import append_bytes, parse_json, read_bytes, write_bytes


def add_sums(totals: Mapping[str, tuple], steps: Iterable[Mapping[str, tuple]]) -> dict[str, tuple]:
    """Return `totals` plus the (sum, count) pairs of many steps, fetched at once and added in double precision.

    Raises:
        ValueError: a count is negative or no number.
    """
    totals = dict(totals)
    for step in jax.device_get(list(steps)):
        for name, (value, count) in step.items():
            if not np.all(count >= 0):
                raise ValueError(f"the loss counted {count} of {name!r}; a count is a number of at least 0")
            before, counted = totals.get(name, (0.0, 0.0))
            totals[name] = (before + _double(value), counted + _double(count))
    return totals


def scalars(sums: Mapping[str, tuple]) -> dict[str, tuple]:
    """Return the pairs of numbers, and entry i of a vector as "name_i"; larger arrays are no numbers to report."""
    numbers = {name: pair for name, pair in sums.items() if np.ndim(pair[0]) == 0}
    for name, (total, count) in sums.items():
        if np.ndim(total) == 1:
            counts = namespace(total).broadcast_to(count, total.shape)
            numbers |= {f"{name}_{i}": (total[i], counts[i]) for i in range(len(total))}
    return numbers


def means(totals: Mapping[str, tuple]) -> dict[str, float]:
    """Return sum / count by name, and nan where nothing was counted."""
    return {name: value / count if count else math.nan for name, (value, count) in totals.items()}


def evaluate_batches(evaluation: Callable, params: PyTree, batches: Iterable[PyTree]) -> dict[str, tuple]:
    """Return the sums and counts of a parallelised `make_evaluation` over all batches."""
    return add_sums({}, [evaluation(params, batch) for batch in batches])


def origin() -> dict[str, Any]:
    """Return what made a result: the versions, and the commit of the working directory."""
    return {"versions": {name: version(name) for name in ("symjax", "jax", "flax", "optax")}, "commit": _commit()}


def _double(x: Any) -> Any:
    return float(x) if np.ndim(x) == 0 else np.asarray(x, np.float64)


def _commit() -> str:
    """Return the commit of the working directory, or nothing where there is none."""
    ask = ["git", "rev-parse", "--short", "HEAD"]
    try:
        return subprocess.run(ask, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


class MetricsLog:
    """A file of JSON lines, one record an epoch with the random name of its run; process 0 writes."""

    def __init__(self, path: str | pathlib.Path, run: str = ""):
        self.path, self.run = pathlib.Path(path), run

    def append(self, record: Mapping[str, Any]) -> None:
        """Write one record; numbers that are not finite become null, for JSON has no word for them.

        Raises:
            OSError: if the disk is full, or the file cannot be written.
        """
        if jax.process_index() != 0:
            return
        append_bytes(self.path, self._line(record))

    def rewind(self, epochs: int) -> list[dict]:
        """Cut the file back to its first `epochs` epochs, and return their records; half a line at its end goes too.

        Lines that are no records of this run go to a file beside it. Of these, and of records that are missing, a
        sentence says so.

        Raises:
            ValueError: there is something else than a file, or it is too large to be one of records.
            OSError: it cannot be read or written.
        """
        lines = read_bytes(self.path).splitlines(keepends=True) if os.path.lexists(self.path) else []
        records = [self._record(line) for line in lines]
        kept = [record for record in records if record is not None and record["epoch"] <= epochs]
        if jax.process_index() == 0:
            pairs = zip(lines, records, strict=True)
            self._set_aside([line for line, record in pairs if record is None and line.endswith(b"\n")])
            if len(kept) < len(lines):
                write_bytes(self.path, b"".join(map(self._line, kept)))
            if missing := epochs - len({record["epoch"] for record in kept}):
                print(f"{self.path} has no records of {missing} of the {epochs} epochs so far", file=sys.stderr)
        return kept

    def _set_aside(self, foreign: list[bytes]) -> None:
        if foreign:
            aside = self.path.with_suffix(".foreign")
            append_bytes(aside, b"".join(foreign))
            lines = f"{len(foreign)} line{'s' * (len(foreign) > 1)}"
            print(f"{self.path} held {lines} of no record of this run, now set aside in {aside}", file=sys.stderr)

    def _line(self, record: Mapping[str, Any]) -> bytes:
        named = {**record, **({"run": self.run} if self.run else {})}
        return (json.dumps({name: _finite(value) for name, value in named.items()}) + "\n").encode()

    def _record(self, line: bytes) -> dict | None:
        """Return the record of a line without the name of the run, and None where it is none of this run."""
        try:
            record = parse_json(line)
        except ValueError:
            return None
        if not isinstance(record, dict) or record.pop("run", "") != self.run or not _is_count(record.get("epoch")):
            return None
        numbers = [value for value in record.values() if value is not None]
        return record if all(type(n) in (int, float) and -1e308 < n < 1e308 for n in numbers) else None


def _is_count(value: Any) -> bool:
    return type(value) is int and value > 0


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
