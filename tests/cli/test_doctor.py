"""The doctor knows the faults it looks for."""

import jax
import numpy as np

from symjax.cli.verbs import doctor

from .command import symjax


def test_a_healthy_installation(capsys):
    assert symjax("doctor") == 0
    printed = capsys.readouterr().out
    assert f"jax {jax.__version__}" in printed
    assert printed.count(": right") == 2
    assert "devices: " in printed


def test_this_jax_does_not_miss_the_last_row():
    assert doctor.compiles_rightly()


def test_a_compiler_that_misses_the_last_row_is_caught(monkeypatch, capsys):
    def miscompiling(function):
        def compiled(rows):
            right = np.array(function(rows))
            return np.append(right[:-1], right[-65])  # what jax 0.10.2 gives

        return compiled

    monkeypatch.setattr(doctor.jax, "jit", miscompiling)
    assert not doctor.compiles_rightly()
    assert symjax("doctor") == 1
    assert "WRONG; install another version of jax" in capsys.readouterr().out
