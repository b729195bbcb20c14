"""The memory of the command's own process: what a step frees is kept for the next one, on huge pages.

XLA allocates the temporary buffers of a program at each run. glibc maps those beyond 32 MB anew every time, and the
page faults of a large network cost more than its arithmetic. A heap that never shrinks has none, whichever thread asks.
"""

import ctypes
import os
import sys

M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -4, -8  # malloc.h
MADV_HUGEPAGE, HUGE = 14, 2 * 2**20  # mman.h
FOR_SCRIPTS = "GLIBC_TUNABLES=" + ":".join(
    f"glibc.malloc.{name}" for name in ("hugetlb=1", "mmap_max=0", "trim_threshold=17179869184", "arena_max=1")
)


def keep_memory() -> None:
    """Arrange malloc of this process, which has no threads yet, unless the user has or the system has another."""
    library = None if chosen_memory() else _glibc()
    if library is None:
        return
    for option, value in ((M_ARENA_MAX, 1), (M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, -1)):
        library.mallopt(option, value)
    _use_huge_pages(library)


def chosen_memory() -> str | None:
    """Return the variable of the environment by which the user has arranged malloc, or brought another."""
    if "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", ""):
        return "GLIBC_TUNABLES"
    return next((name for name in os.environ if name == "LD_PRELOAD" or name.startswith("MALLOC_")), None)


def describe_memory() -> str:
    """Return in one line who decides about the memory of steps, and what does the same for scripts."""
    if chosen := chosen_memory():
        return f"as {chosen} says"
    if _glibc() is None:
        return "as the system has it"
    return f"kept from step to step by this command; for scripts: {FOR_SCRIPTS} python ..."


def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):  # musl
        return None
    library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, (ctypes.c_size_t,)
    library.free.argtypes = (ctypes.c_void_p,)
    library.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    return library


def _use_huge_pages(library: ctypes.CDLL) -> None:
    """Ask for huge pages where the heap will grow: a quarter of the machine's memory, reserved and not yet taken."""
    size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 4
    start = library.malloc(size)
    if start is None:  # `ulimit -v`, or memory that may not be overcommitted
        return
    aligned = -(-start // HUGE) * HUGE
    library.madvise(aligned, (start + size - aligned) // HUGE * HUGE, MADV_HUGEPAGE)
    library.free(start)
