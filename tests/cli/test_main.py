"""What the command makes of words, of errors, and of a terminal."""

import io
import os
import shlex
import subprocess
import sys

import jax
import numpy as np
import pytest

import symjax.cli
from symjax.cli.main import main

from . import command


@pytest.mark.parametrize(
    ("mistake", "error"),
    [
        (lambda *_: np.zeros(2) + np.zeros(3), ValueError),
        (lambda *_: jax.numpy.zeros(2).reshape(3), TypeError),
        (lambda *_: {}["absent"], KeyError),
    ],
)
def test_a_bug_keeps_its_traceback(files, run, monkeypatch, mistake, error):
    monkeypatch.setattr("symjax.tasks.structures.load", mistake)
    with pytest.raises(error):
        main(["evaluate", str(run), "--data", str(files / "molecules.xyz")])


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("raise ValueError('expected a number')", True),
        ("if folder: raise ValueError('expected a number')", True),
        ("int('x')", False),
        ("np.zeros(2) + np.zeros(3)", False),
    ],
)
def test_what_symjax_raises_is_told_from_what_it_runs_into(files, run, monkeypatch, refuses, line, meant):
    """The line is run as if it stood in the package."""
    scope = {"np": np}
    exec(compile(f"def load(folder):\n    {line}", symjax.cli.__file__, "exec"), scope)
    monkeypatch.setattr("symjax.tasks.structures.load", scope["load"])
    evaluate = ["evaluate", run, "--data", files / "molecules.xyz"]
    if meant:
        refuses(evaluate, "expected a number")
    else:
        with pytest.raises(ValueError, match=r"invalid literal|could not be broadcast"):
            main([str(word) for word in evaluate])


@pytest.mark.parametrize(
    "error", [MemoryError("Unable to allocate 180. GiB"), RuntimeError("RESOURCE_EXHAUSTED: Out of memory")]
)
def test_memory_that_is_not_there(files, run, monkeypatch, refuses, error):
    def load(folder):
        raise error

    monkeypatch.setattr("symjax.tasks.structures.load", load)
    refuses(["evaluate", run, "--data", files / "molecules.xyz"], "out of memory", str(error), "smaller cutoff")


def test_a_terminal_without_the_letters_of_units(files, run, monkeypatch):
    printed = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(printed, encoding="ascii"))
    assert command.symjax("evaluate", run, "--data", files / "molecules.xyz") == 0
    assert b"forces, meV/?" in printed.getvalue()


@pytest.mark.parametrize(
    "words", [["fly"], [], ["train", "--epochs", "many"], ["train", "--preset", "huge"], ["train", "--out", ""]]
)
def test_words_that_do_not_parse(words, capsys):
    assert command.symjax(*words) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_help_imports_nothing_heavy():
    script = """
import sys
from symjax.cli.main import main
try:
    main(["--help"])
except SystemExit as ended:
    assert ended.code == 0
print(sorted({"jax", "numpy", "flax", "ase", "scipy", "matplotlib", "orbax", "tyro"} & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=os.environ, check=True)
    assert "evaluate" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


SCRIPT = "import sys; from symjax.cli.main import main; main(sys.argv[1:])"


@pytest.mark.parametrize(
    ("words", "shell", "sentence"),
    [
        (["--help"], ">&-", "standard output is closed; give it a file, such as /dev/null"),
        (["--help"], ">/dev/full", "the output could not be written: No space left on device"),
        (["doctor", "--help"], ">/dev/full", "the output could not be written: No space left on device"),
        (["check", "nowhere"], "2>&-", None),
        (["check", "nowhere"], "2>/dev/full", None),
        (["--help"], ">&- 2>&-", None),
    ],
)
def test_streams_that_are_closed_or_full(words, shell, sentence):
    line = shlex.join([sys.executable, "-c", SCRIPT, *words])
    done = subprocess.run(["bash", "-c", f"{line} {shell}"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == ("" if sentence is None else f"symjax: {sentence}\n")


@pytest.mark.parametrize("platform", ["quantum", "cuda"])
def test_a_platform_that_is_not_there(platform):
    words = [sys.executable, "-c", SCRIPT, "doctor"]
    done = subprocess.run(words, capture_output=True, text=True, env=os.environ | {"JAX_PLATFORMS": platform})
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(f"symjax: JAX_PLATFORMS={platform} names no devices")
    assert "Traceback" not in done.stderr


def test_python_without_assertions_is_refused():
    """ASE reads files by them."""
    done = subprocess.run([sys.executable, "-O", "-c", SCRIPT, "--help"], capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "python -O drops assertions" in done.stderr


def test_a_reader_that_leaves_is_no_error():
    asked = [sys.executable, "-c", "from symjax.cli.main import main; main(['doctor', '--help'])"]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141
