"""Bytes on a disk that may be full, and in folders where anything may lie: read within bounds, written to last."""

from __future__ import annotations

import contextlib
import errno
import os
import pathlib
import stat
from collections.abc import Iterator

LARGEST = 2**28  # bytes of a file that is read whole
NONBLOCK = getattr(os, "O_NONBLOCK", 0)  # a pipe that nobody reads is refused and not waited for


def read_bytes(path: pathlib.Path, largest: int = LARGEST) -> bytes:
    """Return the content of a file.

    Raises:
        ValueError: it is a folder, a pipe or a device, or larger than any file of a run directory.
        OSError: it is not there, or cannot be read.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"{path} is no file but a folder, a pipe or a device; move it away, or restore the file")
    if status.st_size > largest:
        raise ValueError(f"{path} has {status.st_size} bytes, beyond all reason; restore the file, or move it away")
    return path.read_bytes()


def require_folder(path: pathlib.Path) -> None:
    """Refuse a file to be written whose folder is not there, before anything is computed for it.

    Raises:
        ValueError: there is no such folder.
    """
    if not path.parent.is_dir():
        raise ValueError(f"there is no folder {path.parent} to write {path.name} to; make it first")


def require_another(output: pathlib.Path, input: pathlib.Path) -> None:
    """Refuse to write over what is read, by whatever path or link.

    Raises:
        ValueError: both are one file.
    """
    if output.exists() and input.exists() and output.samefile(input):
        raise ValueError(f"{output} is the file that is read, {input}; name another one to write to")


def require_new(*paths: pathlib.Path, remedy: str = "name another, or move it away") -> None:
    """Refuse to write over what is there, before anything is computed for it; devices such as /dev/null may be named.

    Raises:
        ValueError: there is such a file; the sentence ends with the remedy.
    """
    for path in paths:
        if path.is_file() or path.is_dir():
            raise ValueError(f"{path} is there already; {remedy}")


def write_bytes(path: pathlib.Path, content: bytes) -> None:
    """Write all of a file or nothing; once this returns, a power cut leaves it.

    Raises:
        OSError: the disk is full, or the file cannot be written; the sentence names it.
    """
    partial = path.with_suffix(".partial")
    with _told(f"{path} could not be written"):
        _write(partial, content, os.O_TRUNC)
        partial.replace(path)
        flush(path.parent)


def append_bytes(path: pathlib.Path, content: bytes) -> None:
    """Add a record to a file; once this returns, a power cut leaves it.

    Raises:
        OSError: as `write_bytes`.
    """
    new = not path.exists()
    with _told(f"a record could not be written to {path}"):
        _write(path, content, os.O_APPEND)
        if new:
            flush(path.parent)


def flush(path: pathlib.Path) -> None:
    """Wait until the disk has a file, or the names in a folder."""
    if path.is_dir() and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY | NONBLOCK)
    try:
        _fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_all(folder: pathlib.Path) -> None:
    """Wait until the disk has a folder and all in it."""
    for place in (*folder.rglob("*"), folder, folder.parent):
        flush(place)


@contextlib.contextmanager
def _told(failure: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, f"{failure}: {error.strerror}") from error


def _write(path: pathlib.Path, content: bytes, flags: int) -> None:
    if path.is_symlink() and path.is_file():
        raise OSError(errno.ELOOP, f"{path.name} is a link to a file elsewhere")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | NONBLOCK | flags, 0o666)
    try:
        while content:
            content = content[os.write(descriptor, content) :]
        _fsync(descriptor)
    finally:
        os.close(descriptor)


def _fsync(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # a device, or a file system that cannot
            raise
