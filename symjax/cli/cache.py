"""Compiled programs, kept between runs in the user's cache directory; no fault of that folder is an error."""

import contextlib
import os
import pathlib
import warnings

from symjax.caches import user_caches

LARGEST = 2**30  # bytes; beyond, the oldest programs go


def cache_folder() -> pathlib.Path:
    """Return where compiled programs are kept: JAX_COMPILATION_CACHE_DIR, else a folder among the user's caches."""
    if chosen := os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        return pathlib.Path(chosen)
    return user_caches() / "compiled"


def keep_compiled() -> None:
    """Let jax, which is not imported yet, keep what it compiles; a program that cannot be read is compiled anew."""
    folder = cache_folder()
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            return
        _drop_oldest(folder)
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(folder))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # XLA reports preferences of another compilation as errors
    warnings.filterwarnings("ignore", "Error (reading|writing) persistent compilation cache entry")


def cache_size(folder: pathlib.Path) -> int:
    """Return how many bytes the programs in a folder take."""
    return sum(size for _, size, _ in _programs(folder))


def clear_cache(folder: pathlib.Path) -> int:
    """Delete the programs in a folder, and return how many there were."""
    programs = _programs(folder)
    for *_, path in programs:
        path.unlink(missing_ok=True)
    return len(programs)


def _drop_oldest(folder: pathlib.Path) -> None:
    programs = _programs(folder)
    excess = sum(size for _, size, _ in programs) - LARGEST
    for _, size, path in programs:
        if excess <= 0:
            return
        with contextlib.suppress(OSError):
            path.unlink()
        excess -= size


def _programs(folder: pathlib.Path) -> list[tuple[float, int, pathlib.Path]]:
    """Return age and size of each program, the oldest first; jax names them NAME-DIGEST-cache."""
    programs = []
    for path in folder.glob("*-cache") if folder.is_dir() else ():
        with contextlib.suppress(OSError):
            status = path.stat()
            programs.append((status.st_mtime, status.st_size, path))
    return sorted(programs)
