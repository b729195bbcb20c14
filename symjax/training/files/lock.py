"""One writer: a run directory is written by one process at a time, whatever has died before."""

from __future__ import annotations

import contextlib
import errno
import os
import pathlib
import secrets
import socket
import stat
import sys
import time
from collections.abc import Iterator

import jax
import numpy as np
from jax.experimental import multihost_utils

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

NOBODY = bytes(8)
ABSENT = {errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS}  # what a file system without locks answers
FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


@contextlib.contextmanager
def written_alone(folder: pathlib.Path) -> Iterator[str]:
    """Hold a run directory on process 0, and yield a random name that all processes know.

    Raises:
        ValueError: another process holds it.
        OSError: the folder cannot be written.
    """
    with contextlib.ExitStack() as stack:
        name, refusal = NOBODY, ValueError(f"process 0 cannot write to {folder}, and says why")
        if jax.process_index() == 0:
            try:
                stack.enter_context(sole_writer(folder))
                name = secrets.token_bytes(len(NOBODY))
            except (ValueError, OSError) as error:
                refusal = error
        if jax.process_count() > 1:
            told = multihost_utils.broadcast_one_to_all(np.frombuffer(name, np.uint8))
            name = np.asarray(told, np.uint8).tobytes()
        if name == NOBODY:
            raise refusal
        yield name.hex()


@contextlib.contextmanager
def sole_writer(folder: pathlib.Path) -> Iterator[None]:
    """Hold the file `lock` of a run directory; the system lets go of it when the process dies, however it does.

    The folder is made if absent, and removed again where nothing else came into it.

    Raises:
        ValueError: another process holds it; the sentence names process and host.
        OSError: the folder or the file cannot be made.
    """
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    path = folder / "lock"
    descriptor = _hold(folder, path)
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"process {os.getpid()} on host {socket.gethostname()} since {time.ctime()}\n".encode())
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(descriptor)
        with contextlib.suppress(OSError):
            for place in made:
                place.rmdir()


def _hold(folder: pathlib.Path, path: pathlib.Path) -> int:
    """Return the locked file; whoever held it before may just have removed it, and then it is another one."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, FLAGS, 0o644)
        except FileNotFoundError:  # with its folder
            continue
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(errno.EINVAL, f"{path} is no file that could be locked; move it away")
            _lock(descriptor, folder)
            if path.exists() and os.path.samestat(path.stat(), os.fstat(descriptor)):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _lock(descriptor: int, folder: pathlib.Path) -> None:
    try:
        if fcntl is None:
            raise OSError(errno.ENOSYS, "no locks")
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        said = os.pread(descriptor, 300, 0).decode(errors="replace")
        holder = "".join(letter for letter in said if letter.isprintable()) or "another process"
        raise ValueError(f"{folder} is being written by {holder}; wait for its end, or choose another --out") from None
    except OSError as error:
        if error.errno not in ABSENT:
            raise
        print(f"{folder} is on a file system without locks: take care that nothing else writes to it", file=sys.stderr)
