"""What other libraries say of failures that symjax tells in one sentence itself."""

import functools
import logging
import sys
from collections.abc import Callable
from typing import Any


def drop_echoes() -> None:
    """Say nothing of failed writes twice, and nothing of the reads and writes that end after another one has failed.

    Orbax closes its event loop at the first failure. Of every later answer Python prints that the loop is closed, or
    that nobody asked for it, at any later time; so the filters stay. They drop nothing else.
    """
    logging.getLogger("absl").setLevel(logging.CRITICAL)
    logging.getLogger("asyncio").addFilter(_asked_for)
    if getattr(sys.unraisablehook, "func", None) is not _unless_late:
        sys.unraisablehook = functools.partial(_unless_late, sys.unraisablehook)


def _asked_for(record: logging.LogRecord) -> bool:
    said = record.getMessage()
    return "never retrieved" not in said or not ("orbax" in said or "tensorstore" in said)


def _unless_late(hook: Callable[[Any], Any], unraisable: Any) -> None:
    if unraisable.object is not None or repr(unraisable.exc_value) != "RuntimeError('Event loop is closed')":
        hook(unraisable)
