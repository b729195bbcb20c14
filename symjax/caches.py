"""Where the library keeps what it can make again; nothing is imported that takes time."""

import os
import pathlib
import sys


def user_caches() -> pathlib.Path:
    """Return the folder of this library among the user's caches, which need not exist."""
    home = pathlib.Path.home()
    if sys.platform == "darwin":
        caches = home / "Library" / "Caches"
    elif sys.platform == "win32":
        caches = pathlib.Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    else:
        caches = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return caches / "symjax"
