"""Compiled programs are kept between runs, and no fault of their folder is an error or a word."""

import os
import subprocess
import sys

import pytest

from symjax.cli.cache import LARGEST, cache_folder, cache_size, clear_cache, keep_compiled


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "environ", {"PATH": os.environ["PATH"]})
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    return tmp_path


def doctor(*words, **environment):
    """Run `symjax doctor`, which compiles a little, in a process of its own; returns what it printed of that."""
    ours = ("JAX_COMPILATION", "JAX_PERSISTENT", "TF_CPP")  # set by the tests, and by jax in this process
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    command = [sys.executable, "-W", "error::UserWarning", "-m", "symjax", "doctor", *words]
    done = subprocess.run(command, capture_output=True, text=True, env=kept | environment)
    assert (done.returncode, done.stderr) == (0, "")
    return [line for line in done.stdout.splitlines() if line.endswith(": right")]


def test_a_second_run_compiles_nothing_and_says_the_same(tmp_path):
    folder = tmp_path / "programs"
    first = doctor(JAX_COMPILATION_CACHE_DIR=str(folder))
    programs = {path: path.read_bytes() for path in folder.glob("*-cache")}
    assert len(first) == 2 < len(programs)
    assert doctor(JAX_COMPILATION_CACHE_DIR=str(folder)) == first
    assert {path: path.read_bytes() for path in folder.glob("*-cache")} == programs
    for path, content in programs.items():
        path.write_bytes(content[: len(content) // 2])
    assert doctor(JAX_COMPILATION_CACHE_DIR=str(folder)) == first
    assert doctor("--no-cache", JAX_COMPILATION_CACHE_DIR=str(tmp_path / "unused")) == first
    assert not (tmp_path / "unused").exists()


def test_a_folder_that_cannot_be_is_no_error(tmp_path):
    (tmp_path / "file").write_text("no folder")
    assert doctor(XDG_CACHE_HOME=str(tmp_path / "file"))
    assert doctor(JAX_COMPILATION_CACHE_DIR=str(tmp_path / "file"))


def test_the_folder_is_the_users(home, monkeypatch):
    assert cache_folder() == home / ".cache" / "symjax" / "compiled"
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "xdg"))
    assert cache_folder() == home / "xdg" / "symjax" / "compiled"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache_folder() == home / "Library" / "Caches" / "symjax" / "compiled"
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(home / "mine"))
    assert cache_folder() == home / "mine"


def test_the_oldest_programs_go_first(home):
    folder = cache_folder()
    folder.mkdir(parents=True)
    for age, name in enumerate(["new", "old", "older"]):
        with (folder / f"{name}-cache").open("wb") as file:
            file.truncate(LARGEST // 2)
        os.utime(folder / f"{name}-cache", (1e9 - age, 1e9 - age))
    (folder / "notes.txt").write_text("mine")
    keep_compiled()
    assert sorted(path.name for path in folder.iterdir()) == ["new-cache", "notes.txt", "old-cache"]
    assert cache_size(folder) == LARGEST
    assert clear_cache(folder) == 2
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]
