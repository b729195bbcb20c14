"""Steps find the memory of those before them, in the command's own process, where the user wants nothing else."""

import os
import subprocess
import sys

import pytest

from symjax.cli import memory
from symjax.cli.main import main

from .command import symjax

FAULTS = """
import ctypes, resource, sys, threading
from symjax.cli.memory import keep_memory
if "kept" in sys.argv:
    keep_memory()
library, size = ctypes.CDLL(None), 100 * 2**20
library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, (ctypes.c_size_t,)
library.free.argtypes = (ctypes.c_void_p,)

def step():
    buffer = library.malloc(size)
    ctypes.memset(buffer, 1, size)
    library.free(buffer)

def steps():
    step()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    step()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)

thread = threading.Thread(target=steps)
thread.start()
thread.join()
"""
glibc = pytest.mark.skipif(memory._glibc() is None, reason="needs glibc")


def faults(*words, **environment):
    """Return the page faults of the second of two equal steps in a thread of a new process."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    command = [sys.executable, "-c", FAULTS, *words]
    return int(subprocess.run(command, capture_output=True, text=True, env=plain | environment, check=True).stdout)


@glibc
def test_a_step_finds_the_memory_of_the_one_before():
    assert faults("kept") < 10 < faults()


@glibc
def test_the_users_arrangement_is_kept():
    assert faults("kept", MALLOC_ARENA_MAX="8") > 10
    assert faults("kept", GLIBC_TUNABLES="glibc.malloc.arena_max=8") > 10
    assert faults("kept", GLIBC_TUNABLES="glibc.rtld.nns=4") < 10


@glibc
def test_scripts_get_the_same_from_their_environment():
    name, _, value = memory.FOR_SCRIPTS.partition("=")
    assert faults(**{name: value}) < 10


def test_only_a_process_of_its_own_is_arranged(monkeypatch):
    arranged = []
    monkeypatch.setattr("symjax.cli.main.keep_memory", lambda: arranged.append(True))
    monkeypatch.setattr("symjax.cli.main.keep_compiled", lambda: None)
    assert symjax("--help") == 0
    assert arranged == []
    monkeypatch.setattr(sys, "argv", ["symjax", "--help"])
    with pytest.raises(SystemExit):
        main()
    assert arranged == [True]


def test_other_systems_are_left_alone(monkeypatch):
    for name in [name for name in os.environ if name.startswith("MALLOC_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(memory, "_glibc", lambda: None)
    memory.keep_memory()
    assert memory.describe_memory() == "as the system has it"
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "0")
    assert memory.describe_memory() == "as MALLOC_TRIM_THRESHOLD_ says"
