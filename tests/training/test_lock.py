"""A run directory has one writer, and what belongs to another run is not taken for its own."""

import errno
import os
import re
import socket
import subprocess
import sys

import jax
import numpy as np
import pytest
import toy
from test_run import BRIEF, task

from symjax.training import (
    CheckpointStore,
    MetricsLog,
    OtherModelError,
    enter_run,
    name_of,
    restore_params,
    seal,
    train,
)
from symjax.training.files import lock
from symjax.training.files.lock import sole_writer, written_alone


def test_a_second_writer_is_refused_by_process_and_host(tmp_path):
    folder = tmp_path / "a" / "run"
    here = re.escape(f"{folder} is being written by process {os.getpid()} on host {socket.gethostname()} since ")
    with sole_writer(folder):
        with (
            pytest.raises(ValueError, match=f"{here}.*; wait for its end, or choose another --out"),
            sole_writer(folder),
        ):
            pass
        with pytest.raises(ValueError, match=here):
            train(task(), BRIEF, folder)
        with pytest.raises(ValueError, match=here), enter_run(folder, "toy", BRIEF, BRIEF, resumed=False):
            pass
    assert list(tmp_path.iterdir()) == [], "nothing came of it"


def test_death_lets_go_and_what_it_leaves_is_taken_over(tmp_path):
    script = (
        "import os, pathlib, signal, sys; from symjax.training.files.lock import sole_writer\n"
        "with sole_writer(pathlib.Path(sys.argv[1])): os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert re.match(r"process \d+ on host ", (tmp_path / "lock").read_text())
    with sole_writer(tmp_path):
        assert (tmp_path / "lock").read_text().startswith(f"process {os.getpid()} ")
    assert tmp_path.exists()


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, None])
def test_without_locks_it_says_so_and_goes_on(tmp_path, capsys, monkeypatch, number):
    def flock(*_):
        raise OSError(number, os.strerror(number))

    if number is None:
        monkeypatch.setattr(lock, "fcntl", None)
    else:
        monkeypatch.setattr(lock.fcntl, "flock", flock)
    with sole_writer(tmp_path):
        assert capsys.readouterr().err.count("on a file system without locks") == 1


def test_what_lies_in_the_place_of_the_lock_is_left_alone(tmp_path):
    (tmp_path / "elsewhere").write_text("mine")
    for make in (
        lambda path: os.mkfifo(path),
        lambda path: path.symlink_to(tmp_path / "elsewhere"),
        lambda path: path.mkdir(),
    ):
        make(tmp_path / "lock")
        with pytest.raises(OSError, match="lock"), sole_writer(tmp_path):
            pass
        (tmp_path / "lock").rmdir() if (tmp_path / "lock").is_dir() else (tmp_path / "lock").unlink()
    assert (tmp_path / "elsewhere").read_text() == "mine"


def test_all_processes_know_the_name_that_one_draws_or_that_it_was_refused(tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(jax, "process_count", lambda: 2)
    monkeypatch.setattr("jax.experimental.multihost_utils.broadcast_one_to_all", lambda x: told.append(x) or told[0])
    with written_alone(tmp_path) as name:
        monkeypatch.setattr(jax, "process_index", lambda: 1)
        with written_alone(tmp_path) as other:
            assert other == name == told[0].tobytes().hex()
    told[:] = [np.zeros(8, np.uint8)]
    with pytest.raises(ValueError, match="process 0 cannot write"), written_alone(tmp_path):
        pass


def test_checkpoints_and_records_carry_the_identity_of_their_run(tmp_path, capsys):
    for name in ("a", "b"):
        train(task(), BRIEF, tmp_path / name)
    lines = (tmp_path / "b" / "metrics.jsonl").read_text()
    with (tmp_path / "a" / "metrics.jsonl").open("a") as file:
        file.write(lines)
    capsys.readouterr()
    result = train(task(), BRIEF, tmp_path / "a", resumed=True)
    assert "held 1 line of no record of this run, now set aside in" in capsys.readouterr().err
    assert (tmp_path / "a" / "metrics.foreign").read_text() == lines
    assert len(result.history) == len((tmp_path / "a" / "metrics.jsonl").read_text().splitlines()) == 1
    (tmp_path / "b" / "checkpoints" / "6").rename(tmp_path / "a" / "checkpoints" / "4")
    with CheckpointStore(tmp_path / "a" / "checkpoints", identity=None, read_only=True) as store:
        assert restore_params(store).step == 6
        identity = store.identity
    (tmp_path / "a" / "checkpoints" / "4").rename(tmp_path / "a" / "checkpoints" / "8")
    with (
        CheckpointStore(tmp_path / "a" / "checkpoints", identity=identity, read_only=True) as store,
        pytest.raises(OtherModelError, match=r"checkpoint 8 in .* is of another run"),
    ):
        restore_params(store)


def test_the_same_run_with_other_options_is_told_from_another_run(tmp_path):
    one, edited, other = seal("aa", {"rate": 1}), seal("aa", {"rate": 2}), seal("bb", {"rate": 1})
    with CheckpointStore(tmp_path, identity=one) as store:
        store.save(1, {"params": toy.params()}, {})
    for identity, words in ((edited, "of this run with other options"), (other, "is of another run")):
        with CheckpointStore(tmp_path, identity=identity) as store, pytest.raises(OtherModelError, match=words):
            store.restore({"params": None})
    assert MetricsLog(tmp_path / "m", name_of(one)).run == "aa"


@pytest.mark.parametrize("spoil", ["gone", "replaced", "no folder"])
def test_whatever_makes_a_write_fail_the_process_ends(tmp_path, spoil):
    """In a process of its own, for threads that wait for a folder keep it from ending."""
    script = f"""
import pathlib, shutil, sys
import numpy as np
from symjax.training import CheckpointStore
place = pathlib.Path(sys.argv[1]) / "checkpoints"
tree = {{"params": {{f"w{{i}}": np.ones((100, 1000)) for i in range(9)}}}}
try:
    with CheckpointStore(place) as store:
        store.save(1, tree, {{}})
        if {spoil!r} == "gone":
            for path in place.glob("1.*"):
                shutil.rmtree(path, ignore_errors=True)
        else:
            store.wait()
            shutil.rmtree(place if {spoil!r} == "replaced" else place.parent)
            (place if {spoil!r} == "replaced" else place.parent).write_text("")
            store.save(2, tree, {{}})
except OSError as error:
    print(error.strerror)
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "run")], timeout=60, capture_output=True)
    assert done.returncode == 0
    assert b"a checkpoint could not be written to " in done.stdout
