"""SIGTERM and ctrl-C become a question the loop asks between two steps."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator

import jax
from jax.experimental import multihost_utils


@contextlib.contextmanager
def interruptions() -> Iterator[Callable[[int], int]]:
    """Yield the question "which signal told us to stop?", asked with the step just finished; 0 is none.

    In one process, the first SIGTERM or SIGINT is the answer and gives the signal its old meaning back, so a
    second ctrl-C is immediate. Among many, no process may act on its own: jax's preemption service, started by
    `initialise_distributed`, lets all of them stop after the same step. Outside the main thread signals are left alone.
    """
    if jax.process_count() > 1:
        yield lambda step: signal.SIGTERM * multihost_utils.reached_preemption_sync_point(step)
        return
    told = [0]
    if threading.current_thread() is not threading.main_thread():
        yield lambda step: told[-1]
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def tell(number: int, frame: object) -> None:
        told.append(number)
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, tell)
    try:
        yield lambda step: told[-1]
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
