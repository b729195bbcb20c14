"""Which run something is of: a random name, and a digest of what it was made with."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from symjax.training.files.files import finite


class OtherModelError(ValueError):
    """A sound checkpoint of something else than what was asked for."""


def digest_json(data: Mapping[str, Any]) -> str:
    """Return the SHA-256 of plain data, whatever the order of its names."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def seal(name: str, data: Mapping[str, Any]) -> str:
    """Return the identity of what belongs to a run of this random name and was made with these data."""
    return f"{name}-{digest_json(finite(data))}" if name else ""


def name_of(identity: str) -> str:
    """Return the random name of the run in an identity."""
    return identity.rpartition("-")[0]


def require_same_identity(what: str, here: str, there: str) -> None:
    """Refuse what belongs to another run, or was made with other options.

    Raises:
        OtherModelError: it does or was.
    """
    if here == there:
        return
    if name_of(here) and name_of(here) == name_of(there):
        raise OtherModelError(
            f"{what} is of this run with other options, and may be of another model of the same shapes: run.json or "
            "model.json was edited since; undo that, or start a new run"
        )
    raise OtherModelError(
        f"{what} is of another run, or is of another model of the same shapes: its identity is {there[:16]!r} there "
        f"and {here[:16]!r} here; use the settings it was made with"
    )
