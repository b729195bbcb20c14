"""Sums and counts until the very end; then means, and one JSON line an epoch."""

from __future__ import annotations

import json
import math
import pathlib
import subprocess
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from typing import Any

import jax
from jaxtyping import PyTree


def add_sums(totals: Mapping[str, tuple], steps: Iterable[Mapping[str, tuple]]) -> dict[str, tuple]:
    """Return `totals` plus the (sum, count) pairs of many steps, fetched at once and added in double precision."""
    totals = dict(totals)
    for step in jax.device_get(list(steps)):
        for name, (value, count) in step.items():
            before, counted = totals.get(name, (0.0, 0.0))
            totals[name] = (before + float(value), counted + float(count))
    return totals


def means(totals: Mapping[str, tuple]) -> dict[str, float]:
    """Return sum / count by name, and nan where nothing was counted."""
    return {name: value / count if count else math.nan for name, (value, count) in totals.items()}


def evaluate_batches(evaluation: Callable, params: PyTree, batches: Iterable[PyTree]) -> dict[str, tuple]:
    """Return the sums and counts of a parallelised `make_evaluation` over all batches."""
    return add_sums({}, [evaluation(params, batch) for batch in batches])


def origin() -> dict[str, Any]:
    """Return what made a result: the versions, and the commit of the working directory."""
    return {"versions": {name: version(name) for name in ("symjax", "jax", "flax", "optax")}, "commit": _commit()}


def _commit() -> str:
    """Return the commit of the working directory, or nothing where there is none."""
    ask = ["git", "rev-parse", "--short", "HEAD"]
    try:
        return subprocess.run(ask, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


class MetricsLog:
    """A file of JSON lines, one record an epoch; process 0 writes, each line reaches the disk before the next epoch."""

    def __init__(self, path: str | pathlib.Path):
        self.path = pathlib.Path(path)

    def append(self, record: Mapping[str, Any]) -> None:
        """Write one record; numbers that are not finite become null, for JSON has no word for them.

        Raises:
            OSError: if the disk is full, or the file cannot be written.
        """
        if jax.process_index() != 0:
            return
        line = json.dumps({name: _finite(value) for name, value in record.items()}) + "\n"
        try:
            with self.path.open("a") as file:
                file.write(line)
        except OSError as error:
            raise OSError(error.errno, f"a record could not be written to {self.path}: {error.strerror}") from error

    def rewind(self, epochs: int) -> list[dict]:
        """Cut the file back to its first `epochs` epochs, and return their records; half a line at its end goes too."""
        records = [] if not self.path.exists() else [_parse(line) for line in self.path.read_text().splitlines()]
        kept = [record for record in records if record is not None and record["epoch"] <= epochs]
        if jax.process_index() == 0 and len(kept) < len(records):
            partial = self.path.with_suffix(".partial")
            partial.write_text("".join(json.dumps(record) + "\n" for record in kept))
            partial.replace(self.path)
        return kept


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _parse(line: str) -> dict | None:
    try:
        return json.loads(line)
    except json.JSONDecodeError:
        return None
