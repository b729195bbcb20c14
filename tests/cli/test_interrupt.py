"""Ctrl-C at any moment is one sentence and exit code 130."""

import signal
import sys
import time

import pytest

from .command import symjax


@pytest.fixture(autouse=True)
def ctrl_c():
    """Ctrl-C as a terminal has it; processes that run tests may ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt():
    signal.raise_signal(signal.SIGINT)


def interrupt_a_callback():
    """What is raised while an object is thrown away, Python throws away too."""

    class Thrown:
        def __del__(self):
            interrupt()

    Thrown()
    time.sleep(60)


@pytest.mark.parametrize("moment", [interrupt, interrupt_a_callback])
def test_an_interrupt_is_one_sentence(monkeypatch, capsys, moment):
    before = sys.unraisablehook
    monkeypatch.setattr("symjax.cli.verbs.doctor.run", lambda command: moment())
    assert symjax("doctor") == 130
    assert capsys.readouterr().err == "symjax: interrupted by ctrl-C\n"
    assert sys.unraisablehook is before
