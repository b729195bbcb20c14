"""How much memory this process may use, asked before work that would need more."""

import math
import os
import pathlib

try:
    import resource
except ImportError:  # Windows
    resource = None

CONTAINERS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def memory_limit() -> int | float:
    """Return the bytes of the machine, or fewer where a container or `ulimit -v` allows less; no limit on Windows."""
    if resource is None:
        return math.inf
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    files = map(pathlib.Path, CONTAINERS)
    texts = [file.read_text().strip() for file in files if file.exists()]
    limits += [int(text) for text in texts if text.isdigit()]
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return min(limits if soft == resource.RLIM_INFINITY else [*limits, soft])


def require_memory(need: int, what: str, error: type[Exception] = ValueError) -> None:
    """Refuse what does not fit.

    Raises:
        Exception: Of the given type, if `need` bytes are more than there are.
    """
    have = memory_limit()
    if need > have:
        raise error(f"{what} would take about {need / 2**30:,.3g} GiB of the {have / 2**30:,.3g} GiB here")
