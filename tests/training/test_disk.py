"""Every file of a run directory may be anything, and what is written stays."""

import json
import os
import re

import numpy as np
import pytest

from symjax.training import CheckpointStore, MetricsLog, read_json, read_report, write_bytes, write_json
from symjax.training.files import disk
from symjax.training.files.disk import append_bytes, read_bytes

HOSTILE = {
    "deep": b"[" * 100_000,
    "deep object": b'{"a":' * 100_000,
    "closed": b'{"a": ' + b"[" * 900 + b"]" * 900 + b"}",
    "list": b"[1]",
    "number": b"3",
    "no text": b"\xff\xfe{}",
    "half a letter": b'{"a": "\\ud800"}',
    "zero": b'{"a": "\\u0000"}',
    "long number": b'{"a": ' + b"9" * 10_000 + b"}",
    "empty": b"",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_json_that_is_none_is_damaged(tmp_path, content):
    path = tmp_path / "run.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"run\.json is damaged: .*; restore the file, or train anew"):
        read_json(path)


PLACES = {
    "fifo": os.mkfifo,
    "folder": os.mkdir,
    "device": lambda path: os.symlink("/dev/zero", path),
    "huge": lambda path: (path.touch(), os.truncate(path, 2**40)),
}


@pytest.mark.parametrize("make", PLACES.values(), ids=PLACES)
def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path, make):
    path = tmp_path / "run.json"
    make(path)
    for read in (read_json, read_bytes):
        with pytest.raises(ValueError, match=r"run\.json (is no file but|has 1099511627776 bytes)"):
            read(path)
    make(tmp_path / "metrics.jsonl")
    with pytest.raises(ValueError, match=r"metrics\.jsonl (is no file but|has 1099511627776 bytes)"):
        MetricsLog(tmp_path / "metrics.jsonl").rewind(1)


@pytest.mark.parametrize("line", [b"{}", b'{"epoch": -1}', b'{"epoch": true}', b'{"epoch": 1, "step": "x"}', b'["a"]'])
@pytest.mark.parametrize("more", HOSTILE.values(), ids=HOSTILE)
def test_lines_that_are_no_records_are_set_aside(tmp_path, capsys, line, more):
    log = MetricsLog(tmp_path / "metrics.jsonl")
    for epoch in (1, 2):
        log.append({"epoch": epoch, "loss": 0.5})
    ours = log.path.read_bytes().splitlines(keepends=True)
    log.path.write_bytes(ours[0] + line + b"\n" + more + b"\n" + ours[1] + b'{"epoch": 3, "tor')
    assert log.rewind(2) == [{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.5}]
    assert log.path.read_bytes() == b"".join(ours)
    assert (tmp_path / "metrics.foreign").read_bytes() == line + b"\n" + more + b"\n"
    assert capsys.readouterr().err.count("held 2 lines of no record of this run, now set aside in") == 1


def test_records_that_are_missing_are_missed(tmp_path, capsys):
    assert MetricsLog(tmp_path / "metrics.jsonl").rewind(3) == []
    assert "has no records of 3 of the 3 epochs so far" in capsys.readouterr().err


def test_files_are_flushed_with_their_folders_before_and_after_they_get_their_names(tmp_path, monkeypatch):
    flushed, fsync = [], os.fsync

    def record(descriptor):
        flushed.append((os.readlink(f"/proc/self/fd/{descriptor}"), (tmp_path / "run.json").exists()))
        fsync(descriptor)

    monkeypatch.setattr(disk.os, "fsync", record)
    write_json(tmp_path / "run.json", {"a": 1})
    assert flushed == [(str(tmp_path / "run.partial"), False), (str(tmp_path), True)]
    flushed.clear()
    append_bytes(tmp_path / "metrics.jsonl", b"{}\n")
    append_bytes(tmp_path / "metrics.jsonl", b"{}\n")
    assert [name for name, _ in flushed] == [f"{tmp_path}/metrics.jsonl", str(tmp_path), f"{tmp_path}/metrics.jsonl"]
    flushed.clear()
    with CheckpointStore(tmp_path / "checkpoints") as store:
        store.save(1, {"params": {"w": np.ones(3)}}, {})
    names = {name for name, _ in flushed}
    there = {str(path) for path in (tmp_path / "checkpoints" / "1").rglob("*")}
    assert there | {f"{tmp_path}/checkpoints", f"{tmp_path}/checkpoints/1"} <= names


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: os.symlink("mine", path)])
def test_what_lies_in_the_way_of_a_file_is_left_alone(tmp_path, make):
    (tmp_path / "mine").write_text("mine")
    for name in ("run.partial", "metrics.jsonl"):
        make(tmp_path / name)
    with pytest.raises(OSError, match=re.escape(f"{tmp_path / 'run.json'} could not be written: ")):
        write_bytes(tmp_path / "run.json", b"{}")
    with pytest.raises(OSError, match=re.escape(f"a record could not be written to {tmp_path / 'metrics.jsonl'}: ")):
        MetricsLog(tmp_path / "metrics.jsonl").append({"epoch": 1})
    assert (tmp_path / "mine").read_text() == "mine"


def test_a_store_that_is_no_folder_and_steps_that_hold_no_files(tmp_path):
    (tmp_path / "file").write_text("")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("file", "fifo", "link"):
        with pytest.raises(ValueError, match="is no folder, where checkpoints belong"):
            CheckpointStore(tmp_path / name)
    with CheckpointStore(tmp_path / "run") as store:
        for step in (1, 2):
            store.save(step, {"params": {"w": np.ones(3)}}, {})
    metadata = tmp_path / "run" / "2" / "meta" / "metadata"
    metadata.unlink()
    os.mkfifo(metadata)
    with CheckpointStore(tmp_path / "run") as store:
        found = store.restore({"params": None})
    assert found.step == 1
    assert found.passed_over[0].endswith("meta/metadata is no file")


def test_a_report_without_errors_is_damaged(tmp_path):
    for text in ("{}", json.dumps({"errors": [1]})):
        (tmp_path / "report.json").write_text(text)
        with pytest.raises(ValueError, match=r"report\.json is damaged: it has no 'errors'"):
            read_report(tmp_path)
