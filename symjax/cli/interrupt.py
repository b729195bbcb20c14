"""Ctrl-C ends a command with one sentence, whatever it interrupts."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Exit with 130 on ctrl-C.

    What is raised in a callback, such as jax's of the garbage collector, goes no further: Python hands it to a hook and
    carries on. An interrupt that ends there is sent again.
    """
    before = sys.unraisablehook

    def send_again(unraisable: Any) -> None:
        if isinstance(unraisable.exc_value, KeyboardInterrupt):
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
        else:
            before(unraisable)

    sys.unraisablehook = send_again
    try:
        yield
    except KeyboardInterrupt:
        print("symjax: interrupted by ctrl-C", file=sys.stderr)
        sys.exit(130)
    finally:
        if sys.unraisablehook is send_again:  # else one was put on top of it that is to stay
            sys.unraisablehook = before
