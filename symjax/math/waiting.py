"""Work that takes long says what it is doing."""

import contextlib
import logging
import threading
from collections.abc import Iterator

SECONDS = 10.0

logger = logging.getLogger("symjax")


@contextlib.contextmanager
def patience(what: str) -> Iterator[None]:
    """Log one line where the work inside takes over ten seconds: what it is, as in "solving for the maps from A to B".

    It is a warning of the logger "symjax", which goes to the standard error stream unless it is told otherwise.
    """
    timer = threading.Timer(SECONDS, logger.warning, ["%s takes more than %g seconds; still at it", what, SECONDS])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
