"""What a command leaves unsaid, and what not; a library that is imported leaves all hooks alone."""

import logging
import sys
import types

import jax.numpy as jnp
import pytest

from symjax.cli.quiet import drop_echoes
from symjax.training import CheckpointStore


def test_late_answers_of_a_failed_read_say_nothing(tmp_path, caplog):
    """Forty reads fail at once, and Orbax waits for the first; the others come late to a different end each time."""
    drop_echoes()
    with CheckpointStore(tmp_path) as store:
        store.save(1, {"params": {f"w{i}": jnp.full((30, 200), i) for i in range(40)}}, {})
    for path in tmp_path.rglob("d/*"):
        path.write_bytes(path.read_bytes()[:50])
    for _ in range(10):
        with (
            CheckpointStore(tmp_path, read_only=True) as store,
            pytest.raises(ValueError, match="missing or unreadable"),
        ):
            store.restore({"params": None})
    assert [record for record in caplog.records if record.name == "asyncio"] == []


def test_only_late_answers_are_dropped(caplog, monkeypatch):
    told = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    drop_echoes()
    closed, other = RuntimeError("Event loop is closed"), RuntimeError("closed")
    late, *mine = (
        types.SimpleNamespace(object=source, exc_value=error)
        for source, error in ((None, closed), (None, other), (print, closed))
    )
    for unraisable in (late, *mine):
        sys.unraisablehook(unraisable)
    for task in ("orbax", "mine"):
        logging.getLogger("asyncio").error(f"Task exception was never retrieved, {task}")
    assert told == mine
    assert [record.getMessage()[-4:] for record in caplog.records if record.name == "asyncio"] == ["mine"]


def test_a_store_patches_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "unraisablehook", print)
    before = list(logging.getLogger("asyncio").filters)
    with CheckpointStore(tmp_path):
        assert sys.unraisablehook is print
        assert logging.getLogger("asyncio").filters == before
